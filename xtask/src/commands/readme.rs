//! The README's tables, generated from what the hub and its tests use themselves.

use std::fs;

use anyhow::{Context as _, Result, bail};
use cinnabar_core::Platform;
use cinnabar_core::config::{VARIABLES, Variable};

use crate::commands::{documentation, requirements};
use crate::hubs::platforms;
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

/// Regenerates the tables in the README, and checks what cannot be made: the rest of the documentation.
pub(crate) fn update() -> Result<()> {
    fs::write(workspace::path("README.md"), with_parts(read()?)?)
        .context("cannot write README.md")?;
    documentation::check()
}

/// Fails if a table in the README is out of date, or the documentation is not whole.
pub(crate) fn check() -> Result<()> {
    let readme = read()?;
    if readme != with_parts(readme.clone())? {
        bail!("README.md: a table is out of date; run `cargo xtask readme`");
    }
    documentation::check()
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
        let readers: Vec<&Platform> =
            platforms::ALL.into_iter().filter(|platform| platform.reads(variable.name)).collect();
        let default = default(variable, &readers);
        let meaning = meaning(variable, &readers);
        table += &format!("| `{}` | {default} | {meaning} |\n", variable.name);
    }
    table
}

/// The default of a variable, and what it is on the platforms that have another or none.
fn default(variable: &Variable, readers: &[&Platform]) -> String {
    let mut text = match (variable.default, variable.secret) {
        ("", true) => "(secret)".to_owned(),
        ("", false) => String::new(),
        (default, _) => format!("`{default}`"),
    };
    for platform in readers {
        let default = platform.default_of(variable.name);
        if default != variable.default {
            let separator = if text.is_empty() { "" } else { "; " };
            text += &format!("{separator}{} `{default}`", platform.name);
        }
    }
    if readers.len() < platforms::ALL.len() {
        let names: Vec<&str> = readers.iter().map(|platform| platform.name).collect();
        text += &format!(" ({} only)", names.join(", "));
    }
    text
}

/// The meaning of a variable, and what the platforms add to it.
fn meaning(variable: &Variable, readers: &[&Platform]) -> String {
    let notes: Vec<(&str, String)> = readers
        .iter()
        .flat_map(|platform| {
            platform.notes_on(variable.name).into_iter().map(|note| (platform.name, note))
        })
        .collect();
    let is_everywhere =
        |note: &str| notes.iter().filter(|(_, it)| it == note).count() == readers.len();
    let mut clauses: Vec<String> = Vec::new();
    for (platform, note) in &notes {
        let clause =
            if is_everywhere(note) { note.clone() } else { format!("on {platform}, {note}") };
        if !clauses.contains(&clause) {
            clauses.push(clause);
        }
    }
    match clauses.as_slice() {
        [] => variable.meaning.to_owned(),
        clauses => {
            format!("{}; {}.", variable.meaning.trim_end_matches('.'), clauses.join("; "))
        }
    }
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

    #[test]
    fn a_row_says_where_platforms_differ() {
        let table = variables();
        for row in [
            "| `HISTORY_SIZE` | `10000` (Cloudflare, your own server only) |",
            "| `HISTORY_AGE` | `24h` | How long updates are kept; on AWS, at least `10m`, ",
            "The largest body of a publication; on Cloudflare, at most `1900kB`; on AWS, ",
            "; on Cloudflare, set it if 1.0 tokens are accepted, ",
        ] {
            assert!(table.contains(row), "{row} in {table}");
        }
    }
}
