//! The tests that exist, listed by the programs that run them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::commands::requirements::test_name::Kind;
use crate::machine::cargo::TOGETHER;
use crate::machine::{cargo, process, workspace};

/// The names of all tests, as the programs that run them list them.
pub(super) fn names() -> Result<BTreeMap<Kind, BTreeSet<String>>> {
    let suite = ["run", "--locked", "--quiet", "-p", "cinnabar-conformance", "--"];
    let suite = [&suite[..], &["--launch", "nothing", "--list"]].concat();
    let core = core_tests()?;
    let listed = |target: &str| -> Result<BTreeSet<String>> {
        let program = core.get(target).with_context(|| format!("cargo built no `{target}`"))?;
        list(program, &["--list"])
    };
    Ok(BTreeMap::from([
        (Kind::Case, list("cargo", &suite)?),
        (Kind::Vector, vectors()?),
        (Kind::Unit, listed("cinnabar_core")?),
        (Kind::Simulation, listed("simulation")?),
    ]))
}

/// What a test program answers to `--list`.
fn list(program: &str, arguments: &[&str]) -> Result<BTreeSet<String>> {
    let mut command = Command::new(program);
    let text = process::printed_by(command.args(arguments).current_dir(workspace::path("")))?;
    Ok(text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect())
}

/// The core's test programs, by target.
fn core_tests() -> Result<BTreeMap<String, String>> {
    // The same packages as `test` runs: for any others, cargo would rebuild dependencies.
    let test = ["test", "--locked", "--no-run", "--message-format", "json"];
    let text = process::printed_by(&mut cargo::command(&[&test, &TOGETHER[..]].concat()))?;
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let core = workspace::path("core/Cargo.toml");
    Ok(messages
        .filter(|message| message["manifest_path"].as_str() == core.to_str())
        .filter_map(|message| {
            let target = message["target"]["name"].as_str()?.to_owned();
            Some((target, message["executable"].as_str()?.to_owned()))
        })
        .collect())
}

fn vectors() -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for file in fs::read_dir(workspace::path("core/tests/vectors"))? {
        let path = file?.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let vectors: Value = serde_json::from_slice(&fs::read(&path)?)
            .with_context(|| path.display().to_string())?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let named = vectors["vectors"].as_array().into_iter().flatten();
        names.extend(
            named.filter_map(|vector| Some(format!("{stem}/{}", vector["name"].as_str()?))),
        );
    }
    Ok(names)
}
