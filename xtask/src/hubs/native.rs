//! The hub as a process of its own, on this machine.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use cinnabar_kit::development::Variables;

use crate::machine::{cargo, environment, process};

/// What it is built for.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    /// To be built soon.
    Development,
    /// To be deployed, and to run fast.
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

    /// Where its program is once it is built.
    pub(crate) fn program(self) -> PathBuf {
        cargo::target().join(self.profile().1).join("cinnabar")
    }
}

/// Builds it: on Linux a static program, which runs wherever there is a kernel, whatever libraries are
/// there. Other systems have no such programs.
///
/// Fails where a program for service could be static, but this machine lacks what it takes.
pub(crate) fn build(purpose: Purpose) -> Result<()> {
    let (profile, _) = purpose.profile();
    let package = ["--locked", "--package", "cinnabar-native", "--bin", "cinnabar"];
    let mut cargo = cargo::command(&["rustc"]);
    cargo.args(package).args(["--profile", profile]);
    if matches!(purpose, Purpose::Service) {
        cargo.env("CARGO_ENCODED_RUSTFLAGS", cargo::flags_for_publication(None, &[]));
    }
    if cfg!(target_os = "linux") && has_static_libc(purpose)? {
        // For the program alone: given to all crates, it would fail for those with macros, which are
        // libraries that the compiler loads.
        cargo.args(["--", "-Ctarget-feature=+crt-static"]);
    }
    process::run(&mut cargo)
}

/// Whether the C library can be linked into a program here.
fn has_static_libc(purpose: Purpose) -> Result<bool> {
    // The compiler repeats the name of a file that it does not find.
    let found = process::output("cc", &["-print-file-name=libc.a"]);
    let found = found.is_some_and(|path| Path::new(&path).is_absolute());
    if !found && matches!(purpose, Purpose::Service) {
        bail!(
            "there is no static C library to link into the program: install it (Debian and Ubuntu have it in libc6-dev, Fedora in glibc-static), or build a program that needs the library where it runs: cargo build --profile server -p cinnabar-native"
        );
    }
    Ok(found)
}

/// Fails if what was built needs a library of the system, though it could be built without.
pub(crate) fn require_static(purpose: Purpose) -> Result<()> {
    if cfg!(not(target_os = "linux")) || !has_static_libc(purpose)? {
        return Ok(());
    }
    let program = purpose.program();
    let needed = process::output("ldd", &[&program.to_string_lossy()]).unwrap_or_default();
    if needed != "statically linked" {
        bail!("{} needs libraries of the system: {needed}", program.display());
    }
    Ok(())
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
        bail!(
            "there is no {}: build it with `cargo xtask serve --native` without --prebuilt",
            program.display()
        );
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
