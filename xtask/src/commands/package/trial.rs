//! What is published, tried as a user without Rust would, and held to be the same when it is made again.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::{aws, cloudflare, npm};
use crate::commands::stack;
use crate::machine::{environment, process, workspace};

/// What such a user has.
const PROGRAMS: [&str; 7] = ["node", "npm", "npx", "sh", "env", "curl", "uname"];

/// Tries the npm package and the folder for Cloudflare, of the Worker as it was last built.
pub(crate) fn check() -> Result<()> {
    let folder = workspace::path("target/trial");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let [dist, again, home, user] = ["dist", "again", "home", "user"].map(|name| folder.join(name));
    for path in [&dist, &again, &home, &user] {
        fs::create_dir_all(path)?;
    }
    for to in [&dist, &again] {
        cloudflare::make(to)?;
        npm::make(to)?;
    }
    let (package, archive) = (npm::file_name(), cloudflare::file_name());
    for name in [&package, &archive] {
        ensure!(
            fs::read(dist.join(name))? == fs::read(again.join(name))?,
            "{name} is not the same when it is made again"
        );
    }
    let cache = process::output("npm", &["config", "get", "cache"]).context("npm has no cache")?;
    process::run(
        Command::new("node")
            .arg(workspace::path("kit/trial.mjs"))
            .args([dist.join(package), dist.join("cloudflare")])
            .current_dir(user)
            .env_clear()
            .envs(environment::network())
            .env("PATH", programs(&folder.join("bin"))?)
            .env("HOME", home)
            // What `npm ci` has fetched for the tests need not be fetched again.
            .env("npm_config_cache", cache)
            .env("npm_config_prefer_offline", "true")
            .env("npm_config_update_notifier", "false")
            // A test sends nothing to anybody.
            .env("WRANGLER_SEND_METRICS", "false"),
    )
}

/// Checks the templates for AWS. The functions that they refer to take minutes to compile as they are
/// published, so a release does it; that they build is checked with template.yaml.
pub(crate) fn check_templates() -> Result<()> {
    for processor in &aws::PROCESSORS {
        let folder = workspace::path("target/trial-aws").join(processor.template);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("template.yaml"), processor.template()?)?;
        stack::validate(&folder)?;
    }
    Ok(())
}

/// A folder of links to those programs, as a `PATH`.
fn programs(folder: &Path) -> Result<PathBuf> {
    fs::create_dir(folder)?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    for name in PROGRAMS {
        let mut places = std::env::split_paths(&path).map(|place| place.join(name));
        if let Some(program) = places.find(|program| program.is_file()) {
            symlink(program, folder.join(name))?;
        }
    }
    Ok(folder.to_owned())
}
