//! `tests/requirements.toml`, read: sections, their requirements, and how each stands.

use std::fs;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::commands::requirements::test_name::Test;
use crate::machine::workspace;

pub(super) const FILE: &str = "tests/requirements.toml";

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Specification {
    #[serde(rename = "section")]
    pub(super) sections: Vec<Section>,
}

/// A section that has keywords.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    pub(super) title: String,
    /// Where it is asked, if the draft does not ask it yet.
    pub(super) since: Option<String>,
    /// How many keywords its text has.
    keywords: usize,
    /// For users: what the hub has of it, if one word is not enough.
    #[serde(default)]
    pub(super) has: String,
    /// For users: what is missing or differs.
    #[serde(default)]
    pub(super) lacks: String,
    #[serde(rename = "must")]
    requirements: Vec<Requirement>,
}

/// What one or more keywords ask.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Row")]
struct Requirement {
    count: usize,
    standing: Standing,
    /// Whether the hub departs from it in some way.
    differs: bool,
}

/// Whether a requirement is met, and whose it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Shown(Vec<Test>),
    Later,
    NotTheHubs,
}

/// A requirement, as the file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Row {
    asks: String,
    #[serde(default = "one")]
    count: usize,
    #[serde(default)]
    tests: Vec<Test>,
    differs: Option<String>,
    later: Option<String>,
    not_the_hubs: Option<String>,
}

fn one() -> usize {
    1
}

impl TryFrom<Row> for Requirement {
    type Error = String;

    fn try_from(row: Row) -> Result<Self, String> {
        let Row { asks, count, tests, differs, later, not_the_hubs } = row;
        let texts = [Some(&asks), differs.as_ref(), later.as_ref(), not_the_hubs.as_ref()];
        if texts.into_iter().flatten().any(|text| text.trim().is_empty()) {
            return Err(format!("`{asks}`: one of its texts is empty"));
        }
        let standing = match (tests.is_empty(), later.is_some(), not_the_hubs.is_some()) {
            (false, false, false) => Standing::Shown(tests),
            (true, true, false) => Standing::Later,
            (true, false, true) => Standing::NotTheHubs,
            _ => return Err(format!("`{asks}`: give `tests`, `later` or `not-the-hubs`")),
        };
        Ok(Self { count, standing, differs: differs.is_some() })
    }
}

impl Specification {
    pub(super) fn read() -> Result<Self> {
        let text = fs::read_to_string(workspace::path(FILE)).context(FILE)?;
        Self::parse(&text).context(FILE)
    }

    fn parse(text: &str) -> Result<Self> {
        let specification: Self = toml::from_str(text)?;
        for section in &specification.sections {
            section.check()?;
        }
        Ok(specification)
    }

    pub(super) fn tests(&self) -> impl Iterator<Item = &Test> {
        let requirements = self.sections.iter().flat_map(|section| &section.requirements);
        requirements.flat_map(|requirement| match &requirement.standing {
            Standing::Shown(tests) => tests.as_slice(),
            _ => &[],
        })
    }

    /// How many of the draft's keywords are covered by requirements that stand like this.
    pub(super) fn count(&self, stands: impl Fn(&Standing) -> bool) -> usize {
        let sections = self.sections.iter().filter(|section| section.since.is_none());
        sections.map(|section| section.count(&stands)).sum()
    }
}

impl Section {
    fn check(&self) -> Result<()> {
        let Self { title, keywords, .. } = self;
        let rows = self.count(|_| true);
        if rows != *keywords {
            bail!("\"{title}\" has {keywords} keywords, but rows for {rows}");
        }
        let departs = |requirement: &Requirement| {
            requirement.differs || requirement.standing == Standing::Later
        };
        if self.lacks.is_empty() && self.requirements.iter().any(departs) {
            bail!("\"{title}\": `lacks` must tell users what is missing or differs");
        }
        Ok(())
    }

    fn count(&self, stands: impl Fn(&Standing) -> bool) -> usize {
        let standing = self.requirements.iter().filter(|row| stands(&row.standing));
        standing.map(|row| row.count).sum()
    }

