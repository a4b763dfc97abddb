//! The hub as a process of its own, on this machine.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::hubs::configuration::Variables;
use crate::machine::{cargo, environment, workspace};

/// Builds it.
pub(crate) fn build() -> Result<()> {
    cargo::run(&["build", "--locked", "--package", "cinnabar-native"])
}

/// The command that serves the hub at this port, with these variables.
pub(crate) fn command(port: u16, data: &Path, variables: &Variables) -> Result<Command> {
    let program = program();
    if !program.is_file() {
        bail!("the hub has not been built: run `cargo xtask serve --native` without --prebuilt");
    }
    fs::create_dir_all(data).with_context(|| format!("cannot create {}", data.display()))?;
    let mut command = environment::bare(program);
    command
        .args(["serve", "--listen", &SocketAddr::from(([127, 0, 0, 1], port)).to_string()])
        .arg("--data")
        .arg(data.join("cinnabar.db"))
        .envs(variables);
    Ok(command)
}

fn program() -> PathBuf {
    workspace::path("target/debug/cinnabar")
}
