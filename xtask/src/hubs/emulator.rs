//! The emulator of Lambda: what it is built from, where, and what is tethered to it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::machine::cargo;

/// The binary that is deployed, and the one that runs it here.
const FUNCTION: &str = "bootstrap";
const EMULATOR: &str = "cinnabar-lambda-emulator";

/// Builds both.
pub(crate) fn build() -> Result<()> {
    cargo::run(&["build", "--locked", "--package", "cinnabar-aws", "--package", EMULATOR])
}

/// Fails unless both have been built.
pub(crate) fn require_built() -> Result<()> {
    for name in [FUNCTION, EMULATOR] {
        let program = built(name);
        if !program.is_file() {
            bail!(
                "there is no {}: build it with `cargo xtask serve --aws` without --prebuilt",
                program.display()
            );
        }
    }
    Ok(())
}

/// The emulator's program.
pub(crate) fn program() -> PathBuf {
    built(EMULATOR)
}

/// The function that it serves.
pub(crate) fn function() -> PathBuf {
    built(FUNCTION)
}

/// This command, made to end when this process does, or the emulator that this process becomes.
pub(crate) fn tethered(command: &Command) -> Command {
    let mut tethered = Command::new(program());
    tethered
        .args(["tether", "--parent", &std::process::id().to_string(), "--"])
        .arg(command.get_program())
        .args(command.get_args());
    tethered
}

fn built(name: &str) -> PathBuf {
    cargo::target().join("debug").join(name)
}
