//! Which streams want an update.
//!
//! An index from matchers to streams, so that choosing the streams for an update costs what the
//! matching ones cost, however many others there are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::matcher::{Matcher, Matchers};
use crate::topic::Topic;

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
}

impl Streams {
    pub(crate) fn insert(&mut self, stream: StreamId, matchers: &Matchers) {
        for matcher in matchers.iter() {
            match matcher {
                Matcher::Every => self.every.insert(stream),
                Matcher::Exact(topic) => {
                    self.exact.entry(Arc::clone(topic)).or_default().insert(stream)
                }
            };
        }
    }

    pub(crate) fn remove(&mut self, stream: StreamId, matchers: &Matchers) {
        for matcher in matchers.iter() {
            match matcher {
                Matcher::Every => {
                    self.every.remove(&stream);
                }
                Matcher::Exact(topic) => {
                    if let Some(streams) = self.exact.get_mut(topic) {
                        streams.remove(&stream);
                        if streams.is_empty() {
                            self.exact.remove(topic);
                        }
                    }
                }
            }
        }
    }

    /// The streams with a matcher for any of these topics, each once.
    pub(crate) fn select(&self, topics: &[Topic]) -> Vec<StreamId> {
        let exact = topics.iter().filter_map(|topic| self.exact.get(topic.as_str()));
        let mut selected: Vec<StreamId> = exact.flatten().chain(&self.every).copied().collect();
        selected.sort_unstable();
        selected.dedup();
        selected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(number: u64) -> StreamId {
        StreamId::new(number)
    }

    fn exact(topic: &str) -> Matcher {
        Matcher::exact(topic).unwrap()
    }

    #[test]
    fn each_matching_stream_once() {
        let mut streams = Streams::default();
        streams.insert(stream(1), &[exact("a"), exact("b")].into_iter().collect());
        streams.insert(stream(2), &[Matcher::Every, exact("a")].into_iter().collect());
        streams.insert(stream(3), &[exact("c")].into_iter().collect());
        let topics = [Topic::restored("a"), Topic::restored("b")];
        assert_eq!(streams.select(&topics), [stream(1), stream(2)]);
        assert_eq!(streams.select(&[Topic::restored("x")]), [stream(2)]);
    }

    #[test]
    fn nothing_is_left_of_a_stream_that_went() {
        let mut streams = Streams::default();
        let matchers = [exact("a"), Matcher::Every].into_iter().collect();
        streams.insert(stream(1), &matchers);
        streams.remove(stream(1), &matchers);
        assert!(streams.every.is_empty());
        assert!(streams.exact.is_empty());
    }
}
