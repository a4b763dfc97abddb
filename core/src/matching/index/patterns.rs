//! Which patterns select a topic, found without trying each.
//!
//! A tree over the fixed parts of patterns: the scheme, the hostname, each segment of the path.
//!
//! ```text
//! https ── example.com ── "" ── books ── "…"   https://example.com/books/:id
//!                          │      └───── 1     https://example.com/books/1
//!                          └──── user-…        https://example.com/user-:id/*
//! ```
//!
//! A topic descends by its own parts, at each to the whole part and to each of its beginnings, and
//! so reaches the patterns that agree with it in every fixed part. Only these are matched; however
//! many others there are, they cost nothing. Patterns that differ only in what is not fixed (the
//! end of a segment, a query, the beginning of a hostname) are reached together.

use std::collections::{BTreeMap, BTreeSet};

use crate::matching::effort::{Effort, LOOK_EFFORT, REACH_EFFORT};
use crate::matching::index::beginnings::Beginnings;
use crate::matching::url_pattern::{Fixed, ParsedTopic, UrlPattern};

/// Streams, or whatever `Id` identifies, by their patterns.
#[derive(Debug)]
pub(crate) struct PatternIndex<Id> {
    root: Place<Id>,
}

/// A place in the tree.
#[derive(Debug)]
struct Place<Id> {
    whole: BTreeMap<Box<str>, Self>,
    beginning: Beginnings<Self>,
    /// Patterns whose topics have no further parts.
    complete: BTreeMap<UrlPattern, BTreeSet<Id>>,
    /// Patterns whose topics may have further parts.
    open: BTreeMap<UrlPattern, BTreeSet<Id>>,
}

// Deriving it would require `Id: Default`.
impl<Id> Default for Place<Id> {
    fn default() -> Self {
        Self {
            whole: BTreeMap::new(),
            beginning: Beginnings::default(),
            complete: BTreeMap::new(),
            open: BTreeMap::new(),
        }
    }
}

impl<Id> Default for PatternIndex<Id> {
    fn default() -> Self {
        Self { root: Place::default() }
    }
}

impl<Id: Copy + Ord> PatternIndex<Id> {
    /// Gives `id` a pattern. Returns the one that is held here: those who keep it instead of their
    /// own share it.
    pub(crate) fn insert(&mut self, pattern: &UrlPattern, id: Id) -> UrlPattern {
        let place = pattern.fixed().parts.iter().fold(&mut self.root, |place, part| match part {
            Fixed::Whole(text) => place.whole.entry(text.clone()).or_default(),
            Fixed::Beginning(text) => place.beginning.entry(text),
        });
        let patterns = place.patterns(pattern.fixed().complete);
        let held = patterns.get_key_value(pattern).map_or(pattern, |(held, _)| held).clone();
        patterns.entry(held.clone()).or_default().insert(id);
        held
    }

    /// Takes a pattern from `id`.
    pub(crate) fn remove(&mut self, pattern: &UrlPattern, id: Id) {
        self.root.remove(&pattern.fixed().parts, pattern, id);
    }

    /// Whether no pattern is held.
    pub(crate) fn is_empty(&self) -> bool {
        self.root.is_empty()
    }

    /// The patterns that agree with a topic in all their fixed parts, each with who has it. Counts
    /// what finding them takes.
    pub(crate) fn candidates<'a>(
        &'a self,
        topic: &ParsedTopic,
        effort: &Effort,
    ) -> Vec<(&'a UrlPattern, &'a BTreeSet<Id>)> {
        let mut candidates = Vec::new();
        let mut places = vec![&self.root];
        for part in topic.parts() {
            // Fixed parts end here, and any others may follow.
            candidates.extend(places.iter().flat_map(|place| &place.open));
            effort.spend(places.len() * LOOK_EFFORT);
            places = places.iter().flat_map(|place| place.next(part, effort)).collect();
            if places.is_empty() {
                break;
            }
        }
        candidates.extend(places.iter().flat_map(|place| place.open.iter().chain(&place.complete)));
        effort.spend(candidates.len() * REACH_EFFORT);
        candidates
    }
}

impl<Id: Copy + Ord> Place<Id> {
    /// Where a topic with this part continues.
    fn next(&self, part: &str, effort: &Effort) -> impl Iterator<Item = &Self> {
        self.whole.get(part).into_iter().chain(self.beginning.of(part, effort))
    }

    fn remove(&mut self, parts: &[Fixed], pattern: &UrlPattern, id: Id) {
        let Some((part, rest)) = parts.split_first() else {
            let patterns = self.patterns(pattern.fixed().complete);
            if let Some(ids) = patterns.get_mut(pattern) {
                ids.remove(&id);
                if ids.is_empty() {
                    patterns.remove(pattern);
                }
            }
            return;
        };
        let place = match part {
            Fixed::Whole(text) => self.whole.get_mut(text),
            Fixed::Beginning(text) => self.beginning.get_mut(text),
        };
        let Some(place) = place else { return };
        place.remove(rest, pattern, id);
        if place.is_empty() {
            match part {
                Fixed::Whole(text) => _ = self.whole.remove(text),
                Fixed::Beginning(text) => self.beginning.remove(text),
            }
        }
    }

    fn patterns(&mut self, complete: bool) -> &mut BTreeMap<UrlPattern, BTreeSet<Id>> {
        if complete { &mut self.complete } else { &mut self.open }
    }

