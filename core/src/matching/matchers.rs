//! Several topic matchers together.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::matching::effort::LOOK_EFFORT;
use crate::matching::matcher::Matcher;
use crate::matching::subject::Subject;
use crate::matching::template::Template;
use crate::matching::url_pattern::UrlPattern;
use crate::terms::hub_url::HubUrl;

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

    /// The most that any of them costs, if one has to be tried.
    pub(crate) fn costliest(&self) -> Option<usize> {
        self.0.iter().filter_map(Matcher::cost).max()
    }

    /// Adds a matcher. Returns whether it is new.
    pub(crate) fn insert(&mut self, matcher: Matcher) -> bool {
        self.0.insert(matcher)
    }

    /// Roughly how many bytes they keep.
    pub(crate) fn size(&self) -> usize {
        let size = |matcher: &Matcher| match matcher {
            Matcher::Every => 0,
            Matcher::Exact(text) => text.len(),
            Matcher::Pattern(pattern) => pattern.size(),
            Matcher::Template(template) => template.len(),
        };
        // Including their places in two indexes.
        self.0.iter().map(|matcher| 4 * size_of::<Matcher>() + size(matcher)).sum()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Matcher> {
        self.0.iter()
    }

    /// Replaces each pattern by an equal one that is shared.
    pub(crate) fn share_patterns(&mut self, mut share: impl FnMut(&UrlPattern) -> UrlPattern) {
        let shared: Vec<Matcher> =
            self.patterns().map(|pattern| Matcher::Pattern(share(pattern))).collect();
        for pattern in shared {
            self.0.replace(pattern);
        }
    }

    /// Whether any of them selects the topic at `index`; the cost does not grow with the number of
    /// exact ones.
    pub(crate) fn selects(&self, subject: &Subject<'_>, index: usize, hub: &HubUrl) -> bool {
        let Some(&topic) = subject.topics().get(index) else { return false };
        subject.effort().spend(LOOK_EFFORT);
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
            Some(Some(topic)) => patterns.any(|pattern| pattern.selects(topic, subject.effort())),
            _ => false,
        }
    }

    /// Whether any of them selects any of these topics.
    pub(crate) fn select_any(&self, subject: &Subject<'_>, hub: &HubUrl) -> bool {
        !self.is_empty()
            && (0..subject.topics().len()).any(|index| self.selects(subject, index, hub))
    }

    // Patterns, then templates, come last in the order of the variants.

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
    use crate::matching::matcher::InvalidMatcher;

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
        // Anything that is not a template is a topic.
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

    #[test]
    fn any_topic_and_any_matcher_will_do() {
        let matchers = exact(&["a", "b", "a"]);
        assert_eq!(matchers.len(), 2);
        assert!(matchers.select_any(&Subject::new(["x", "b"].into_iter()), &hub()));
        assert!(!select(&matchers, "x"));
        assert!(!select(&Matchers::default(), "x"));
    }
}
