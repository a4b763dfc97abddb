//! The hub on AWS, on this machine: the deployed binary, under an emulator of Lambda, with
//! DynamoDB Local.
//!
//! ```text
//! serve --aws ─┬─ DynamoDB Local (java), its file in the data folder
//!              └─ becomes the emulator ── the function's environments
//! ```
//!
//! The process that was started becomes the emulator, so that a test that kills it has killed the
//! hub: the emulator's environments and the database are tethered to it, and end with it.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use cinnabar_kit::development::{self, Variables};

use crate::hubs::dynamodb::{self, Storage};
use crate::hubs::emulator;
use crate::machine::{environment, process, tools};

/// The table of a hub with a database of its own; on AWS the stack names it.
const TABLE: &str = "cinnabar";

/// Builds the function and the emulator.
pub(crate) fn build() -> Result<()> {
    tools::npm_packages()?;
    tools::java()?;
    emulator::build()
}

/// Becomes the hub; returns only if it cannot.
pub(crate) fn run(
    port: u16,
    data: &Path,
    environment_concurrency: u16,
    database: Option<u16>,
) -> Result<()> {
    emulator::require_built()?;
    let data = std::path::absolute(data)?;
    // Kept until this process becomes the emulator, which is then still the database's parent.
    let own;
    let (database, table) = match database {
        Some(database) => (database, table_of(&data)),
        None => {
            let folder = data.join("dynamodb");
            fs::create_dir_all(&folder)
                .with_context(|| format!("cannot create {}", folder.display()))?;
            own = dynamodb::start(Storage::Folder(&folder))?;
            eprintln!(
                "warning: DynamoDB Local listens on port {} of every address of this machine, and lets everybody in: block that port in networks that you do not trust",
                own.port
            );
            (own.port, TABLE.to_owned())
        }
    };
    dynamodb::create_table(database, &table)?;
    let mut command = command(database, &table, &development::environment());
    command
        .args(["--port", &port.to_string()])
        .args(["--environment-concurrency", &environment_concurrency.to_string(), "--"])
        .arg(emulator::function());
    Err(command.exec()).context("cannot run the emulator")
}

/// The table of a hub with a data folder of its own but a shared database: the folder's path, in
/// characters that a table's name may have.
fn table_of(data: &Path) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let name: String = data.to_string_lossy().chars().map(plain).collect();
    // A name has at most 255 characters, and it is the end of a path that tells folders apart.
    name[name.len().saturating_sub(255)..].to_owned()
}

fn command(database: u16, table: &str, variables: &Variables) -> Command {
    process::allow_many_connections();
    let mut command = environment::bare(emulator::program());
    command
        .arg("serve")
        .envs(variables)
        .env("TABLE_NAME", table)
        .env("ORIGIN_SECRET", "of the emulator, which is both functions at one URL")
        .env("AWS_ENDPOINT_URL_DYNAMODB", format!("http://127.0.0.1:{database}"))
        // Without these, they would be looked for in files and over the network.
        .env("AWS_ACCESS_KEY_ID", "local")
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env("AWS_REGION", "us-east-1");
    command
}
