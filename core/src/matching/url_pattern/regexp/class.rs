//! Classes: what stands between `[` and `]` (ECMA-262, "Patterns", the productions of `v` mode).
//!
//! With `\q{…}` a class also holds strings, of which it takes one as it takes a character.

use std::collections::BTreeSet;

use super::{InvalidRegexp, Parser};
use crate::matching::url_pattern::characters::Characters;
use crate::matching::url_pattern::node::Node;

/// What a class or an operand of one holds.
#[derive(Default)]
pub(super) struct Class {
    characters: Characters,
    /// Strings of any length but one.
    strings: BTreeSet<Box<str>>,
    /// Whether it is written so that it may hold strings, even if none is left.
    may_hold_strings: bool,
}

impl Class {
    fn of(characters: Characters) -> Self {
        Self { characters, ..Self::default() }
    }

    fn union(mut self, mut other: Self) -> Self {
        self.characters = self.characters.union(other.characters);
        self.strings.append(&mut other.strings);
        self.may_hold_strings |= other.may_hold_strings;
        self
    }

    fn intersection(mut self, other: &Self) -> Self {
        self.characters = self.characters.intersection(other.characters);
        self.strings.retain(|string| other.strings.contains(string));
        self.may_hold_strings &= other.may_hold_strings;
        self
    }

    fn difference(mut self, other: &Self) -> Self {
        self.characters = self.characters.intersection(other.characters.complement());
        self.strings.retain(|string| !other.strings.contains(string));
        self
    }
}

impl From<Class> for Node {
    fn from(class: Class) -> Self {
        let characters = Self::One(class.characters);
        if class.strings.is_empty() {
            return characters;
        }
        let strings = class.strings.iter().map(|string| Self::text(string));
        Self::Either([characters].into_iter().chain(strings).collect())
    }
}

/// An operand of a class. A range can be neither intersected nor subtracted.
struct Operand {
    class: Class,
    is_range: bool,
}

impl Parser<'_> {
    pub(super) fn class(&mut self) -> Result<Class, InvalidRegexp> {
        let negated = self.take("^");
        let Some(Operand { mut class, is_range }) = self.class_operand()? else {
            return self.close_class(Class::default(), negated);
        };
        if self.rest.starts_with("--") || self.rest.starts_with("&&") {
            if is_range {
                return Err(InvalidRegexp::Malformed);
            }
            let difference = self.rest.starts_with("--");
            while self.take(if difference { "--" } else { "&&" }) {
                if self.rest.starts_with('&') {
                    return Err(InvalidRegexp::Malformed);
                }
                let Some(Operand { class: other, is_range: false }) = self.class_operand()? else {
                    return Err(InvalidRegexp::Malformed);
                };
                class =
                    if difference { class.difference(&other) } else { class.intersection(&other) };
            }
            return self.close_class(class, negated);
        }
        while let Some(operand) = self.class_operand()? {
            class = class.union(operand.class);
        }
        self.close_class(class, negated)
    }

    fn close_class(&mut self, class: Class, negated: bool) -> Result<Class, InvalidRegexp> {
        if !self.take("]") {
            return Err(InvalidRegexp::BareInClass);
        }
        match negated {
            false => Ok(class),
            true if class.may_hold_strings => Err(InvalidRegexp::Malformed),
            true => Ok(Class::of(class.characters.complement())),
        }
    }

    /// One operand of a class: a nested class, `\d` and the like, strings, a character, or a range;
    /// `None` where the class ends.
    fn class_operand(&mut self) -> Result<Option<Operand>, InvalidRegexp> {
        let whole = |class| Ok(Some(Operand { class, is_range: false }));
        if self.rest.is_empty() {
            return Err(InvalidRegexp::Malformed);
        }
        if self.rest.starts_with(']') {
            return Ok(None);
        }
        if self.take("[") {
            return self.deeper(Self::class).and_then(whole);
        }
        if self.take("\\q{") {
            return self.strings().and_then(whole);
        }
        if let Some(escape) = self.rest.strip_prefix('\\') {
            let before = std::mem::replace(&mut self.rest, escape);
            if let Some(set) = self.class_escape()? {
                return whole(Class::of(set));
            }
            self.rest = before;
        }
        let first = self.class_character()?;
        if self.rest.starts_with("--") || !self.take("-") {
            return self.literal(first).map(Class::of).and_then(whole);
        }
        let last = self.class_character()?;
        if first > last {
            return Err(InvalidRegexp::Malformed);
        }
        let characters = self.folded(Characters::range(first, last), last)?;
        Ok(Some(Operand { class: Class::of(characters), is_range: true }))
    }

    /// What stands between the braces of `\q{…}`: strings with `|` between them.
    fn strings(&mut self) -> Result<Class, InvalidRegexp> {
        if self.ignore_case {
            return Err(InvalidRegexp::Unsupported);
        }
        let mut class = Class::default();
        loop {
            let mut string = String::new();
            while !self.rest.starts_with(['|', '}']) {
                string.push(self.class_character()?);
            }
            let mut characters = string.chars();
            match (characters.next(), characters.next()) {
                (Some(only), None) => {
                    class.characters = class.characters.union(Characters::one(only));
                }
                _ => {
                    class.may_hold_strings = true;
                    class.strings.insert(string.into());
                }
            }
            if self.take("}") {
                return Ok(class);
            }
            self.take("|");
        }
    }

    fn class_character(&mut self) -> Result<char, InvalidRegexp> {
        let mut pair = self.rest.chars();
        let (first, second) = (pair.next(), pair.next());
        // ClassSetReservedDoublePunctuator.
        if first == second && first.is_some_and(|c| "&!#$%*+,.:;<=>?@^`~".contains(c)) {
            return Err(InvalidRegexp::Malformed);
        }
        match self.next()? {
            '\\' => match second {
                Some('b') => self.next().map(|_| '\u{8}'),
                // ClassSetReservedPunctuator.
                Some(punctuator) if "&-!#%,:;<=>@`~".contains(punctuator) => self.next(),
                _ => self.character_escape(),
            },
            '(' | ')' | '[' | ']' | '{' | '}' | '/' | '-' | '|' => Err(InvalidRegexp::BareInClass),
            character => Ok(character),
        }
    }
}
