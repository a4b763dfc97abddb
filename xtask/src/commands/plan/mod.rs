//! `plan`: the plan of the workspace, checked against what its files import.
//!
//! There are two rules, and whatever breaks one is reported with its file and line:
//!
//! - **No circles.** In no crate do two or more files import one another in a circle.
//! - **One direction.** A crate may have a table of rooms in the documentation of its root, and the
//!   core must: then a file may use only what is in its own room or in those below. The table that
//!   people read is the one that is checked, so the two cannot differ ([`rooms`]).
//!
//! # What counts as an import
//!
//! An import leads from the file that names an item to the file that *defines* it:
//!
//! - A `use` counts, and so does any path in code, macro arguments included: `crate::x::f()`,
//!   `super::T`, or `x::f()` where `x` is a child or was brought into scope.
//! - A re-exported name is followed to its definition. So a `mod.rs` that only declares and
//!   re-exports is never part of a circle, and a child may use a sibling through their parent. But
//!   a child that uses what its parent defines imports the parent, and a parent that uses or
//!   re-exports what its child defines imports the child.
//! - `mod x;` imports nothing by itself, and neither does bringing a module into scope; using
//!   something of the module does.
//! - Whatever is `#[cfg(test)]` is ignored: tests may look at anything.
//!
//! Methods are not seen: calling one names no path. A type's methods may be spread over files below
//! the type's own.
//!
//! | to find | look in |
//! |---|---|
//! | what is read in a file | [`source`] |
//! | the modules of a crate, and what a path in one of them means | [`modules`] |
//! | circles | [`circles`] |
//! | the order of rooms | [`rooms`] |

mod attributes;
mod circles;
mod modules;
mod rooms;
mod source;
mod tokens;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use self::modules::{Modules, Read};
use self::rooms::Rooms;
use crate::machine::{cargo, process, workspace};

/// The crate that must have a table of rooms.
const CORE: &str = "core/src/lib.rs";

/// Fails if an import in any crate breaks a rule.
pub(crate) fn check() -> Result<()> {
    let mut faults = Vec::new();
    for root in roots()? {
        faults.extend(faults_of(&root, &read)?);
    }
    if !faults.is_empty() {
        bail!(
            "some imports break the plan (`xtask/src/commands/plan` explains it)\n\n{}",
            faults.join("\n\n")
        );
    }
    Ok(())
}

/// What is wrong in the crate with this root.
fn faults_of(root: &Path, read: &Read) -> Result<Vec<String>> {
    let text = read(root)?.with_context(|| format!("{} is missing", root.display()))?;
    let modules = Modules::load(root, read)?;
    let imports = modules.imports();
    let mut faults = Vec::new();
    match Rooms::read(root, &text) {
        Some(rooms) => {
            faults.extend(rooms.without_a_module(&modules));
            faults.extend(rooms.faults(&imports));
        }
        None if root == Path::new(CORE) => {
            bail!("{CORE} has no table of rooms, with `room` at the head of its first column")
        }
        None => {}
    }
    faults.extend(circles::faults(&imports));
    Ok(faults)
}

