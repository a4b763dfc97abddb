//! Which streams want an update.
//!
//! An index from matchers to streams, so that choosing the streams for an update costs what the
//! matching ones cost, however many others there are.

mod beginnings;
mod patterns;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::matching::index::beginnings::Beginnings;
use crate::matching::index::patterns::PatternIndex;
use crate::matching::matcher::{Matcher, Matchers};
use crate::matching::subject::Subject;
use crate::matching::template::Template;
use crate::terms::hub_url::HubUrl;

/// The name of a stream: chosen by the shell, never used twice in the life of a holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamId(u64);

impl StreamId {
    /// The stream of this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// Streams by what they match.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    every: BTreeSet<StreamId>,
    exact: BTreeMap<Arc<str>, BTreeSet<StreamId>>,
    /// By the hub's URL, against which topics are resolved: one, as a rule.
    patterns: BTreeMap<HubUrl, PatternIndex<StreamId>>,
    /// By what every topic that a template selects begins with.
    templates: Beginnings<BTreeMap<Template, BTreeSet<StreamId>>>,
}

impl Streams {
    /// Gives a stream its matchers; patterns that another has as well come to be shared.
    pub(crate) fn insert(&mut self, stream: StreamId, matchers: &mut Matchers, hub: &HubUrl) {
        for matcher in matchers.iter() {
            match matcher {
                Matcher::Every => self.every.insert(stream),
                Matcher::Exact(topic) => {
                    self.exact.entry(Arc::clone(topic)).or_default().insert(stream)
                }
                Matcher::Template(template) => {
                    let templates = self.templates.entry(template.prefix());
                    templates.entry(template.clone()).or_default().insert(stream)
                }
                Matcher::Pattern(_) => continue,
            };
        }
        matchers.share_patterns(|pattern| {
            self.patterns.entry(hub.clone()).or_default().insert(pattern, stream)
        });
    }

    pub(crate) fn remove(&mut self, stream: StreamId, matchers: &Matchers, hub: &HubUrl) {
        for matcher in matchers.iter() {
            match matcher {
                Matcher::Every => {
                    self.every.remove(&stream);
                }
                Matcher::Exact(topic) => remove_from(&mut self.exact, topic, stream),
                Matcher::Template(template) => {
                    if let Some(templates) = self.templates.get_mut(template.prefix()) {
                        remove_from(templates, template, stream);
                        if templates.is_empty() {
                            self.templates.remove(template.prefix());
                        }
                    }
                }
                Matcher::Pattern(pattern) => {
                    if let Some(index) = self.patterns.get_mut(hub) {
                        index.remove(pattern, stream);
                        if index.is_empty() {
                            self.patterns.remove(hub);
                        }
                    }
                }
            }
        }
    }

    /// The streams with a matcher for any of these topics, each once.
    pub(crate) fn select(&self, subject: &Subject<'_>) -> Vec<StreamId> {
        let mut selected: Vec<StreamId> = self.every.iter().copied().collect();
        for (index, topic) in subject.topics().iter().enumerate() {
            selected.extend(self.exact.get(*topic).into_iter().flatten());
            let templates = self.candidates(topic);
            let templates =
                templates.filter(|(template, _)| subject.is_selected_by(template, index));
            selected.extend(templates.flat_map(|(_, streams)| streams));
        }
        for (hub, index) in &self.patterns {
            for topic in subject.resolved(hub).iter().flatten() {
                selected.extend(index.select(topic));
            }
        }
        selected.sort_unstable();
        selected.dedup();
        selected
    }

    /// The templates that agree with a topic up to their first expression.
    fn candidates(&self, topic: &str) -> impl Iterator<Item = (&Template, &BTreeSet<StreamId>)> {
        self.templates.of(topic).flatten()
    }
}

fn remove_from<K: Ord + std::borrow::Borrow<Q>, Q: Ord + ?Sized>(
    index: &mut BTreeMap<K, BTreeSet<StreamId>>,
    key: &Q,
    stream: StreamId,
) {
    if let Some(streams) = index.get_mut(key) {
        streams.remove(&stream);
        if streams.is_empty() {
            index.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hub() -> HubUrl {
        HubUrl::parse("https://hub.example/.well-known/mercure").unwrap()
    }

    fn matchers() -> Matchers {
        let exact = ["a", "b"].map(|topic| Matcher::exact(topic).unwrap());
        let others = [
            Matcher::url_pattern("https://example.com/:id", &hub()).unwrap(),
            Matcher::selector("/books/{id}").unwrap(),
        ];
        exact.into_iter().chain(others).collect()
    }

    fn select(streams: &Streams, topics: &[&str]) -> Vec<u64> {
        let selected = streams.select(&Subject::new(topics.iter().copied()));
        selected.into_iter().map(StreamId::get).collect()
    }

    #[test]
    fn each_matching_stream_once() {
        let mut streams = Streams::default();
        streams.insert(StreamId::new(1), &mut matchers(), &hub());
        let mut every = [Matcher::Every, Matcher::exact("a").unwrap()].into_iter().collect();
        streams.insert(StreamId::new(2), &mut every, &hub());
        let mut other = [Matcher::exact("c").unwrap()].into_iter().collect();
        streams.insert(StreamId::new(3), &mut other, &hub());
        assert_eq!(select(&streams, &["a", "b"]), [1, 2]);
        assert_eq!(select(&streams, &["https://example.com/1"]), [1, 2]);
        assert_eq!(select(&streams, &["/books/1"]), [1, 2]);
        assert_eq!(select(&streams, &["x"]), [2]);
    }

    #[test]
    fn templates_that_begin_otherwise_are_not_asked() {
        let mut streams = Streams::default();
        for number in 0..2_000 {
            let template = Matcher::selector(&format!("/users/{number}/{{+rest}}")).unwrap();
            let mut matchers = [template].into_iter().collect();
            streams.insert(StreamId::new(number), &mut matchers, &hub());
        }
        let asked: Vec<String> = streams
            .candidates("/users/7/books")
            .map(|(template, _)| format!("{template:?}"))
            .collect();
        assert_eq!(asked, [r#"Template("/users/7/{+rest}")"#]);
        assert_eq!(select(&streams, &["/users/7/books", "/users/1999/"]), [7, 1999]);
        assert!(select(&streams, &["/users/70000/books", "/users/"]).is_empty());
    }

    #[test]
    fn equal_patterns_are_shared() {
        let mut streams = Streams::default();
        let (mut one, mut other) = (matchers(), matchers());
        streams.insert(StreamId::new(1), &mut one, &hub());
        streams.insert(StreamId::new(2), &mut other, &hub());
        let pattern = |matchers: &Matchers| {
            matchers.iter().find_map(|matcher| match matcher {
                Matcher::Pattern(pattern) => Some(pattern.clone()),
                _ => None,
            })
        };
        assert!(pattern(&one).unwrap().is_same(&pattern(&other).unwrap()));
    }

    #[test]
    fn nothing_is_left_of_a_stream_that_went() {
        let mut streams = Streams::default();
        let mut matchers = matchers();
        matchers.insert(Matcher::Every);
        streams.insert(StreamId::new(1), &mut matchers, &hub());
        streams.remove(StreamId::new(1), &matchers, &hub());
        assert!(streams.every.is_empty() && streams.exact.is_empty());
        assert!(streams.patterns.is_empty() && streams.templates.is_empty());
    }
}
