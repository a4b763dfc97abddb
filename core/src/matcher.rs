//! Topic matchers: the expressions that select topics, in requests and in tokens.
//!
//! A matcher type is a variant of [`Matcher`]; to add one, add the variant, its constructor, its
//! part in [`Matchers::select`], and its place in the index of [`crate::streams`].

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::characters::{self, ForbiddenCharacter};
use crate::limits::MAX_MATCHER_LENGTH;

/// An expression that selects topics (draft-08, "Matcher Types").
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Matcher {
    /// `*`: every topic, whatever the matcher type.
    Every,
    /// This topic, byte by byte.
    Exact(Arc<str>),
}

/// Why a text is not a topic matcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidMatcher {
    /// It holds a character that no name may hold.
    #[error("holds {0}")]
    Character(ForbiddenCharacter),
    /// It is longer than [`MAX_MATCHER_LENGTH`].
    #[error("is longer than {MAX_MATCHER_LENGTH} bytes")]
    TooLong,
    /// It is a URI template, which this hub does not match yet.
    #[error("is a URI template, which this hub does not support yet; name exact topics, or `*`")]
    Template,
}

impl Matcher {
    /// A matcher of type `exact`.
    ///
    /// # Errors
    ///
    /// draft-08, "Subscription": control and format characters, and this hub's length limit.
    pub(crate) fn exact(text: &str) -> Result<Self, InvalidMatcher> {
        if text.len() > MAX_MATCHER_LENGTH {
            return Err(InvalidMatcher::TooLong);
        }
        characters::check(text).map_err(InvalidMatcher::Character)?;
        // draft-08, "Matcher Types": `*` is recognized before the matcher type is resolved.
        Ok(match text {
            "*" => Self::Every,
            _ => Self::Exact(text.into()),
        })
    }

    /// A topic selector of the 0.x protocol: a topic, or `*`, or a URI template.
    ///
    /// # Errors
    ///
    /// As [`Matcher::exact`], and for a template.
    pub(crate) fn selector(text: &str) -> Result<Self, InvalidMatcher> {
        if holds_expression(text) {
            return Err(InvalidMatcher::Template);
        }
        Self::exact(text)
    }
}

/// Several matchers, each once: what a subscriber asks for, or what a token grants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Matchers(BTreeSet<Matcher>);

impl Matchers {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn insert(&mut self, matcher: Matcher) {
        self.0.insert(matcher);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Matcher> {
        self.0.iter()
    }

    /// Whether any of them selects this topic; the cost does not grow with the exact ones.
    pub(crate) fn select(&self, topic: &str) -> bool {
        self.0.contains(&Matcher::Every) || self.0.contains(&Matcher::Exact(topic.into()))
    }

    /// Whether any of them selects any of these topics.
    pub(crate) fn select_any<'a>(&self, mut topics: impl Iterator<Item = &'a str>) -> bool {
        !self.is_empty() && topics.any(|topic| self.select(topic))
    }
}

impl FromIterator<Matcher> for Matchers {
    fn from_iter<I: IntoIterator<Item = Matcher>>(matchers: I) -> Self {
        Self(matchers.into_iter().collect())
    }
}

/// Whether a text holds `{…}` with something in it: an expression of RFC 6570.
fn holds_expression(text: &str) -> bool {
    text.split('{').skip(1).any(|rest| rest.find('}').is_some_and(|end| end > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matchers(texts: &[&str]) -> Matchers {
        texts.iter().map(|text| Matcher::exact(text).unwrap()).collect()
    }

    #[test]
    fn exact_compares_bytes() {
        let matchers = matchers(&["https://example.com/é", "/books/{id}"]);
        assert!(matchers.select("https://example.com/é"));
        assert!(!matchers.select("https://example.com/e\u{301}"));
        assert!(!matchers.select("https://EXAMPLE.com/é"));
        // An exact matcher is never a pattern.
        assert!(!matchers.select("/books/1"));
    }

    #[test]
    fn the_wildcard_matches_every_topic() {
        assert_eq!(Matcher::exact("*"), Ok(Matcher::Every));
        assert_eq!(Matcher::selector("*"), Ok(Matcher::Every));
        assert!(matchers(&["*"]).select("anything"));
        assert!(!matchers(&["**"]).select("anything"));
    }

    #[test]
    fn templates_are_refused_as_selectors() {
        for template in ["/books/{id}", "{+x}", "a{?x,y}b", "{{x}", "{}{id}"] {
            assert_eq!(Matcher::selector(template), Err(InvalidMatcher::Template), "{template}");
        }
        for plain in ["/books/1", "a}b{c", "{", "{}", "a{"] {
            assert!(Matcher::selector(plain).is_ok(), "{plain}");
        }
    }

    #[test]
    fn any_topic_and_any_matcher_will_do() {
        let matchers = matchers(&["a", "b", "a"]);
        assert_eq!(matchers.len(), 2);
        assert!(matchers.select_any(["x", "b"].into_iter()));
        assert!(!matchers.select_any(["x"].into_iter()));
        assert!(!Matchers::default().select_any(["x"].into_iter()));
    }
}
