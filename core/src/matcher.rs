//! Topic matchers: the expressions that select topics, in requests and in tokens.
//!
//! A matcher type is a variant of [`Matcher`]; to add one, add the variant, its constructor, its
//! arm in [`Matcher::matches`], and its place in the index of [`crate::streams`].

use serde::{Deserialize, Serialize};

use crate::characters::{self, ForbiddenCharacter};
use crate::limits::MAX_MATCHER_LENGTH;
use crate::topic::Topic;

/// An expression that selects topics (draft-08, "Matcher Types").
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Matcher {
    /// `*`: every topic, whatever the matcher type.
    Every,
    /// This topic, byte by byte.
    Exact(Box<str>),
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

    /// Whether this topic is selected.
    pub(crate) fn matches(&self, topic: &Topic) -> bool {
        match self {
            Self::Every => true,
            Self::Exact(text) => **text == *topic.as_str(),
        }
    }
}

/// Whether any of these matchers selects any of these topics.
pub(crate) fn any_matches(matchers: &[Matcher], topics: &[Topic]) -> bool {
    topics.iter().any(|topic| matchers.iter().any(|matcher| matcher.matches(topic)))
}

/// Whether a text holds `{…}` with something in it: an expression of RFC 6570.
fn holds_expression(text: &str) -> bool {
    text.split('{').skip(1).any(|rest| rest.find('}').is_some_and(|end| end > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(text: &str) -> Topic {
        Topic::restored(text)
    }

    #[test]
    fn exact_compares_bytes() {
        let matcher = Matcher::exact("https://example.com/é").unwrap();
        assert!(matcher.matches(&topic("https://example.com/é")));
        assert!(!matcher.matches(&topic("https://example.com/e\u{301}")));
        assert!(!matcher.matches(&topic("https://EXAMPLE.com/é")));
        // An exact matcher is never a pattern.
        assert!(!Matcher::exact("/books/{id}").unwrap().matches(&topic("/books/1")));
    }

    #[test]
    fn the_wildcard_matches_every_topic() {
        assert_eq!(Matcher::exact("*"), Ok(Matcher::Every));
        assert_eq!(Matcher::selector("*"), Ok(Matcher::Every));
        assert!(Matcher::Every.matches(&topic("anything")));
        assert_eq!(Matcher::exact("**"), Ok(Matcher::Exact("**".into())));
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
        let matchers = [Matcher::exact("a").unwrap(), Matcher::exact("b").unwrap()];
        assert!(any_matches(&matchers, &[topic("x"), topic("b")]));
        assert!(!any_matches(&matchers, &[topic("x")]));
        assert!(!any_matches(&[], &[topic("x")]));
    }
}
