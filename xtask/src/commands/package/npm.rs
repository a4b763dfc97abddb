//! The npm package `cinnabar-hub`: plain JavaScript, the Worker, and what is Rust as WebAssembly.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::archive::{Files, publish};
use super::cloudflare;
use crate::hubs::worker;
use crate::machine::{cargo, process, tools, workspace};

/// The target of what is Rust: it has a clock, files and an environment, which `token` and `check` need.
const WASI: &str = "wasm32-wasip1";

/// The package's JavaScript.
const PROGRAM: &str = "cinnabar-hub.js";
const MODULES: [&str; 6] =
    ["lib/deploy.js", "lib/dev.js", "lib/failure.js", "lib/init.js", "lib/kit.js", "lib/wasi.js"];

pub(super) fn make(dist: &Path) -> Result<()> {
    worker::build()?;
    let files = files(&build_kit()?)?;
    files.write(&dist.join("npm"))?;
    publish(dist, &file_name(), &files.tar_gz("package")?)
}

/// The package's name as a file.
pub(super) fn file_name() -> String {
    format!("cinnabar-hub-{}.tgz", env!("CARGO_PKG_VERSION"))
}

/// Compiles what is Rust, and returns the wasm file.
fn build_kit() -> Result<PathBuf> {
    tools::add_target(WASI)?;
    let package = ["build", "--locked", "--release", "--package", "cinnabar-kit", "--bin"];
    let mut cargo = cargo::command(&package);
    cargo
        .args(["cinnabar-kit", "--target", WASI])
        .env("CARGO_ENCODED_RUSTFLAGS", cargo::flags_for_publication(None, &["-Cstrip=symbols"]));
    process::run(&mut cargo)?;
    Ok(cargo::target().join(WASI).join("release/cinnabar-kit.wasm"))
}

fn files(kit: &Path) -> Result<Files> {
    let mut files = Files::default();
    // npm would rename a .gitignore when it unpacks.
    files.add_folder("cloudflare", cloudflare::files("gitignore")?);
    files.copy("kit.wasm", kit)?;
    for path in MODULES {
        files.copy(path, &workspace::path("kit/npm").join(path))?;
    }
    files.add_program(PROGRAM, fs::read(workspace::path("kit/npm").join(PROGRAM))?);
    files.copy("README.md", &workspace::path("kit/npm/README.md"))?;
    for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
        files.copy(licence, &workspace::path(licence))?;
    }
    files.add("package.json", package_json()?);
    Ok(files)
}

fn package_json() -> Result<String> {
    let path = workspace::path("kit/npm/package.json");
    let text = fs::read(&path).with_context(|| path.display().to_string())?;
    let mut package: Value = serde_json::from_slice(&text)?;
    package["version"] = env!("CARGO_PKG_VERSION").into();
    // npm compares it with where a package's attestation says that it is from.
    let repository = concat!("git+", env!("CARGO_PKG_REPOSITORY"), ".git");
    package["repository"] = json!({ "type": "git", "url": repository });
    package["dependencies"] = json!({ "workerd": tools::npm_version("workerd")? });
    Ok(format!("{package:#}\n"))
}
