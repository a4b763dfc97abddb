//! Topic matchers: the expressions that select topics, in requests and in tokens.
//!
//! A matcher type is a variant of [`Matcher`]. To add one, add the variant, its constructor, its
//! part in [`Matchers::selects`](super::matchers::Matchers::selects), its [`cost`](Matcher::cost)
//! and its size in [`Budget`](super::budget::Budget), and its place in [`crate::matching::index`];
//! then its parameter in `admission/subscription.rs` and its `match_type` in
//! `authorization/grant.rs`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::limits::MAX_MATCHER_LENGTH;
use crate::matching::template::Template;
use crate::matching::url_pattern::{InvalidUrlPattern, UrlPattern};
use crate::terms::characters::{self, ForbiddenCharacter};
use crate::terms::hub_url::HubUrl;

/// An expression that selects topics (draft-08, "Matcher Types"). Patterns, then templates, stay
/// last: [`Matchers`](super::matchers::Matchers) finds them by their order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Matcher {
    /// `*`: every topic, whatever the matcher type.
    Every,
    /// This topic, byte by byte.
    Exact(Arc<str>),
    /// Topics as URLs.
    Pattern(UrlPattern),
    /// What a template of the 0.x protocol expands to, and the topic that is spelt the same.
    Template(Template),
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
    /// It is not a URL pattern, or not one that this hub can match.
    #[error("{0}")]
    Pattern(InvalidUrlPattern),
    /// It would grant more than it says (see [`crate::matching::template`]).
    #[error("names a variable twice, and would grant more than it says")]
    Ambiguous,
}

impl Matcher {
    /// Roughly what it takes for each character of a topic, beyond one look at it; `None` if it is
    /// looked up rather than tried.
    pub(crate) fn cost(&self) -> Option<usize> {
        match self {
            Self::Every | Self::Exact(_) => None,
            Self::Pattern(pattern) => Some(pattern.cost()),
            Self::Template(template) => Some(template.cost()),
        }
    }

    /// A matcher of type `exact`.
    ///
    /// # Errors
    ///
    /// draft-08, "Subscription": control and format characters, and this hub's length limit.
    pub(crate) fn exact(text: &str) -> Result<Self, InvalidMatcher> {
        check(text)?;
        // draft-08, "Matcher Types": `*` is recognized before the matcher type is resolved.
        Ok(if text == "*" { Self::Every } else { Self::Exact(text.into()) })
    }

    /// A matcher of type `urlpattern`.
    ///
    /// # Errors
    ///
    /// As [`Matcher::exact`], and for anything but a URL pattern that can be matched in linear
    /// time.
    pub(crate) fn url_pattern(text: &str, hub: &HubUrl) -> Result<Self, InvalidMatcher> {
        check(text)?;
        match text {
            "*" => Ok(Self::Every),
            _ => UrlPattern::parse(text, hub).map(Self::Pattern).map_err(InvalidMatcher::Pattern),
        }
    }

    /// A topic selector of the 0.x protocol: `*`, a URI template, or a topic. Anything that is not
    /// a template is a topic.
    ///
    /// # Errors
    ///
    /// As [`Matcher::exact`].
    pub(crate) fn selector(text: &str) -> Result<Self, InvalidMatcher> {
        check(text)?;
        match Template::parse(text) {
            Ok(template) if text.contains('{') => Ok(Self::Template(template)),
            _ => Self::exact(text),
        }
    }

    /// A topic selector in a token: as [`Matcher::selector`], but never one that would grant more
    /// than it says.
    ///
    /// # Errors
    ///
    /// As [`Matcher::selector`], and for such a template.
    pub(crate) fn granting_selector(text: &str) -> Result<Self, InvalidMatcher> {
        match Self::selector(text)? {
            Self::Template(template) if template.names_a_variable_twice() => {
                Err(InvalidMatcher::Ambiguous)
            }
            matcher => Ok(matcher),
        }
    }
}

fn check(text: &str) -> Result<(), InvalidMatcher> {
    if text.len() > MAX_MATCHER_LENGTH {
        return Err(InvalidMatcher::TooLong);
    }
    characters::check(text).map_err(InvalidMatcher::Character)
}
