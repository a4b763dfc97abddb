//! A hub under workerd: the runtime of Cloudflare's own servers, on this machine.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use cinnabar_kit::development::Variables;
use cinnabar_kit::workerd::{self, CACHE};

use crate::hubs::door::Door;
use crate::hubs::{door, worker};
use crate::machine::{environment, process, tools};

/// The command that serves the hub at this port, with these variables.
pub(crate) fn command(
    port: u16,
    data: &Path,
    variables: &Variables,
    door: Door,
) -> Result<Command> {
    let data = std::path::absolute(data)?;
    let (objects, cached) = (data.join("objects"), data.join("cache"));
    for folder in [&objects, &cached] {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let file = data.join("workerd.capnp");
    let (mut config, mut modules) = (config(variables)?, vec![CACHE]);
    if door == Door::Open {
        config = door::opened(&config);
        modules.push(door::MODULE);
    }
    fs::write(&file, config).with_context(|| format!("cannot write {}", file.display()))?;
    for (name, text) in modules {
        let module = data.join(name);
        fs::write(&module, text).with_context(|| format!("cannot write {}", module.display()))?;
    }
    process::allow_many_connections();
    let mut command = environment::bare(tools::workerd()?);
    command
        .arg("serve")
        .arg(joined("--import-path=", &worker::folder()))
        .arg(joined("--directory-path=objects=", &objects))
        .arg(joined("--directory-path=cached=", &cached))
        .arg(format!("--socket-addr=http=127.0.0.1:{port}"))
        .arg(file)
        .envs(variables);
    Ok(command)
}

/// The command that holds the Worker's log to its contract, which was built into this folder.
pub(crate) fn contract(folder: &Path) -> Result<Command> {
    // Fresh, since the runtime's own format of a database may have changed.
    let objects = folder.join("objects");
    if objects.exists() {
        fs::remove_dir_all(&objects)?;
    }
    fs::create_dir(&objects)?;
    let file = folder.join("contract.capnp");
    let date = workerd::compatibility_date()?;
    fs::write(&file, include_str!("contract.capnp").replace("COMPATIBILITY_DATE", &date))
        .with_context(|| format!("cannot write {}", file.display()))?;
    let mut command = environment::bare(tools::workerd()?);
    command
        .args(["test", "--no-verbose"])
        .arg(joined("--import-path=", folder))
        .arg(joined("--directory-path=objects=", &objects))
        .arg(file);
    Ok(command)
}

/// An option with its value: workerd takes values only after `=`, and paths need not be UTF-8.
fn joined(option: &str, path: &Path) -> OsString {
    let mut joined = OsString::from(option);
    joined.push(path);
    joined
}

/// The names of those variables, separated by spaces, whose values are JSON: they become bindings to
/// what the JSON says, as `[vars]` of wrangler.toml makes them, for tests of what is not text.
const JSON_BINDINGS: &str = "JSON_BINDINGS";

fn config(variables: &Variables) -> Result<String> {
    let json = std::env::var(JSON_BINDINGS).unwrap_or_default();
    workerd::configuration(variables, |name| json.split(' ').any(|named| named == name))
}