    /// The status in a word; `None` if the section asks nothing of a hub and needs no remark.
    pub(super) fn status(&self) -> Option<&'static str> {
        let shown = self.count(|standing| matches!(standing, Standing::Shown(_)));
        let later = self.count(|standing| *standing == Standing::Later);
        let there_is_some = shown > 0 || !self.has.is_empty();
        match (there_is_some, later) {
            (true, 0) => Some("yes"),
            (true, _) => Some("in part"),
            (false, 0) if self.lacks.is_empty() => None,
            (false, _) => Some("not yet"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(rows: &str) -> Result<Specification> {
        Specification::parse(&format!("[[section]]\ntitle = \"A\"\nkeywords = 3\n{rows}"))
    }

    fn fault(rows: &str) -> String {
        format!("{:#}", parse(rows).unwrap_err())
    }

    #[test]
    fn rows_are_as_many_as_keywords() {
        let row = "[[section.must]]\nasks = \"a\"\nnot-the-hubs = \"b\"\n";
        assert!(fault(row).contains("3 keywords, but rows for 1"));
        assert!(parse(&row.repeat(3)).is_ok());
        assert!(parse(&format!("{row}count = 3")).is_ok());
    }

    #[test]
    fn what_the_draft_does_not_ask_yet_is_not_counted_as_its_own() {
        let row = "[[section.must]]\nasks = \"a\"\ncount = 3\ntests = [\"case:a\"]\n";
        let count = |more: &str| parse(&format!("{more}{row}")).unwrap().count(|_| true);
        assert_eq!(count(""), 3);
        assert_eq!(count("since = \"b\"\n"), 0);
    }

    #[test]
    fn a_row_has_tests_or_one_reason() {
        let row = |more: &str| format!("[[section.must]]\nasks = \"a\"\ncount = 3\n{more}");
        for more in [
            "",
            "tests = []",
            "tests = [\"case:a\"]\nlater = \"b\"",
            "later = \"b\"\nnot-the-hubs = \"c\"",
        ] {
            assert!(
                fault(&row(more)).contains("give `tests`, `later` or `not-the-hubs`"),
                "{more}"
            );
        }
        assert!(fault(&row("not-the-hubs = \" \"")).contains("is empty"));
        assert!(fault(&row("tests = [\"b::c\"]")).contains("begin with `case:`"));
        assert!(fault(&row("test = [\"case:a\"]")).contains("unknown field"));
        assert!(parse(&row("tests = [\"case:a\"]")).is_ok());
    }

    #[test]
    fn what_is_not_there_is_said() {
        let row = |more: &str| format!("[[section.must]]\nasks = \"a\"\ncount = 3\n{more}");
        let later = row("later = \"b\"");
        let differs = row("tests = [\"case:a\"]\ndiffers = \"b\"");
        for rows in [later, differs] {
            assert!(fault(&rows).contains("`lacks` must tell"));
            assert!(parse(&format!("lacks = \"it\"\n{rows}")).is_ok());
        }
    }

    #[test]
    fn a_status_is_that_of_the_hubs_own_rows() {
        let row = |count: usize, more: &str| {
            format!("[[section.must]]\nasks = \"a\"\ncount = {count}\n{more}\n")
        };
        let (shown, later, others) =
            ("tests = [\"case:a\"]", "later = \"b\"", "not-the-hubs = \"c\"");
        let status = |rows: &str| parse(rows).unwrap().sections[0].status();
        assert_eq!(status(&(row(1, shown) + &row(2, others))), Some("yes"));
        let lacks = "lacks = \"it\"\n".to_owned();
        assert_eq!(status(&(lacks.clone() + &row(1, shown) + &row(2, later))), Some("in part"));
        assert_eq!(status(&(lacks.clone() + &row(1, later) + &row(2, others))), Some("not yet"));
        assert_eq!(status(&(lacks + &row(3, others))), Some("not yet"));
        assert_eq!(status(&format!("has = \"it\"\n{}", row(3, others))), Some("yes"));
        assert_eq!(status(&row(3, others)), None);
    }
}
