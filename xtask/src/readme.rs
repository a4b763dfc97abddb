//! The README's configuration table, made from the table that the hub itself reads.

use std::fs;

use anyhow::{Context as _, Result, bail};
use cinnabar_core::config::VARIABLES;

use crate::workspace;

const BEGIN: &str = "<!-- configuration: made by `cargo xtask readme` -->\n";
const END: &str = "<!-- configuration ends -->";

/// Writes the table into the README.
pub(crate) fn update() -> Result<()> {
    fs::write(workspace::path("README.md"), with_table(&read()?)?).context("cannot write README.md")
}

/// Fails where the README's table is another.
pub(crate) fn check() -> Result<()> {
    let readme = read()?;
    if readme != with_table(&readme)? {
        bail!("README.md: the configuration table is out of date; run `cargo xtask readme`");
    }
    Ok(())
}

fn read() -> Result<String> {
    fs::read_to_string(workspace::path("README.md")).context("cannot read README.md")
}

/// The text with the table between its marks.
fn with_table(readme: &str) -> Result<String> {
    let marks =
        readme.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let Some((before, after)) = marks else {
        bail!("README.md has no place for the configuration table: {}…{END}", BEGIN.trim_end());
    };
    Ok(format!("{before}{BEGIN}{}{END}{after}", table()))
}

fn table() -> String {
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
    fn the_table_replaces_what_is_between_its_marks() {
        let text = format!("before\n{BEGIN}stale row\n{END}\nafter\n");
        let new = with_table(&text).unwrap();
        assert!(
            new.contains("| `HEARTBEAT` | `25s`; AWS `15s` |") && !new.contains("stale row"),
            "{new}"
        );
        assert!(new.starts_with("before\n") && new.ends_with("\nafter\n"));
        assert_eq!(with_table(&new).unwrap(), new);
        assert!(with_table("no marks").is_err());
    }
}