/// Reads a file of the repository, if it exists.
fn read(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(workspace::path("").join(path)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// The root of every crate: libraries and programs, and their tests and benchmarks.
fn roots() -> Result<Vec<PathBuf>> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        targets: Vec<Target>,
    }
    #[derive(Deserialize)]
    struct Target {
        src_path: PathBuf,
    }

    let metadata = ["metadata", "--locked", "--no-deps", "--format-version", "1"];
    let metadata = process::printed_by(&mut cargo::command(&metadata))?;
    let metadata: Metadata = serde_json::from_str(&metadata)?;
    let top = workspace::path("");
    let targets = metadata.packages.into_iter().flat_map(|package| package.targets);
    let mut roots = targets
        .map(|target| Ok(target.src_path.strip_prefix(&top)?.to_owned()))
        .collect::<Result<Vec<_>>>()?;
    roots.sort();
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn faults(files: &[(&str, &str)]) -> Vec<String> {
        let files: BTreeMap<_, _> = files.iter().copied().collect();
        let read = |path: &Path| Ok(files.get(path.to_str().unwrap()).map(|text| text.to_string()));
        faults_of(Path::new("lib.rs"), &read).unwrap()
    }

    const LIB: &str = "//! | room | for |\n//! |---|---|\n//! | `upper` | a |\n//! | [`lower`] | b |\n\
                       mod upper;\nmod lower;\nmod ground;\npub use upper::Up;\n";

    #[test]
    fn imports_that_run_down_are_fine() {
        let clean = faults(&[
            ("lib.rs", LIB),
            ("upper/mod.rs", "mod a; pub(crate) use a::Up;"),
            ("upper/a.rs", "use crate::lower::{self, Low};\npub struct Up(crate::ground::G);"),
            ("lower/mod.rs", "pub struct Low(crate::ground::G);"),
            ("ground.rs", "pub struct G; #[cfg(test)] mod tests { use crate::upper::Up; }"),
        ]);
        assert_eq!(clean, [""; 0]);
    }

    #[test]
    fn an_import_that_runs_up_is_named() {
        let upward = faults(&[
            ("lib.rs", LIB),
            ("upper/mod.rs", "pub struct Up;"),
            ("lower/mod.rs", "fn f() {\n    g(crate::Up);\n}"),
            ("ground.rs", ""),
        ]);
        assert_eq!(upward.len(), 1, "{upward:?}");
        let named = "lower/mod.rs:2 uses `crate::Up` of upper/mod.rs, but `upper` is above `lower`";
        assert!(upward[0].starts_with(named), "{upward:?}");
    }

    #[test]
    fn files_beside_the_root_are_below_all_rooms() {
        let upward = faults(&[
            ("lib.rs", LIB),
            ("upper/mod.rs", "pub struct Up;"),
            ("lower/mod.rs", "pub struct Low;"),
            ("ground.rs", "use crate::lower::Low;"),
        ]);
        assert_eq!(upward.len(), 1, "{upward:?}");
        assert!(upward[0].starts_with("ground.rs:1 uses `crate::lower::Low`"), "{upward:?}");
    }

    #[test]
    fn a_row_that_is_left_over_is_named() {
        let left_over = faults(&[
            ("lib.rs", &LIB.replace("mod lower;\n", "").replace("pub use upper::Up;", "")),
            ("upper/mod.rs", ""),
            ("ground.rs", ""),
        ]);
        assert_eq!(left_over.len(), 1, "{left_over:?}");
        assert!(left_over[0].contains("`mod lower`"), "{left_over:?}");
    }

    #[test]
    fn a_circle_of_three_is_named_import_by_import() {
        let circle = faults(&[
            ("lib.rs", "mod a; mod b; mod c; mod d;"),
            ("a.rs", "use crate::b::B;\npub struct A(B);"),
            ("b.rs", "\npub struct B(Option<Box<super::c::C>>);"),
            ("c.rs", "use crate::{a, d::D}; pub struct C(a::A, D);"),
            ("d.rs", "pub struct D;"),
        ]);
        assert_eq!(circle.len(), 1, "{circle:?}");
        for named in [
            "a.rs:1 uses `crate::b::B` of b.rs",
            "b.rs:2 uses `super::c::C` of c.rs",
            "c.rs:1 uses `a::A` of a.rs",
        ] {
            assert!(circle[0].contains(named), "{named}: {circle:?}");
        }
        assert!(!circle[0].contains("d.rs"), "{circle:?}");
    }

    #[test]
    fn parent_and_child_are_a_circle_if_each_uses_what_the_other_defines() {
        let house = |parent: &str| {
            let lib = ("lib.rs", "mod a;");
            faults(&[
                lib,
                ("a/mod.rs", parent),
                ("a/b.rs", "use super::Item; pub struct B(Item);"),
                ("a/c.rs", "pub struct Item;"),
            ])
        };
        // The parent only re-exports it.
        assert_eq!(house("mod b; mod c; pub use b::B; use self::c::Item;"), [""; 0]);
        // It does not use the child.
        assert_eq!(house("mod b; mod c; pub struct Item;"), [""; 0]);
        assert_eq!(house("mod b; mod c; pub use b::B; pub struct Item;").len(), 1);
    }
}
