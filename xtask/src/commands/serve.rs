//! A hub under workerd: the runtime of Cloudflare's own servers, on this machine.
//!
//! `serve` becomes workerd (with `--aws`, what [`aws`] says): the process that was started is the
//! server itself, so that a test which kills it has killed the hub. Its configuration is its
//! environment alone.

use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::hubs::configuration::{self, Variables};
use crate::hubs::{aws, worker};
use crate::machine::{tools, workspace};

#[derive(Args)]
pub(crate) struct Arguments {
    /// The port to listen at, on the loopback address
    #[arg(long, default_value_t = configuration::PORT)]
    port: u16,

    /// The folder that holds the hub's data
    #[arg(long, value_name = "FOLDER", default_value_os_t = default_data())]
    data: PathBuf,

    /// Serve the AWS variant: its function under an emulator of Lambda, with DynamoDB Local
    #[arg(long)]
    aws: bool,

    /// With --aws, how many invocations an environment of Lambda has at a time: one, unless it is
    /// of Managed Instances
    #[arg(long, default_value_t = 1, value_name = "INVOCATIONS", requires = "aws")]
    environment_concurrency: u16,

    /// With --aws, the port of a DynamoDB Local that runs already and is shared with other hubs, each
    /// with a table that is named for its data folder [default: one of its own, with its file there]
    #[arg(long, value_name = "PORT", requires = "aws")]
    database: Option<u16>,

    /// Take the hub as it was last built, and the tools as they are
    #[arg(long)]
    prebuilt: bool,
}

/// Where a hub keeps its data unless told otherwise.
pub(crate) fn default_data() -> PathBuf {
    workspace::path(".cinnabar/data")
}

/// Becomes the server; returns only where it can't.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    if arguments.aws {
        if !arguments.prebuilt {
            aws::build()?;
        }
        let Arguments { port, data, environment_concurrency, database, .. } = arguments;
        return aws::run(*port, data, *environment_concurrency, *database);
    }
    if !arguments.prebuilt {
        worker::build()?;
    } else if !worker::folder().join("index.js").is_file() {
        bail!("the Worker has not been built: run `cargo xtask build`");
    }
    let variables = configuration::environment();
    let error = workerd(arguments.port, &arguments.data, &variables)?.exec();
    Err(error).context("cannot run workerd")
}

/// The command that serves the hub at this port, with these variables.
pub(crate) fn workerd(port: u16, data: &Path, variables: &Variables) -> Result<Command> {
    let data = std::path::absolute(data)?;
    let objects = data.join("objects");
    fs::create_dir_all(&objects).with_context(|| format!("cannot create {}", objects.display()))?;
    let config = data.join("workerd.capnp");
    fs::write(&config, workerd_config(variables)?)
        .with_context(|| format!("cannot write {}", config.display()))?;
    allow_many_connections();
    let mut command = Command::new(tools::workerd()?);
    command
        .arg("serve")
        .arg(joined("--import-path=", &worker::folder()))
        .arg(joined("--directory-path=objects=", &objects))
        .arg(format!("--socket-addr=http=127.0.0.1:{port}"))
        .arg(config)
        .envs(variables);
    Ok(command)
}

/// Raises the limit of open files, which the server inherits: shells commonly start with one that a
/// thousand streams reach.
pub(crate) fn allow_many_connections() {
    let limit = getrlimit(Resource::Nofile);
    // Some systems refuse to raise it; then the hub serves as many as it may.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// Options of workerd take their values after `=` alone; paths need not be UTF-8.
fn joined(option: &str, path: &Path) -> OsString {
    let mut joined = OsString::from(option);
    joined.push(path);
    joined
}

/// workerd's configuration, in which a variable is named and never shown: its value comes from
/// the environment, so that no secret is written to a file.
fn workerd_config(variables: &Variables) -> Result<String> {
    let bindings: String = variables
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, _)| format!("    (name = \"{name}\", fromEnvironment = \"{name}\"),\n"))
        .collect();
    Ok(include_str!("../hubs/workerd.capnp")
        .replace("COMPATIBILITY_DATE", &configuration::compatibility_date()?)
        .replace("    # variables\n", &bindings))
}
