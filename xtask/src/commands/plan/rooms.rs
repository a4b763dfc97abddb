//! The table of a crate's rooms, and the imports that run against its order.
//!
//! It stands in the documentation of the crate's root, its rows from top to bottom:
//!
//! ```text
//! //! | room | what is in it |
//! //! |---|---|
//! //! | [`admission`](admit()) | … |
//! //! | `streams` | … |
//! ```
//!
//! Every folder beside the root has a row. A file beside the root has none and is below all rooms:
//! anybody may use it. The root itself may use everything, and so may modules that serve tests.

use std::path::{Path, PathBuf};

use super::modules::{Import, Modules};

/// Modules for tests, which may use everything and which no room may use.
const FOR_TESTS: [&str; 2] = ["tests", "testing"];

pub(super) struct Rooms {
    /// The crate's first file.
    root: PathBuf,
    /// The names of the rooms, from top to bottom.
    names: Vec<String>,
}

/// Where a file stands, from top to bottom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Floor {
    Top,
    Room(usize),
    Ground,
}

impl Rooms {
    /// Finds the table in the text of a crate's root.
    pub(super) fn read(root: &Path, text: &str) -> Option<Self> {
        let rows = text.lines().map(|line| line.strip_prefix("//! |"));
        let mut rows = rows.skip_while(|row| row.and_then(first_cell) != Some("room"));
        rows.next()?;
        let rows = rows.map_while(|row| row);
        let names = rows.filter_map(|row| Some(first_cell(row)?.split('`').nth(1)?.to_owned()));
        Some(Self { root: root.to_owned(), names: names.collect() })
    }

    /// Rows whose rooms no longer exist.
    pub(super) fn without_a_module(&self, modules: &Modules) -> Vec<String> {
        let is_there = |name: &String| modules.at_the_root().any(|module| module == name);
        let left_over = self.names.iter().filter(|name| !is_there(name));
        left_over
            .map(|name| {
                format!(
                    "{}: there is no `mod {name}`, which has a row in the table of rooms",
                    self.root.display()
                )
            })
            .collect()
    }

    /// The imports that run upwards, or that involve a room without a row.
    pub(super) fn faults(&self, imports: &[Import]) -> Vec<String> {
        imports.iter().filter_map(|import| self.fault(import)).collect()
    }

    fn fault(&self, import: &Import) -> Option<String> {
        let (from, to) = match (self.floor(&import.from), self.floor(&import.to)) {
            (Ok(from), Ok(to)) => (from, to),
            (Err(room), _) | (_, Err(room)) => {
                return Some(format!(
                    "{import}, but `{room}` has no row in the table of rooms in {}: add one",
                    self.root.display()
                ));
            }
        };
        if from <= to {
            return None;
        }
        Some(format!(
            "{import}, but {} is above {} in the table of {}: move the item down, pass its value as an argument, or move the using file up",
            self.name(to),
            self.name(from),
            self.root.display()
        ))
    }

    /// The floor of a file, or the name of its room if the table lacks it.
    fn floor(&self, file: &Path) -> Result<Floor, String> {
        let folder = self.root.parent().unwrap_or(Path::new(""));
        if file == self.root {
            return Ok(Floor::Top);
        }
        // A file from elsewhere, included by `#[path]`, is in no room.
        let Ok(inside) = file.strip_prefix(folder) else { return Ok(Floor::Ground) };
        let Some(room) = inside.iter().next() else { return Ok(Floor::Ground) };
        let is_folder = inside.iter().count() > 1;
        let room = room.to_string_lossy();
        let room = room.trim_end_matches(".rs");
        if FOR_TESTS.contains(&room) {
            return Ok(Floor::Top);
        }
        match self.names.iter().position(|name| name == room) {
            Some(number) => Ok(Floor::Room(number)),
            None if is_folder => Err(room.to_owned()),
            None => Ok(Floor::Ground),
        }
    }

    fn name(&self, floor: Floor) -> String {
        match floor {
            Floor::Top => "the crate's root".to_owned(),
            Floor::Room(number) => format!("`{}`", self.names[number]),
            Floor::Ground => "a file beside the root".to_owned(),
        }
    }
}

/// The first cell of a row without its first `|`.
fn first_cell(row: &str) -> Option<&str> {
    row.split('|').next().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_as_it_stands() {
        let text = "//! | to find | look in |\n//! |---|---|\n//! | a | [`b`] |\n//!\n\
                    //! | room | for |\n//! |---|---|\n//! | [`one`](x()) | `no` |\n//! | `two` | |\n\
                    //!\n//! | `three` | |\n";
        let rooms = Rooms::read(Path::new("src/lib.rs"), text).unwrap();
        assert_eq!(rooms.names, ["one", "two"]);
        assert!(Rooms::read(Path::new("src/lib.rs"), "//! none").is_none());
    }

    #[test]
    fn every_folder_has_a_row() {
        let text = "//! | room |\n//! |---|\n//! | `one` |\n";
        let rooms = Rooms::read(Path::new("src/lib.rs"), text).unwrap();
        let floor = |file: &str| rooms.floor(Path::new(file));
        assert_eq!(floor("src/lib.rs"), Ok(Floor::Top));
        assert_eq!(floor("src/testing/log.rs"), Ok(Floor::Top));
        assert_eq!(floor("src/one/deep/file.rs"), Ok(Floor::Room(0)));
        assert_eq!(floor("src/time.rs"), Ok(Floor::Ground));
        assert_eq!(floor("src/two/file.rs"), Err("two".to_owned()));
    }
}
