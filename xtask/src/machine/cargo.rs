//! cargo, as it is called on this workspace.

use std::process::Command;

use anyhow::Result;

use crate::machine::{process, workspace};

/// The packages that are tested together. In one call, cargo builds every package with the features
/// that any of them asks for, and so with the cryptography of all platforms; the platforms' own
/// packages are built apart.
pub(crate) const TOGETHER: [&str; 7] = [
    "--workspace",
    "--exclude",
    "cinnabar-aws",
    "--exclude",
    "cinnabar-cloudflare",
    "--exclude",
    "cinnabar-native",
];

/// Runs cargo to its end, and fails if it fails.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    process::run(&mut command(arguments))
}

/// A call of cargo, for callers that add to it.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(arguments).current_dir(workspace::path(""));
    command
}
