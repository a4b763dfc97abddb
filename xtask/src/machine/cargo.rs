//! cargo, as it is called on this workspace.

use std::path::{Path, PathBuf};
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
    command
        .args(arguments)
        .current_dir(workspace::path(""))
        // Whatever it was told for this program, it would read otherwise in another folder.
        .env("CARGO_TARGET_DIR", target());
    command
}

/// The folder that cargo builds into, whichever that is: it has put this program there, into a folder
/// of the profile.
pub(crate) fn target() -> PathBuf {
    let program = std::env::current_exe().ok();
    let folder = program.as_deref().and_then(Path::parent).and_then(Path::parent);
    folder.map_or_else(|| workspace::path("target"), Path::to_owned)
}
