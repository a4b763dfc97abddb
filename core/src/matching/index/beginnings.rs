//! Which of many texts a text begins with, found without trying each.
//!
//! In sorted order, the beginnings of a text come before it. So the search goes backwards from
//! where the text itself would be. At a text that is not a beginning, it continues from what the
//! two have in common, since no beginning lies between:
//!
//! ```text
//! ""         ◀─ 4. a beginning, and the last one
//! "/"        ◀─ 3. a beginning
//! "/a"
//! "/a/b"     ◀─ 2. not one; "/" is in common
//! "/books/"  ◀─ 1. a beginning
//!               ("/books/1" would be here)
//! "/books/2"
//! ```
//!
//! Each step shortens what is looked for, so there are at most twice as many steps as the text has
//! bytes, however many texts there are.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::matching::effort::{Effort, LOOK_EFFORT};

/// Values by the beginnings of texts.
#[derive(Debug)]
pub(crate) struct Beginnings<V>(BTreeMap<Box<str>, V>);

// Deriving it would require `V: Default`.
impl<V> Default for Beginnings<V> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<V> Beginnings<V> {
    /// Whether there are no beginnings.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a beginning, which is added if it is new.
    pub(crate) fn entry(&mut self, beginning: &str) -> &mut V
    where
        V: Default,
    {
        self.0.entry(beginning.into()).or_default()
    }

    /// The value of a beginning.
    pub(crate) fn get_mut(&mut self, beginning: &str) -> Option<&mut V> {
        self.0.get_mut(beginning)
    }

    /// Removes a beginning.
    pub(crate) fn remove(&mut self, beginning: &str) {
        self.0.remove(beginning);
    }

    /// The values of all beginnings of a text, the longest first. Counts what finding them takes.
    pub(crate) fn of(&self, text: &str, effort: &Effort) -> impl Iterator<Item = &V> {
        let mut end = Bound::Included(text);
        std::iter::from_fn(move || {
            loop {
                let (found, value) = self.0.range::<str, _>((Bound::Unbounded, end)).next_back()?;
                effort.spend(LOOK_EFFORT);
                // No beginning lies between what they have in common and a text that is not one.
                let common = &text[..text.floor_char_boundary(common(found, text))];
                if common.len() == found.len() {
                    end = Bound::Excluded(common);
                    return Some(value);
                }
                end = Bound::Included(common);
            }
        })
    }
}

/// How many bytes two texts have in common at the start.
fn common(one: &str, other: &str) -> usize {
    one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(texts: &[&str], text: &str) -> Vec<String> {
        let mut beginnings = Beginnings::default();
        for text in texts {
            *beginnings.entry(text) = (*text).to_owned();
        }
        beginnings.of(text, &Effort::default()).cloned().collect()
    }

    #[test]
    fn the_longest_comes_first() {
        let texts = ["", "/", "/authors/", "/books/", "/books/1", "/books/2", "/c"];
        assert_eq!(of(&texts, "/books/1"), ["/books/1", "/books/", "/", ""]);
        assert_eq!(of(&texts, "/books/19"), ["/books/1", "/books/", "/", ""]);
        assert_eq!(of(&texts, "/books"), ["/", ""]);
        assert_eq!(of(&texts[1..], ""), Vec::<String>::new());
    }

    #[test]
    fn characters_are_whole() {
        // `è` and `é` begin with the same byte.
        assert_eq!(of(&["", "/caf", "/cafè"], "/café"), ["/caf", ""]);
    }

    #[test]
    fn what_was_taken_away_is_gone() {
        let mut beginnings = Beginnings::default();
        *beginnings.entry("a") = 1;
        *beginnings.get_mut("a").unwrap() += 1;
        assert_eq!(beginnings.of("ab", &Effort::default()).collect::<Vec<_>>(), [&2]);
        beginnings.remove("a");
        assert!(beginnings.is_empty() && beginnings.get_mut("a").is_none());
    }

    proptest! {
        /// The same as trying each.
        #[test]
        fn none_is_missed(
            texts in prop::collection::btree_set("[abéè]{0,4}", 0..24),
            text in "[abéè]{0,5}",
        ) {
            let all: Vec<&str> = texts.iter().map(String::as_str).collect();
            let mut asked: Vec<&str> =
                all.iter().copied().filter(|beginning| text.starts_with(beginning)).collect();
            asked.reverse();
            prop_assert_eq!(of(&all, &text), asked);
        }
    }
}
