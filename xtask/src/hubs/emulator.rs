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

/// Builds the emulator, for what it [tethers](tethered).
pub(crate) fn build_alone() -> Result<()> {
    cargo::run(&["build", "--locked", "--package", EMULATOR])
}

/// Fails unless both have been built.
pub(crate) fn require_built() -> Result<()> {
    require(FUNCTION)?;
    require(EMULATOR)
}

/// Fails unless the emulator has been built.
pub(crate) fn require_built_alone() -> Result<()> {
    require(EMULATOR)
}

fn require(name: &str) -> Result<()> {
    let program = built(name);
    if !program.is_file() {
        bail!(
            "there is no {}: build it with `cargo xtask serve` and the same options but --prebuilt",
            program.display()
        );
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
