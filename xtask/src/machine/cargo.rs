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

/// What rustc is told for what is published, besides these flags and the user's own: to name no folder of
/// this machine in it, so that it is the same wherever it is built. For `CARGO_ENCODED_RUSTFLAGS`, in
/// which, unlike in `RUSTFLAGS`, paths may have spaces.
pub(crate) fn flags_for_publication(toolchain: Option<&str>, flags: &[&str]) -> String {
    let home = |variable: &str, folder: &str| match std::env::var_os(variable) {
        Some(home) => Some(PathBuf::from(home)),
        None => Some(std::env::home_dir()?.join(folder)),
    };
    // A standard library that is built, and not installed.
    let library = |toolchain: &str| {
        let toolchains = home("RUSTUP_HOME", ".rustup")?.join("toolchains");
        let host = process::output("rustc", &["--print", "host-tuple"])?;
        Some(toolchains.join(format!("{toolchain}-{host}/lib/rustlib/src/rust")))
    };
    let own = std::env::var("RUSTFLAGS").unwrap_or_default();
    let mut all: Vec<String> = own.split_whitespace().map(str::to_owned).collect();
    all.extend(flags.iter().copied().map(str::to_owned));
    // Of several that match, rustc takes the last.
    for (folder, name) in [
        (home("CARGO_HOME", ".cargo"), "/cargo"),
        (toolchain.and_then(library), "/rust"),
        (Some(workspace::path("")), "/cinnabar/"),
    ] {
        if let Some(folder) = folder {
            all.push(format!("--remap-path-prefix={}={name}", folder.display()));
        }
    }
    all.join("\u{1f}")
}

/// The folder that cargo builds into, whichever that is: it has put this program there, into a folder
/// of the profile.
pub(crate) fn target() -> PathBuf {
    let program = std::env::current_exe().ok();
    let folder = program.as_deref().and_then(Path::parent).and_then(Path::parent);
    folder.map_or_else(|| workspace::path("target"), Path::to_owned)
}
