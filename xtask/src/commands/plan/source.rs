//! What is read of a file: its modules, what they define, and the paths that are written in them.
//!
//! Rust's tokens are enough for that, and unlike a syntax tree they show what is passed to macros.

use std::collections::BTreeSet;
use std::path::Path;
use std::str::FromStr as _;

use anyhow::{Result, anyhow};
use proc_macro2::{TokenStream, TokenTree};

use super::attributes::{Attributes, attribute};
use super::tokens::{is, length_of_item, length_of_visibility, line, list, starts_with_colons};

/// A module, as it is written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) children: Vec<Child>,
    /// The names of its items.
    pub(super) definitions: BTreeSet<String>,
    pub(super) uses: Vec<Use>,
    /// Paths of more than one name, other than in a `use`.
    pub(super) paths: Vec<Written>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Child {
    pub(super) name: String,
    pub(super) body: Body,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// `mod x { … }`
    Inline(Source),
    /// `mod x;`
    File,
    /// `#[path = "…"] mod x;`
    FileAt(String),
}

/// One name that a `use` brings into scope.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) written: Written,
    pub(super) bound: Bound,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Bound {
    Name(String),
    /// `*`
    All,
}

/// A path, and where it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) path: Vec<String>,
    pub(super) line: usize,
}

/// Keywords that a name follows which they define.
const DEFINING: [&str; 8] = ["fn", "struct", "enum", "union", "trait", "type", "const", "static"];

/// Where tokens stand: only what is directly in a module is defined by it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Items,
    Code,
}

impl Source {
    pub(super) fn parse(file: &Path, text: &str) -> Result<Self> {
        let tokens = TokenStream::from_str(text)
            .map_err(|error| anyhow!("{} cannot be read as Rust: {error}", file.display()))?;
        Ok(Self::of(&list(tokens)))
    }

    fn of(tokens: &[TokenTree]) -> Self {
        let mut source = Self::default();
        source.read(tokens, Level::Items);
        source
    }

