//! Topic matchers: the expressions that select topics, in requests and in tokens.
//!
//! A matcher type is a variant of [`Matcher`]; to add one, add the variant, its constructor, its
//! part in [`Matchers::selects`], and its place in the index of [`crate::matching::index`].

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::limits::{
    MAX_MATCHER_LENGTH, MAX_PATTERNS_SIZE, MAX_PATTERNS_STEPS, MAX_TOKEN_PATTERNS_STEPS,
};
use crate::matching::subject::Subject;
use crate::matching::template::Template;
use crate::matching::url_pattern::{InvalidUrlPattern, UrlPattern};
use crate::terms::characters::{self, ForbiddenCharacter};
use crate::terms::hub_url::HubUrl;

/// An expression that selects topics (draft-08, "Matcher Types").
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Matcher {
    /// `*`: every topic, whatever the matcher type.
    Every,
    /// This topic, byte by byte.
    Exact(Arc<str>),
    /// Topics as URLs.
    Pattern(UrlPattern),
    /// What a template of the 0.x protocol expands to, and the topic that is spelt like it.
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
    /// It is no URL pattern, or none that this hub can match.
    #[error("{0}")]
    Pattern(InvalidUrlPattern),
    /// It would grant more than it says (see [`crate::matching::template`]).
    #[error("names a variable twice, and would grant more than it says")]
    Ambiguous,
}

impl Matcher {
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
    /// As [`Matcher::exact`], and where it is no URL pattern that can be matched in linear time.
    pub(crate) fn url_pattern(text: &str, hub: &HubUrl) -> Result<Self, InvalidMatcher> {
        check(text)?;
        match text {
            "*" => Ok(Self::Every),
            _ => UrlPattern::parse(text, hub).map(Self::Pattern).map_err(InvalidMatcher::Pattern),
        }
    }

    /// A topic selector of the 0.x protocol: `*`, a URI template, or a topic. What is no template
    /// is a topic.
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

    /// A topic selector of a token: as [`Matcher::selector`], but never one that would grant more
    /// than it says.
    ///
    /// # Errors
    ///
    /// The same, and for such a template.
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

/// What the patterns and templates of one request or token may keep and cost together. It is spent
/// as each is read, so that no more is ever compiled than may be kept.
#[derive(Debug)]
pub(crate) struct Budget {
    size: usize,
    steps: usize,
}

/// They are too large or too costly together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooCostly;

impl Budget {
    pub(crate) fn of_request() -> Self {
        Self { size: MAX_PATTERNS_SIZE, steps: MAX_PATTERNS_STEPS }
    }

    pub(crate) fn of_token() -> Self {
        Self { size: MAX_PATTERNS_SIZE, steps: MAX_TOKEN_PATTERNS_STEPS }
    }

