//! Updates: what publishers send and subscribers receive.

use serde::{Deserialize, Serialize};

use crate::terms::event_id::EventId;
use crate::terms::event_type::EventType;
use crate::terms::topic::Topic;

/// A new version of a topic, as it was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    pub(crate) id: EventId,
    pub(crate) topics: Vec<Topic>,
    /// Whom a private update is meant for, if its publisher said so as in the protocol's first
    /// years; its topics then grant nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) targets: Vec<Topic>,
    pub(crate) data: String,
    pub(crate) private: bool,
    pub(crate) event_type: Option<EventType>,
    pub(crate) retry: Option<u32>,
}

/// What a topic takes besides its text: its place in the list, and the least that an allocation
/// takes.
const TOPIC_SIZE: usize = size_of::<Topic>() + 16;

impl Update {
    /// The id that subscribers resume from after this update.
    #[must_use]
    pub fn id(&self) -> &EventId {
        &self.id
    }

    /// The canonical topic, then the alternate ones; at least one.
    #[must_use]
    pub fn topics(&self) -> &[Topic] {
        &self.topics
    }

    /// Whom it is meant for, if not for everyone who is granted one of its topics.
    pub(crate) fn targets(&self) -> &[Topic] {
        &self.targets
    }

    /// Whether it is only for subscribers whose token grants one of its topics (or of its targets,
    /// if it has any).
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.private
    }

    /// Its content.
    #[must_use]
    pub fn data(&self) -> &str {
        &self.data
    }

    /// Roughly how many bytes it keeps: its texts, and a place for each topic, since a publication
    /// may consist of topics alone, and each of those of one letter.
    #[must_use]
    pub fn size(&self) -> usize {
        let topics = self.topics.iter().chain(&self.targets);
        let event_type = self.event_type.as_ref().map_or(0, |name| name.as_str().len());
        size_of::<Self>()
            + self.id.as_str().len()
            + topics.map(|topic| TOPIC_SIZE + topic.as_str().len()).sum::<usize>()
            + self.data.len()
            + event_type
    }

    /// The update as the columns of a log.
    #[must_use]
    pub fn store(&self) -> StoredUpdate {
        StoredUpdate {
            id: self.id.as_str().to_owned(),
            topics: join(&self.topics),
            targets: join(&self.targets),
            data: self.data.clone(),
            private: self.private,
            event_type: self.event_type.as_ref().map(|name| name.as_str().to_owned()),
            retry: self.retry,
        }
    }

    /// An update, read back from the log.
    #[must_use]
    pub fn restore(stored: StoredUpdate) -> Self {
        Self {
            id: EventId::restored(&stored.id),
            topics: split(&stored.topics).map(Topic::restored).collect(),
            targets: split(&stored.targets).map(Topic::restored).collect(),
            data: stored.data,
            private: stored.private,
            event_type: stored.event_type.map(|name| EventType::restored(&name)),
            retry: stored.retry,
        }
    }
}

/// Topics as one text, joined by line feeds: a topic is never empty and has no control characters.
fn join(topics: &[Topic]) -> String {
    topics.iter().map(Topic::as_str).collect::<Vec<_>>().join("\n")
}

/// Splits what [`join`] joined.
fn split(topics: &str) -> impl Iterator<Item = &str> {
    topics.split('\n').filter(|topic| !topic.is_empty())
}

/// An update as the columns of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredUpdate {
    /// The id.
    pub id: String,
    /// The topics, joined by line feeds.
    pub topics: String,
    /// The targets, joined by line feeds; empty if there are none.
    pub targets: String,
    /// The content: any text, even with NUL.
    pub data: String,
    /// Whether it is private.
    pub private: bool,
    /// The SSE event type, if the publisher gave one.
    pub event_type: Option<String>,
    /// The SSE reconnection time in milliseconds, if the publisher gave one.
    pub retry: Option<u32>,
}

impl StoredUpdate {
    /// How many bytes its texts take.
    #[must_use]
    pub fn size(&self) -> usize {
        let event_type = self.event_type.as_ref().map_or(0, String::len);
        self.id.len() + self.topics.len() + self.targets.len() + self.data.len() + event_type
    }

    /// The topics, one by one.
    pub(crate) fn each_topic(&self) -> impl Iterator<Item = &str> {
        split(&self.topics)
    }

    /// The targets, one by one.
    pub(crate) fn each_target(&self) -> impl Iterator<Item = &str> {
        split(&self.targets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_update_comes_back_whole() {
        let update = Update {
            id: EventId::restored("urn:x"),
            topics: vec![Topic::restored("a"), Topic::restored("https://example.com/é")],
            targets: Vec::new(),
            data: "one\ntwo\0\u{2028}".into(),
            private: true,
            event_type: Some(EventType::parse("ping").unwrap()),
            retry: Some(0),
        };
        assert_eq!(Update::restore(update.store()), update);
        let targets = vec![Topic::restored("/users/1"), Topic::restored("/users/2")];
        let update = Update { targets, ..update };
        assert_eq!(Update::restore(update.store()), update);
        let stored = update.store();
        assert_eq!(stored.topics, "a\nhttps://example.com/é");
        assert_eq!(stored.targets, "/users/1\n/users/2");
    }

    #[test]
    fn all_texts_of_an_update_count() {
        let update = Update {
            id: EventId::restored("urn:x"),
            topics: vec![Topic::restored("a"), Topic::restored("é")],
            targets: vec![Topic::restored("/users/1")],
            data: "one".into(),
            private: true,
            event_type: Some(EventType::parse("ping").unwrap()),
            retry: Some(0),
        };
        let texts = 5 + 1 + 2 + 8 + 3 + 4;
        assert_eq!(update.size(), size_of::<Update>() + 3 * TOPIC_SIZE + texts);
    }
}