    fn is_empty(&self) -> bool {
        self.whole.is_empty()
            && self.beginning.is_empty()
            && self.complete.is_empty()
            && self.open.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::terms::hub_url::HubUrl;

    fn hub() -> HubUrl {
        HubUrl::parse("https://hub.example.com/.well-known/mercure").unwrap()
    }

    fn pattern(text: &str) -> UrlPattern {
        UrlPattern::parse(text, &hub()).unwrap()
    }

    fn topic(text: &str) -> ParsedTopic {
        ParsedTopic::new(text, &hub()).unwrap()
    }

    fn selected(index: &PatternIndex<u32>, text: &str) -> Vec<u32> {
        let topic = topic(text);
        let candidates = index.candidates(&topic, &Effort::default()).into_iter();
        let mut ids: Vec<u32> = candidates
            .filter(|(pattern, _)| pattern.matches(&topic))
            .flat_map(|(_, ids)| ids)
            .copied()
            .collect();
        ids.sort_unstable();
        ids
    }

    #[test]
    fn those_that_match_are_selected() {
        let mut index = PatternIndex::default();
        let patterns = [
            "https://example.com/books/:id",
            "https://example.com/books/1",
            "https://example.com/books/*",
            "https://example.com/books{/:id}?",
            "https://example.com/bo:rest/:id",
            "https://*.com/books/:id",
            "http{s}?://example.com/books/:id",
            "*://*/*",
            "/books/:id",
            "https://example.com/:a/1",
        ];
        for (id, text) in (0..).zip(patterns) {
            index.insert(&pattern(text), id);
        }
        assert_eq!(selected(&index, "https://example.com/books/1"), [0, 1, 2, 3, 4, 5, 6, 7, 9]);
        assert_eq!(selected(&index, "https://example.com/books"), [3, 7]);
        assert_eq!(selected(&index, "/books/1"), [5, 7, 8]);
        assert!(selected(&index, "urn:x").is_empty());
        for (id, text) in (0..).zip(patterns) {
            index.remove(&pattern(text), id);
        }
        assert!(index.is_empty());
    }

    #[test]
    fn what_has_nothing_to_do_with_a_topic_is_not_asked() {
        let mut index = PatternIndex::default();
        for id in 0..2_000 {
            let room = format!("presence-room.{id}");
            for text in [
                format!("/.well-known/mercure/subscriptions/:match_type/{room}/:subscriber"),
                format!("https://example.com/users/{id}/*"),
                format!("https://example.com/room-{id}-:part/:x"),
                format!("https://tenant{id}.example.com/:collection/:id"),
                format!("urn\\:room\\:{id}\\::x"),
            ] {
                index.insert(&pattern(&text), id);
            }
        }
        for text in [
            "/.well-known/mercure/subscriptions/exact/presence-room.7/urn%3Auuid%3A1",
            "https://example.com/users/7/books",
            "https://example.com/room-7-a/1",
            "https://tenant7.example.com/books/1",
            "urn:room:7:a",
        ] {
            let effort = Effort::default();
            assert_eq!(index.candidates(&topic(text), &effort).len(), 1, "{text}");
            assert_eq!(selected(&index, text), [7], "{text}");
        }
    }

    #[test]
    fn the_same_pattern_is_held_once() {
        let mut index = PatternIndex::default();
        let held = index.insert(&pattern("/books/:id"), 1);
        let again = index.insert(&pattern("/books/:id"), 2);
        assert!(held.is_same(&again));
        assert_eq!(selected(&index, "/books/1"), [1, 2]);
        index.remove(&again, 1);
        assert_eq!(selected(&index, "/books/1"), [2]);
    }

    #[test]
    fn a_path_of_any_depth_is_held() {
        let mut index = PatternIndex::default();
        let deep = "/a".repeat(2_000);
        index.insert(&pattern(&deep), 1);
        assert_eq!(selected(&index, &deep), [1]);
        assert!(selected(&index, &deep[2..]).is_empty());
    }

    proptest! {
        /// The index selects what trying every pattern selects.
        #[test]
        fn none_is_missed(
            patterns in prop::collection::vec(
                "(https?://|http\\{s\\}\\?://|\\*://|)(a|b\\.a|\\*\\.a|:h)?((/|\\{/)(a|b|ab|:x|:x?|a:x|:x-a|a\\*|\\*|\\(a\\+\\)|\\(\\.\\)|)(\\}[?+*]|)){0,4}",
                0..12,
            ),
            topics in prop::collection::vec("(https?://(a|b\\.a|c\\.a))?(/(a|b|ab|b-a|aa|)){0,5}", 12),
        ) {
            let patterns: Vec<UrlPattern> =
                patterns.iter().filter_map(|text| UrlPattern::parse(text, &hub()).ok()).collect();
            let mut index = PatternIndex::default();
            for (id, pattern) in (0..).zip(&patterns) {
                index.insert(pattern, id);
            }
            for text in topics {
                // `//` is not a URL reference.
                let Some(topic) = ParsedTopic::new(&text, &hub()) else { continue };
                let asked: Vec<u32> =
                    (0..).zip(&patterns).filter(|(_, p)| p.matches(&topic)).map(|(id, _)| id).collect();
                prop_assert_eq!(selected(&index, &text), asked, "{} {:?}", text, patterns);
            }
            for (id, pattern) in (0..).zip(&patterns) {
                index.remove(pattern, id);
            }
            prop_assert!(index.is_empty());
        }
    }
}
