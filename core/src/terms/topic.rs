//! Topics: what updates are about.

use std::fmt;

use crate::limits::MAX_TOPIC_LENGTH;
use crate::terms::characters::{self, ForbiddenCharacter};
use crate::terms::hub_url::HubUrl;

/// The identifier of what an update is about: usually an IRI, but any text without control or
/// format characters will do. Topics are compared byte by byte (draft-08, "Terminology").
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Topic(Box<str>);

/// Why a text is not a topic that can be published to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTopic {
    /// It contains a character that no name may contain.
    #[error("holds {0}")]
    Character(ForbiddenCharacter),
    /// It is longer than this hub accepts.
    #[error("is longer than {MAX_TOPIC_LENGTH} bytes")]
    TooLong,
    /// It is `*`, the matcher of every topic.
    #[error("is `*`, which is reserved for the matcher of every topic")]
    Wildcard,
    /// It is in the hub's own namespace.
    #[error("addresses the namespace that is reserved for the hub")]
    Reserved,
}

impl Topic {
    /// Reads a topic from a publisher.
    ///
    /// # Errors
    ///
    /// draft-08, "Terminology" (characters) and "Publication" (`*`, the reserved namespace).
    pub fn parse(text: &str, hub: &HubUrl) -> Result<Self, InvalidTopic> {
        let topic = Self::clean(text)?;
        if hub.reserves(text) {
            return Err(InvalidTopic::Reserved);
        }
        Ok(topic)
    }

    /// Reads a target (from the protocol's first years): a name for those whom an update is meant
    /// for. It is matched like a topic, but is never resolved as a URL, so nothing is reserved.
    ///
    /// # Errors
    ///
    /// Characters and length, as for topics; and `*`, the matcher of every topic.
    pub(crate) fn target(text: &str) -> Result<Self, InvalidTopic> {
        Self::clean(text)
    }

    fn clean(text: &str) -> Result<Self, InvalidTopic> {
        if text.len() > MAX_TOPIC_LENGTH {
            return Err(InvalidTopic::TooLong);
        }
        characters::check(text).map_err(InvalidTopic::Character)?;
        if text == "*" {
            return Err(InvalidTopic::Wildcard);
        }
        Ok(Self(text.into()))
    }

    /// A topic that was checked when it was published, read back from the log.
    pub(crate) fn restored(text: &str) -> Self {
        Self(text.into())
    }

    /// The topic as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_any_clean_text() {
        let hub = HubUrl::parse("https://hub.example.com/.well-known/mercure").unwrap();
        for text in ["https://example.com/%5C", "pub", "/api/users/1", "a,b", "**", "é{id}"] {
            let topic = Topic::parse(text, &hub).unwrap();
            assert_eq!((topic.as_str(), topic.to_string().as_str()), (text, text));
        }
        assert_eq!(Topic::parse("*", &hub), Err(InvalidTopic::Wildcard));
        assert_eq!(
            Topic::parse(&"x".repeat(MAX_TOPIC_LENGTH + 1), &hub),
            Err(InvalidTopic::TooLong)
        );
        assert_eq!(Topic::parse("/.well-known/mercure/x", &hub), Err(InvalidTopic::Reserved));
        assert!(matches!(Topic::parse("a\u{200b}", &hub), Err(InvalidTopic::Character(_))));
    }
}
