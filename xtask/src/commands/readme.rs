//! The README's tables, generated from what the hub and its tests use themselves.

use std::fs;

use anyhow::{Context as _, Result, bail};
use cinnabar_core::config::VARIABLES;

use crate::commands::requirements;
use crate::machine::workspace;

/// A part of the README, between two marks.
struct Part {
    begin: &'static str,
    end: &'static str,
    make: fn() -> Result<String>,
}

const PARTS: [Part; 2] = [
    Part {
        begin: "<!-- configuration: made by `cargo xtask readme` -->\n",
        end: "<!-- configuration ends -->",
        make: || Ok(variables()),
    },
    Part {
        begin: "<!-- protocol: made by `cargo xtask readme` of tests/requirements.toml -->\n",
        end: "<!-- protocol ends -->",
        make: requirements::table,
    },
];

/// Regenerates the tables in the README.
pub(crate) fn update() -> Result<()> {
    fs::write(workspace::path("README.md"), with_parts(read()?)?).context("cannot write README.md")
}

/// Fails if a table in the README is out of date.
pub(crate) fn check() -> Result<()> {
    let readme = read()?;
    if readme != with_parts(readme.clone())? {
        bail!("README.md: a table is out of date; run `cargo xtask readme`");
    }
    Ok(())
}

fn read() -> Result<String> {
    fs::read_to_string(workspace::path("README.md")).context("cannot read README.md")
}

fn with_parts(readme: String) -> Result<String> {
    PARTS.iter().try_fold(readme, |readme, part| part.put_into(&readme))
}

impl Part {
    /// The text, with what is between the marks replaced.
    fn put_into(&self, readme: &str) -> Result<String> {
        let Self { begin, end, make } = self;
        let marks = readme
            .split_once(begin)
            .and_then(|(before, rest)| Some((before, rest.split_once(end)?.1)));
        let Some((before, after)) = marks else {
            bail!("README.md has no place for a table: {}…{end}", begin.trim_end());
        };
        Ok(format!("{before}{begin}{}{end}{after}", make()?))
    }
}

fn variables() -> String {
    let mut table = String::from("| variable | default | meaning |\n|---|---|---|\n");
    for variable in VARIABLES {
        let mut default = match (variable.default, variable.secret) {
            ("", true) => "(secret)".to_owned(),
            ("", false) => String::new(),
            (default, _) => format!("`{default}`"),
        };
        if let Some(on_aws) = variable.default_on_aws {
            default += &format!("; AWS `{on_aws}`");
        }
        if let Some(platform) = variable.only_on {
            default += &format!(" ({platform} only)");
        }
        table += &format!("| `{}` | {default} | {} |\n", variable.name, variable.meaning);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_replaces_what_is_between_its_marks() {
        let part = &PARTS[0];
        let text = format!("before\n{}stale row\n{}\nafter\n", part.begin, part.end);
        let new = part.put_into(&text).unwrap();
        let row = "| `HEARTBEAT` | `25s`; AWS `15s` |";
        assert!(new.contains(row) && !new.contains("stale row"), "{new}");
        assert!(new.starts_with("before\n") && new.ends_with("\nafter\n"));
        assert_eq!(part.put_into(&new).unwrap(), new);
        assert!(part.put_into("no marks").is_err());
    }
}