    fn read(&mut self, tokens: &[TokenTree], level: Level) {
        let mut at = 0;
        let mut attributes = Attributes::default();
        while let Some(token) = tokens.get(at) {
            if let Some((attribute, length)) = attribute(&tokens[at..]) {
                attributes.add(&attribute);
                // `#![cfg(test)]` is about all that is around it.
                if attributes.for_tests && length > 2 {
                    return;
                }
                self.read(&attribute, Level::Code);
                at += length;
                continue;
            }
            if attributes.for_tests {
                at += length_of_item(&tokens[at..]);
                attributes = Attributes::default();
                continue;
            }
            at += match token {
                // Attributes belong to the item that comes.
                TokenTree::Ident(word) if word == "pub" => {
                    at += length_of_visibility(&tokens[at..]);
                    continue;
                }
                TokenTree::Ident(_) if is_continued(&tokens[..at]) => 1,
                TokenTree::Ident(word) => {
                    self.read_word(&word.to_string(), &tokens[at..], level, attributes.path.take())
                }
                TokenTree::Group(group) => {
                    self.read(&list(group.stream()), Level::Code);
                    1
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => 1,
            };
            attributes = Attributes::default();
        }
    }

    /// Reads what begins with a word, and returns how many tokens it has read.
    fn read_word(
        &mut self,
        word: &str,
        tokens: &[TokenTree],
        level: Level,
        path: Option<String>,
    ) -> usize {
        match (word, &tokens[1..]) {
            ("mod", [TokenTree::Ident(name), body, ..]) => {
                let body = match (body, path) {
                    (TokenTree::Group(group), _) => Body::Inline(Self::of(&list(group.stream()))),
                    (_, Some(path)) => Body::FileAt(path),
                    (_, None) => Body::File,
                };
                self.children.push(Child { name: name.to_string(), body });
                3
            }
            // Not `use<'a>`, which says what a type captures.
            ("use", [next, ..]) if !is(next, '<') => {
                let length = tokens.iter().position(|token| is(token, ';')).unwrap_or(tokens.len());
                self.read_use(&tokens[1..length], &[]);
                length
            }
            ("macro_rules", [bang, TokenTree::Ident(name), ..]) if is(bang, '!') => {
                self.definitions.insert(name.to_string());
                3
            }
            (_, [TokenTree::Ident(name), ..])
                if level == Level::Items && DEFINING.contains(&word) =>
            {
                // For `const fn f`, this also notes `fn`, which names nothing.
                self.definitions.insert(name.to_string());
                1
            }
            _ => {
                let (written, length) = path_at(tokens);
                if written.path.len() > 1 {
                    self.paths.push(written);
                }
                length
            }
        }
    }

    /// Reads a tree of names, which is `use crate::{a, b::{C, D as E}}` without its first word.
    fn read_use(&mut self, tokens: &[TokenTree], prefix: &[String]) {
        let (mut written, length) = match tokens.first() {
            Some(TokenTree::Ident(_)) => path_at(tokens),
            // Another crate, by `::`.
            Some(TokenTree::Punct(punct)) if punct.as_char() == ':' => return,
            Some(token) => (Written { path: Vec::new(), line: line(token) }, 0),
            None => return,
        };
        written.path.splice(..0, prefix.iter().cloned());
        let rest = &tokens[length..];
        let rest = if starts_with_colons(rest) { &rest[2..] } else { rest };
        match rest {
            [TokenTree::Group(group)] => {
                for tree in list(group.stream()).split(|token| is(token, ',')) {
                    self.read_use(tree, &written.path);
                }
            }
            [star] if is(star, '*') => self.uses.push(Use { written, bound: Bound::All }),
            [TokenTree::Ident(_as), TokenTree::Ident(name)] => {
                let bound = Bound::Name(name.to_string());
                self.uses.push(Use { written: named(written), bound });
            }
            _ => {
                let written = named(written);
                let Some(name) = written.path.last().cloned() else { return };
                self.uses.push(Use { written, bound: Bound::Name(name) });
            }
        }
    }
}

/// What `a::b::{self}` names: `a::b`.
fn named(mut written: Written) -> Written {
    if written.path.len() > 1 && written.path.last().is_some_and(|last| last == "self") {
        written.path.pop();
    }
    written
}

/// The path that begins with this word, and how many tokens it has.
fn path_at(tokens: &[TokenTree]) -> (Written, usize) {
    let mut written = Written { path: Vec::new(), line: tokens.first().map_or(0, line) };
    let mut at = 0;
    while let Some(TokenTree::Ident(name)) = tokens.get(at) {
        written.path.push(name.to_string());
        at += 1;
        let follows = matches!(tokens.get(at + 2), Some(TokenTree::Ident(_)));
        if !follows || !starts_with_colons(&tokens[at..]) {
            break;
        }
        at += 2;
    }
    (written, at)
}

/// Whether, after these tokens, a word cannot begin a path: a method's name after `.`, what follows
/// `::`, or a lifetime's name.
fn is_continued(before: &[TokenTree]) -> bool {
    match before {
        [.., first, second] if is(second, ':') => is(first, ':'),
        [.., first, second] if is(second, '.') => !is(first, '.'),
        [.., last] => is(last, '.') || is(last, '\''),
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::parse(Path::new("file.rs"), text).unwrap()
    }

    fn uses(text: &str) -> Vec<String> {
        let shown = |used: Use| {
            let path = used.written.path.join("::");
            match used.bound {
                Bound::Name(name) if path.ends_with(&name) => path,
                Bound::Name(name) => format!("{path} as {name}"),
                Bound::All => format!("{path}::*"),
            }
        };
        source(text).uses.into_iter().map(shown).collect()
    }

    fn paths(text: &str) -> Vec<String> {
        source(text).paths.into_iter().map(|written| written.path.join("::")).collect()
    }

    #[test]
    fn trees_of_names_are_taken_apart() {
        let text =
            "use {crate::a, super::b::{self, C as D, e::*}}; pub(crate) use self::f; use ::g::h;";
        let expected = ["crate::a", "super::b", "super::b::C as D", "super::b::e::*", "self::f"];
        assert_eq!(uses(text), expected);
        assert_eq!(uses("use crate::{Trait as _, b}; fn f() -> impl Sized + use<'a> {}").len(), 2);
    }

    #[test]
    fn paths_are_found_wherever_code_is() {
        let text = "#[derive(a::A)] struct S(pub(in crate::no) crate::b::B<super::c::C>);
            fn f() { vec![x.no::<u8>(), self::d::d(), ..e::E::default()]; m!(if g::G { $crate::h }) }
            // crate::comment::No
            impl S { fn f() -> &'static str { \"crate::text::No\" } } const X: <S as T>::No = 1;";
        let expected = [
            "a::A",
            "crate::b::B",
            "super::c::C",
            "self::d::d",
            "e::E::default",
            "g::G",
            "crate::h",
        ];
        assert_eq!(paths(text), expected);
    }

    #[test]
    fn what_is_only_for_tests_is_passed_over() {
        let text =
            "#[cfg(test)] mod tests { use super::*; } #[cfg(all(test, unix))] use crate::no::No;
            #[cfg(test)] fn f<A, B>() { crate::no::no() } #[cfg(test)] mod also;
            struct S { #[cfg(test)] field: crate::no::No, other: crate::yes::Yes }
            #[cfg(any(test, feature = \"testing\"))] pub mod testing;";
        let source = source(text);
        assert_eq!(source.uses, []);
        assert_eq!(source.paths.len(), 1, "{:?}", source.paths);
        let testing = Child { name: "testing".to_owned(), body: Body::File };
        assert_eq!(source.children, [testing]);
        assert_eq!(uses("#![cfg(test)] use crate::no::No;"), [""; 0]);
    }

    #[test]
    fn a_module_defines_what_is_directly_in_it() {
        let text = "pub const fn a() { fn no() {} } static B: u8 = 1; macro_rules! c { () => {} }
            impl D { fn no() {} } mod e { fn no() {} } pub(crate) enum F { No } trait G { fn no(); }";
        let source = source(text);
        for name in ["a", "B", "c", "F", "G"] {
            assert!(source.definitions.contains(name), "{name}");
        }
        assert!(!source.definitions.contains("no") && !source.definitions.contains("No"));
    }

    #[test]
    fn modules_are_files_or_not() {
        let source =
            source("pub mod a;\n#[path = \"../b.rs\"]\npub(crate) mod b;\nmod c { use d::D; }");
        let bodies: Vec<&Body> = source.children.iter().map(|child| &child.body).collect();
        assert_eq!(bodies[..2], [&Body::File, &Body::FileAt("../b.rs".to_owned())]);
        assert!(matches!(bodies[2], Body::Inline(inside) if inside.uses[0].written.line == 4));
    }
}
