//! The modules of a crate, and what a path that is written in one of them means.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fmt;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::source::{Body, Bound, Child, Source, Use, Written};

/// A use of what another file defines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Import {
    pub(super) from: PathBuf,
    line: usize,
    /// The path, as it is written.
    written: String,
    pub(super) to: PathBuf,
}

impl fmt::Display for Import {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, line, written, to } = self;
        write!(formatter, "{}:{line} uses `{written}` of {}", from.display(), to.display())
    }
}

/// Reads a file, if it exists.
pub(super) type Read<'a> = dyn Fn(&Path) -> Result<Option<String>> + 'a;

/// The modules of a crate; the first is its root.
pub(super) struct Modules {
    all: Vec<Module>,
}

type Index = usize;

const ROOT: Index = 0;

struct Module {
    file: PathBuf,
    /// The folder of its children's files.
    folder: PathBuf,
    parent: Option<Index>,
    children: BTreeMap<String, Index>,
    definitions: BTreeSet<String>,
    uses: Vec<Use>,
    paths: Vec<Written>,
}

/// What a path means.
#[derive(Clone, Copy)]
enum Meaning {
    Module(Index),
    /// An item that this module defines.
    ItemOf(Index),
}

/// The names looked up so far on the way to a meaning: names that stand for one another would be
/// looked up forever.
type Seen<'a> = BTreeSet<(Index, &'a str)>;

impl Modules {
    /// Reads a crate, from its first file on.
    pub(super) fn load(root: &Path, read: &Read) -> Result<Self> {
        let mut modules = Self { all: Vec::new() };
        let text = read(root)?.with_context(|| format!("{} is missing", root.display()))?;
        let folder = root.parent().unwrap_or(Path::new("")).to_owned();
        modules.add(None, root, folder, Source::parse(root, &text)?, read)?;
        Ok(modules)
    }

    fn add(
        &mut self,
        parent: Option<Index>,
        file: &Path,
        folder: PathBuf,
        source: Source,
        read: &Read,
    ) -> Result<Index> {
        let index = self.all.len();
        let Source { children, definitions, uses, paths } = source;
        self.all.push(Module {
            file: file.to_owned(),
            folder,
            parent,
            children: BTreeMap::new(),
            definitions,
            uses,
            paths,
        });
        for child in children {
            let name = child.name.clone();
            let added = self.add_child(index, child, read)?;
            self.all[index].children.insert(name, added);
        }
        Ok(index)
    }

    fn add_child(&mut self, parent: Index, child: Child, read: &Read) -> Result<Index> {
        let Module { file, folder, .. } = &self.all[parent];
        let (file, folder) = (file.clone(), folder.join(&child.name));
        let candidates = match child.body {
            Body::Inline(source) => return self.add(Some(parent), &file, folder, source, read),
            Body::FileAt(path) => {
                vec![plain(&file.parent().unwrap_or(Path::new("")).join(path))]
            }
            Body::File => vec![folder.with_extension("rs"), folder.join("mod.rs")],
        };
        for path in candidates {
            let Some(text) = read(&path)? else { continue };
            let source = Source::parse(&path, &text)?;
            // As for a `mod.rs`, the children of a file given by `path` are beside it.
            let folder = match path.file_stem() {
                Some(stem) if path.with_extension("") == folder && stem != OsStr::new("mod") => {
                    folder
                }
                _ => path.parent().unwrap_or(Path::new("")).to_owned(),
            };
            return self.add(Some(parent), &path, folder, source, read);
        }
        bail!("{} declares `mod {}`, which has no file", file.display(), child.name)
    }

    /// The names of the root's own modules.
    pub(super) fn at_the_root(&self) -> impl Iterator<Item = &String> {
        self.all[ROOT].children.keys()
    }

    /// Every import of one file from another, ordered by file and line: for each pair of files, the
    /// first.
    pub(super) fn imports(&self) -> Vec<Import> {
        let mut imports = BTreeMap::new();
        for (index, module) in self.all.iter().enumerate() {
            let uses = module.uses.iter().map(|used| (&used.written, used.bound == Bound::All));
            let paths = module.paths.iter().map(|path| (path, false));
            for (written, all) in uses.chain(paths) {
                let Some(to) = self.file_of(index, written, all) else { continue };
                if *to == module.file {
                    continue;
                }
                imports.entry((&module.file, to)).or_insert_with(|| Import {
                    from: module.file.clone(),
                    line: written.line,
                    written: written.path.join("::") + if all { "::*" } else { "" },
                    to: to.clone(),
                });
            }
        }
        let mut imports: Vec<Import> = imports.into_values().collect();
        imports.sort_by(|a, b| (&a.from, a.line).cmp(&(&b.from, b.line)));
        imports
    }

    /// The file that defines what a path names; none for a module itself, and for other crates.
    fn file_of(&self, module: Index, written: &Written, all: bool) -> Option<&PathBuf> {
        let meaning = self.resolve(module, &written.path, &mut Seen::new())?;
        match meaning {
            Meaning::ItemOf(index) => Some(&self.all[index].file),
            Meaning::Module(index) if all => Some(&self.all[index].file),
            Meaning::Module(_) => None,
        }
    }