    /// Takes off what a matcher costs.
    pub(crate) fn spend(&mut self, matcher: &Matcher) -> Result<(), TooCostly> {
        let (size, steps) = match matcher {
            Matcher::Every | Matcher::Exact(_) => return Ok(()),
            Matcher::Pattern(pattern) => (pattern.size(), pattern.steps()),
            Matcher::Template(template) => (0, template.steps()),
        };
        self.size = self.size.checked_sub(size).ok_or(TooCostly)?;
        self.steps = self.steps.checked_sub(steps).ok_or(TooCostly)?;
        Ok(())
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

    /// Whether any of them selects topics as URLs.
    pub(crate) fn have_patterns(&self) -> bool {
        self.patterns().next().is_some()
    }

    /// Adds a matcher; whether it is a new one.
    pub(crate) fn insert(&mut self, matcher: Matcher) -> bool {
        self.0.insert(matcher)
    }

    /// How many bytes they keep, about.
    pub(crate) fn size(&self) -> usize {
        let size = |matcher: &Matcher| match matcher {
            Matcher::Every => 0,
            Matcher::Exact(text) => text.len(),
            Matcher::Pattern(pattern) => pattern.size(),
            Matcher::Template(template) => template.len(),
        };
        // With their places in two indexes.
        self.0.iter().map(|matcher| 4 * size_of::<Matcher>() + size(matcher)).sum()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Matcher> {
        self.0.iter()
    }

    /// Puts, in place of each pattern, an equal one that is shared.
    pub(crate) fn share_patterns(&mut self, mut share: impl FnMut(&UrlPattern) -> UrlPattern) {
        let shared: Vec<Matcher> =
            self.patterns().map(|pattern| Matcher::Pattern(share(pattern))).collect();
        for pattern in shared {
            self.0.replace(pattern);
        }
    }

    /// Whether any of them selects one of these topics; the cost does not grow with the exact
    /// ones.
    pub(crate) fn selects(&self, subject: &Subject<'_>, index: usize, hub: &HubUrl) -> bool {
        let Some(&topic) = subject.topics().get(index) else { return false };
        self.0.contains(&Matcher::Every)
            || self.0.contains(&Matcher::Exact(topic.into()))
            || self.templates().any(|template| subject.is_selected_by(template, index))
            || self.select_as_url(subject, index, hub)
    }

    fn select_as_url(&self, subject: &Subject<'_>, index: usize, hub: &HubUrl) -> bool {
        let mut patterns = self.patterns().peekable();
        if patterns.peek().is_none() {
            return false;
        }
        match subject.resolved(hub).get(index) {
            Some(Some(topic)) => patterns.any(|pattern| pattern.matches(topic)),
            _ => false,
        }
    }

    /// Whether any of them selects any of these topics.
    pub(crate) fn select_any(&self, subject: &Subject<'_>, hub: &HubUrl) -> bool {
        !self.is_empty()
            && (0..subject.topics().len()).any(|index| self.selects(subject, index, hub))
    }

    // Both come after all others, in the order of the variants.

    fn templates(&self) -> impl Iterator<Item = &Template> {
        self.0.iter().rev().map_while(|matcher| match matcher {
            Matcher::Template(template) => Some(template),
            _ => None,
        })
    }

    fn patterns(&self) -> impl Iterator<Item = &UrlPattern> {
        let last = self.0.iter().rev();
        last.skip_while(|matcher| matches!(matcher, Matcher::Template(_))).map_while(|matcher| {
            match matcher {
                Matcher::Pattern(pattern) => Some(pattern),
                _ => None,
            }
        })
    }
}

impl FromIterator<Matcher> for Matchers {
    fn from_iter<I: IntoIterator<Item = Matcher>>(matchers: I) -> Self {
        Self(matchers.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hub() -> HubUrl {
        HubUrl::parse("https://hub.example/.well-known/mercure").unwrap()
    }

    fn select(matchers: &Matchers, topic: &str) -> bool {
        matchers.select_any(&Subject::new([topic].into_iter()), &hub())
    }

    fn exact(texts: &[&str]) -> Matchers {
        texts.iter().map(|text| Matcher::exact(text).unwrap()).collect()
    }

    #[test]
    fn exact_compares_bytes() {
        let matchers = exact(&["https://example.com/é", "/books/{id}"]);
        assert!(select(&matchers, "https://example.com/é"));
        assert!(!select(&matchers, "https://example.com/e\u{301}"));
        assert!(!select(&matchers, "https://EXAMPLE.com/é"));
        // An exact matcher is never a pattern.
        assert!(!select(&matchers, "/books/1"));
    }

    #[test]
    fn the_wildcard_matches_every_topic() {
        assert_eq!(Matcher::exact("*"), Ok(Matcher::Every));
        assert_eq!(Matcher::selector("*"), Ok(Matcher::Every));
        assert_eq!(Matcher::url_pattern("*", &hub()), Ok(Matcher::Every));
        assert!(select(&exact(&["*"]), "anything"));
        assert!(!select(&exact(&["**"]), "anything"));
    }

    #[test]
    fn a_selector_is_a_template_and_the_topic_that_is_spelt_like_it() {
        let matchers: Matchers = [Matcher::selector("/books/{id}").unwrap()].into_iter().collect();
        assert!(select(&matchers, "/books/1"));
        assert!(select(&matchers, "/books/{id}"));
        assert!(!select(&matchers, "/books/1/pages"));
        // What is no template is a topic.
        for plain in ["/books/1", "a}b{c", "{", "{}", "a{", "App\\{id}"] {
            assert_eq!(Matcher::selector(plain), Ok(Matcher::Exact(plain.into())), "{plain}");
        }
    }

    #[test]
    fn a_grant_says_what_it_grants() {
        let twice = "/users/{id}/inbox/{id}";
        assert!(Matcher::selector(twice).is_ok());
        assert_eq!(Matcher::granting_selector(twice), Err(InvalidMatcher::Ambiguous));
        assert!(Matcher::granting_selector("/users/{id}/inbox/{mail}").is_ok());
    }

    #[test]
    fn patterns_are_relative_to_the_hub() {
        let pattern = Matcher::url_pattern("/books/:id", &hub()).unwrap();
        let matchers: Matchers = [pattern, Matcher::exact("x").unwrap()].into_iter().collect();
        assert!(select(&matchers, "https://hub.example/books/1"));
        assert!(select(&matchers, "/books/1"));
        assert!(select(&matchers, "x"));
        assert!(!select(&matchers, "https://example.com/books/1"));
        assert!(!select(&matchers, "http://["));
        assert!(matches!(
            Matcher::url_pattern("/books/(?<=a)b", &hub()),
            Err(InvalidMatcher::Pattern(_))
        ));
    }

    /// Whether patterns fit the budget of one request.
    fn affordable(patterns: impl Iterator<Item = String>) -> bool {
        let mut budget = Budget::of_request();
        patterns
            .map(|text| Matcher::url_pattern(&text, &hub()).unwrap())
            .all(|matcher| budget.spend(&matcher).is_ok())
    }

    #[test]
    fn patterns_of_one_request_are_bounded_together() {
        let costly = |number: usize| format!("/{number}/(a?a?a?a?a?a?a?a?)");
        assert!(affordable((0..10).map(costly)));
        assert!(!affordable((0..1_000).map(costly)));
        let large = |number: usize| format!("/{number}(.{{4000}})");
        assert!(!affordable((0..20).map(large)));
    }

    #[test]
    fn templates_of_one_request_are_bounded_together() {
        let affordable = |template: &str| {
            let mut budget = Budget::of_request();
            (0..300)
                .map(|number| Matcher::selector(&format!("/{number}{template}")).unwrap())
                .all(|matcher| budget.spend(&matcher).is_ok())
        };
        assert!(affordable("/{collection}/{id}{._format}{?page,size,order}"));
        assert!(affordable("{/path*}{?page}"));
        assert!(!affordable("{/a*}{/b*}{/c*}"));
        assert!(!affordable("{a,b,c,d,e,f,g}"));
    }

    #[test]
    fn what_clients_send_is_affordable() {
        // As many as a request may have.
        assert!(affordable(
            (0..300).map(|n| format!("https://example.com/{n}/users/:id/books/:book"))
        ));
        assert!(affordable((0..300).map(|n| format!("https://example.com/{n}/:id(\\d+)/*"))));
        // Presence, as Laravel Echo follows it.
        assert!(affordable((0..100).map(|n| format!(
            "/.well-known/mercure/subscriptions/:match_type/https%3A%2F%2Flaravel.alt%2Fecho%2Fchannel%2Fpresence-room.{n}/:subscriber"
        ))));
    }

    #[test]
    fn any_topic_and_any_matcher_will_do() {
        let matchers = exact(&["a", "b", "a"]);
        assert_eq!(matchers.len(), 2);
        assert!(matchers.select_any(&Subject::new(["x", "b"].into_iter()), &hub()));
        assert!(!select(&matchers, "x"));
        assert!(!select(&Matchers::default(), "x"));
    }
}
