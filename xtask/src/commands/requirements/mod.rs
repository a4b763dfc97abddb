//! The requirements of the specification, and what shows each: `tests/requirements.toml`.
//!
//! Every MUST, MUST NOT, SHALL and REQUIRED has a row there, which names the tests that show it,
//! or says why there are none. So that the file stays true, it is checked that no row is without
//! the one or the other, that the rows of a section are as many as its keywords, and that every
//! test exists that is named ([`check`]). The README's protocol table is made of it ([`table`]).
//!
//! | a test's name begins with | and goes on with |
//! |---|---|
//! | `case:` | a black-box case, as `cinnabar-conformance --list` names it |
//! | `vector:` | a file of `core/tests/vectors` without `.json`, `/`, and the name of a vector |
//! | `unit:` | a test inside `core/src`, as `cargo test --lib -- --list` names it |
//! | `simulation:` | a test of `core/tests/simulation`, the same way |

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::Value;

use crate::commands::test::TOGETHER;
use crate::machine::workspace;

const FILE: &str = "tests/requirements.toml";

/// All of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Specification {
    #[serde(rename = "section")]
    sections: Vec<Section>,
}

/// A section that has keywords.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    title: String,
    /// How many keywords its text has.
    keywords: usize,
    /// For users: what there is of it, where a word does not say it.
    #[serde(default)]
    has: String,
    /// For users: what is not there, or is otherwise.
    #[serde(default)]
    lacks: String,
    #[serde(rename = "must")]
    requirements: Vec<Requirement>,
}

/// What one keyword asks, or several.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Row")]
struct Requirement {
    count: usize,
    standing: Standing,
    /// Whether the hub departs from it somewhere.
    differs: bool,
}

/// How a requirement stands.
#[derive(Debug, PartialEq, Eq)]
enum Standing {
    Shown(Vec<Test>),
    Later,
    NotTheHubs,
}

/// A requirement as it is written down.
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
            return Err(format!("`{asks}`: an empty text says nothing"));
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

/// The name of a test, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct Test {
    kind: Kind,
    name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Case,
    Vector,
    Unit,
    Simulation,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Case, Self::Vector, Self::Unit, Self::Simulation];

    fn as_str(self) -> &'static str {
        match self {
            Self::Case => "case",
            Self::Vector => "vector",
            Self::Unit => "unit",
            Self::Simulation => "simulation",
        }
    }
}

impl TryFrom<String> for Test {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (prefix, name) = text.split_once(':').unwrap_or_default();
        match Kind::ALL.into_iter().find(|kind| kind.as_str() == prefix) {
            Some(kind) => Ok(Self { kind, name: name.to_owned() }),
            None => {
                Err(format!("`{text}`: begin with `case:`, `vector:`, `unit:` or `simulation:`"))
            }
        }
    }
}

impl fmt::Display for Test {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.kind.as_str(), self.name)
    }
}

impl Specification {
    fn read() -> Result<Self> {
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

    fn tests(&self) -> impl Iterator<Item = &Test> {
        let requirements = self.sections.iter().flat_map(|section| &section.requirements);
        requirements.flat_map(|requirement| match &requirement.standing {
            Standing::Shown(tests) => tests.as_slice(),
            _ => &[],
        })
    }

    /// How many keywords stand so.
    fn count(&self, stands: impl Fn(&Standing) -> bool) -> usize {
        self.sections.iter().map(|section| section.count(&stands)).sum()
    }
}

impl Section {
    fn check(&self) -> Result<()> {
        let Self { title, keywords, .. } = self;
        let rows = self.count(|_| true);
        if rows != *keywords {
            bail!("\"{title}\" has {keywords} keywords, and rows for {rows}");
        }
        let departs = |requirement: &Requirement| {
            requirement.differs || requirement.standing == Standing::Later
        };
        if self.lacks.is_empty() && self.requirements.iter().any(departs) {
            bail!("\"{title}\": `lacks` must tell users what is not there, or is otherwise");
        }
        Ok(())
    }

    fn count(&self, stands: impl Fn(&Standing) -> bool) -> usize {
        let standing = self.requirements.iter().filter(|row| stands(&row.standing));
        standing.map(|row| row.count).sum()
    }

    /// In a word; none where nothing is asked of a hub, and nothing is to be said.
    fn status(&self) -> Option<&'static str> {
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

/// The README's protocol table, and what is to be said about it.
pub(crate) fn table() -> Result<String> {
    let specification = Specification::read()?;
    let mut table =
        String::from("| section | status | what is not there, or otherwise |\n|---|---|---|\n");
    let (mut plain, mut others) = (Vec::new(), Vec::new());
    for section in &specification.sections {
        let Section { title, has, lacks, .. } = section;
        match section.status() {
            Some("yes") if has.is_empty() && lacks.is_empty() => plain.push(title.as_str()),
            Some(status) if has.is_empty() => {
                table += &format!("| {title} | {status} | {lacks} |\n")
            }
            Some(status) => table += &format!("| {title} | {status}: {has} | {lacks} |\n"),
            None => others.push(title.as_str()),
        }
    }
    table += &format!("| {} | yes |  |\n", plain.join(", "));

    let shown = specification.count(|standing| matches!(standing, Standing::Shown(_)));
    let later = specification.count(|standing| *standing == Standing::Later);
    table += &format!(
        "\nThe draft says MUST or MUST NOT {} times, {} times of a hub. Tests show {shown} of these;\n\
         [requirements.toml]({FILE}) names them one by one, and says of all others why there is\n\
         no test. No duties of a hub are in {}.\n",
        specification.count(|_| true),
        shown + later,
        others.join(", "),
    );
    Ok(table)
}

/// Fails where a requirement names a test that does not exist. The tests must be built already,
/// or this takes long.
pub(crate) fn check() -> Result<()> {
    let specification = Specification::read()?;
    let names = names()?;
    let missing: Vec<String> = specification
        .tests()
        .filter(|test| !names[&test.kind].contains(&test.name))
        .map(|test| format!("  {test}"))
        .collect();
    if !missing.is_empty() {
        bail!("{FILE} names tests that do not exist:\n{}", missing.join("\n"));
    }
    Ok(())
}

/// The names of all tests, as the programs that run them know them.
fn names() -> Result<BTreeMap<Kind, BTreeSet<String>>> {
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
    let text = output(program, arguments)?;
    Ok(text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect())
}

/// The core's test programs, by target.
fn core_tests() -> Result<BTreeMap<String, String>> {
    // The same packages as `test` runs: of others, cargo would build dependencies anew.
    let test = ["test", "--locked", "--no-run", "--message-format", "json"];
    let text = output("cargo", &[&test, &TOGETHER[..]].concat())?;
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

fn output(program: &str, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(workspace::path("")).stderr(Stdio::inherit());
    let output = command.output().with_context(|| format!("cannot run {program}"))?;
    if !output.status.success() {
        bail!("`{program} {}` failed ({})", arguments.join(" "), output.status);
    }
    Ok(String::from_utf8(output.stdout)?)
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
        assert!(fault(row).contains("3 keywords, and rows for 1"));
        assert!(parse(&row.repeat(3)).is_ok());
        assert!(parse(&format!("{row}count = 3")).is_ok());
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
        assert!(fault(&row("not-the-hubs = \" \"")).contains("says nothing"));
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
