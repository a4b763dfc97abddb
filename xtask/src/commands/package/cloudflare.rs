//! `dist/cloudflare`: a folder that Wrangler deploys as it is, and that Cloudflare's Deploy button
//! makes a repository of.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use cinnabar_core::config::VARIABLES;
use cinnabar_kit::dev_vars;
use serde_json::{Map, Value, json};

use super::archive::{Files, publish};
use super::transform::transformed;
use crate::hubs::worker;
use crate::machine::{tools, workspace};

const NAME: &str = concat!("cinnabar-cloudflare-", env!("CARGO_PKG_VERSION"));

/// The command of this repository, and what users have instead.
const CHECK: (&str, &str) = ("cargo xtask check", "npx cinnabar-hub check");

pub(super) fn make(dist: &Path) -> Result<()> {
    worker::build()?;
    let files = files(".gitignore")?;
    files.write(&dist.join("cloudflare"))?;
    publish(dist, &file_name(), &files.tar_gz(NAME)?)
}

/// The archive's name.
pub(super) fn file_name() -> String {
    format!("{NAME}.tar.gz")
}

/// The folder's files, of a Worker that has been built, and with the file by this name that tells Git
/// what to ignore.
pub(super) fn files(gitignore: &str) -> Result<Files> {
    let mut files = Files::default();
    for name in ["index.js", "index_bg.wasm"] {
        files.copy(&format!("worker/{name}"), &worker::folder().join(name))?;
    }
    files.add("wrangler.toml", wrangler_toml()?);
    files.add("package.json", package_json()?);
    files.add(".dev.vars.example", transformed(".dev.vars.example", &[CHECK])?);
    files.copy(gitignore, &workspace::path("kit/cloudflare/gitignore"))?;
    files.copy("README.md", &workspace::path("kit/cloudflare/README.md"))?;
    for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
        files.copy(licence, &workspace::path(licence))?;
    }
    Ok(files)
}

fn wrangler_toml() -> Result<String> {
    transformed(
        "wrangler.toml",
        &[
            CHECK,
            ("cloudflare/build/index.js", "worker/index.js"),
            (
                "# The build below bundles it, so what is deployed is, byte for byte, what the tests ran.\n",
                "# It is bundled, and what is deployed is, byte for byte, what the tests ran.\n",
            ),
            (
                "[build]\ncommand = \"sh cloudflare/build.sh\"\nwatch_dir = [\"core/src\", \"cloudflare/src\"]\n\n",
                "",
            ),
            (
                "# The README's table lists",
                "# The table at https://github.com/cinnabar-hub/cinnabar#configuration lists",
            ),
        ],
    )
}

/// Its `cloudflare.bindings` are what the Deploy button shows beside what it asks for.
fn package_json() -> Result<String> {
    let package = json!({
        "name": "cinnabar",
        "version": env!("CARGO_PKG_VERSION"),
        "private": true,
        "license": "(MIT OR Apache-2.0)",
        "scripts": { "deploy": "wrangler deploy" },
        "devDependencies": { "wrangler": tools::npm_version("wrangler")? },
        "cloudflare": { "bindings": bindings()? },
    });
    Ok(format!("{package:#}\n"))
}

/// A description of each variable and secret that this folder's files set, and of the object.
fn bindings() -> Result<Map<String, Value>> {
    let mut bindings = Map::new();
    let mut describe = |name: &str, text: &str| {
        bindings.insert(name.to_owned(), json!({ "description": text }));
    };
    describe("SHARD", "The Durable Object that holds the log, and the streams unless RELAYS do.");
    describe("RELAY_OBJECT", "The Durable Objects that hold streams, as many as RELAYS says.");
    let settings: toml::Table = fs::read_to_string(workspace::path("wrangler.toml"))?.parse()?;
    let secrets = dev_vars::read(&fs::read_to_string(workspace::path(".dev.vars.example"))?);
    let vars = settings.get("vars").and_then(|vars| vars.as_table()).context("no [vars]")?;
    for name in vars.keys().chain(secrets.variables.keys()) {
        let variable = VARIABLES.iter().find(|variable| variable.name == name.as_str());
        let variable = variable.with_context(|| format!("{name} is no variable of the hub"))?;
        let make = if variable.secret { " Make it up with `openssl rand -hex 32`." } else { "" };
        // Links of the README lead there from the button's page, too.
        let readme = concat!("](", env!("CARGO_PKG_REPOSITORY"), "#");
        describe(name, &format!("{}{make}", variable.meaning.replace("](#", readme)));
    }
    Ok(bindings)
}
