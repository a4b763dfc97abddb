//! The hub as a process of its own, on this machine.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::hubs::configuration::Variables;
use crate::machine::{cargo, environment, workspace};

/// What it is built for.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    /// To be built soon.
    Development,
    /// To run fast, as the README has users build it.
    Service,
}

impl Purpose {
    /// Cargo's profile, and the folder that its programs are in.
    fn profile(self) -> (&'static str, &'static str) {
        match self {
            Self::Development => ("dev", "debug"),
            Self::Service => ("server", "server"),
        }
    }

    fn program(self) -> PathBuf {
        workspace::path("target").join(self.profile().1).join("cinnabar")
    }
}

/// Builds it.
pub(crate) fn build(purpose: Purpose) -> Result<()> {
    let (profile, _) = purpose.profile();
    cargo::run(&["build", "--locked", "--package", "cinnabar-native", "--profile", profile])
}

/// The command that serves the hub at this port, with these variables.
pub(crate) fn command(
    purpose: Purpose,
    port: u16,
    data: &Path,
    variables: &Variables,
) -> Result<Command> {
    let program = purpose.program();
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