    fn resolve<'a>(
        &'a self,
        module: Index,
        path: &'a [String],
        seen: &mut Seen<'a>,
    ) -> Option<Meaning> {
        let (first, mut rest) = path.split_first()?;
        let mut at = match first.as_str() {
            "crate" => ROOT,
            "self" => module,
            "super" => self.all[module].parent?,
            name => match self.look_up(module, name, rest.is_empty(), seen)? {
                Meaning::Module(index) => index,
                item @ Meaning::ItemOf(_) => return Some(item),
            },
        };
        while let [name, others @ ..] = rest {
            rest = others;
            if name == "super" {
                at = self.all[at].parent?;
                continue;
            }
            match self.look_up(at, name, rest.is_empty(), seen) {
                Some(Meaning::Module(index)) => at = index,
                Some(item) => return Some(item),
                // A macro may have defined it.
                None => return Some(Meaning::ItemOf(at)),
            }
        }
        Some(Meaning::Module(at))
    }

    /// What a name means in a module. Modules and items of one name are kept apart by whether the
    /// path ends with it.
    fn look_up<'a>(
        &'a self,
        index: Index,
        name: &'a str,
        is_last: bool,
        seen: &mut Seen<'a>,
    ) -> Option<Meaning> {
        let module = &self.all[index];
        let child = module.children.get(name).map(|&child| Meaning::Module(child));
        if child.is_some() && !is_last {
            return child;
        }
        if module.definitions.contains(name) {
            return Some(Meaning::ItemOf(index));
        }
        if !seen.insert((index, name)) {
            return child;
        }
        let named = module.uses.iter().filter(|used| used.bound == Bound::Name(name.to_owned()));
        for used in named {
            if let Some(meaning) = self.resolve(index, &used.written.path, seen) {
                return Some(meaning);
            }
        }
        if child.is_some() {
            return child;
        }
        for used in module.uses.iter().filter(|used| used.bound == Bound::All) {
            let all = self.resolve(index, &used.written.path, seen);
            if let Some(Meaning::Module(all)) = all
                && let Some(meaning) = self.look_up(all, name, is_last, seen)
            {
                return Some(meaning);
            }
        }
        None
    }
}

/// A path without `..`.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut plain, component| {
        match component {
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
        plain
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imports(files: &[(&str, &str)]) -> Vec<String> {
        let files: BTreeMap<_, _> = files.iter().copied().collect();
        let read = |path: &Path| Ok(files.get(path.to_str().unwrap()).map(|text| text.to_string()));
        let modules = Modules::load(Path::new("src/lib.rs"), &read).unwrap();
        modules.imports().iter().map(Import::to_string).collect()
    }

    #[test]
    fn files_are_where_rust_looks_for_them() {
        let found = imports(&[
            (
                "src/lib.rs",
                "mod a; mod b; #[path = \"../other/c.rs\"] mod c; use a::x::X;\nuse b::y::Y;\nuse c::z::Z;",
            ),
            ("src/a.rs", "pub mod x;"),
            ("src/a/x.rs", "pub struct X;"),
            ("src/b/mod.rs", "pub mod y;"),
            ("src/b/y.rs", "pub struct Y;"),
            ("other/c.rs", "pub mod z;"),
            ("other/z.rs", "pub struct Z;"),
        ]);
        assert_eq!(
            found,
            [
                "src/lib.rs:1 uses `a::x::X` of src/a/x.rs",
                "src/lib.rs:2 uses `b::y::Y` of src/b/y.rs",
                "src/lib.rs:3 uses `c::z::Z` of other/z.rs",
            ]
        );
    }

    #[test]
    fn a_name_is_followed_to_where_it_is_defined() {
        let found = imports(&[
            ("src/lib.rs", "mod a; mod b;"),
            ("src/a/mod.rs", "mod x; mod y; pub use x::X as Z; pub use self::y::*;"),
            ("src/a/x.rs", "pub struct X;"),
            ("src/a/y.rs", "pub struct Y;"),
            ("src/b.rs", "use crate::a::{self, Z};\nfn f() { a::Y::new() }"),
        ]);
        assert_eq!(
            found,
            [
                "src/a/mod.rs:1 uses `x::X` of src/a/x.rs",
                "src/a/mod.rs:1 uses `self::y::*` of src/a/y.rs",
                "src/b.rs:1 uses `crate::a::Z` of src/a/x.rs",
                "src/b.rs:2 uses `a::Y::new` of src/a/y.rs",
            ]
        );
    }

    #[test]
    fn a_function_may_have_the_name_of_its_module() {
        let found = imports(&[
            ("src/lib.rs", "mod event; mod front;"),
            ("src/event.rs", "pub fn event() {} pub fn other() {}"),
            ("src/front.rs", "use crate::event::event;\nfn f() { event(); }"),
        ]);
        assert_eq!(found, ["src/front.rs:1 uses `crate::event::event` of src/event.rs"]);
    }

    #[test]
    fn names_that_stand_for_one_another_are_given_up() {
        let found = imports(&[
            ("src/lib.rs", "mod a; mod b; use a::X;"),
            ("src/a.rs", "pub use crate::b::X;"),
            ("src/b.rs", "pub use crate::a::X;"),
        ]);
        assert_eq!(found.len(), 3);
    }
}
