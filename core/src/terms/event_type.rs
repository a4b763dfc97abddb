//! Event types: the names by which browsers tell events apart.

use serde::{Deserialize, Serialize};

use crate::limits::MAX_NAME_LENGTH;
use crate::terms::characters::{self, ForbiddenCharacter};

/// The type that is reserved for the hub's own events (draft-08, "Reserved Hub Namespace").
const RESERVED: &str = "mercure";

/// The SSE event type of an update.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct EventType(Box<str>);

/// Why a text is not an event type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidEventType {
    #[error("holds {0}")]
    Character(ForbiddenCharacter),
    #[error("is longer than {MAX_NAME_LENGTH} bytes")]
    TooLong,
    #[error("is `{RESERVED}`, which is reserved for the hub's own events")]
    Reserved,
}

impl EventType {
    /// Reads an event type from a publisher (draft-08, "Publication", `type`).
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidEventType> {
        if text.len() > MAX_NAME_LENGTH {
            return Err(InvalidEventType::TooLong);
        }
        characters::check(text).map_err(InvalidEventType::Character)?;
        if text == RESERVED {
            return Err(InvalidEventType::Reserved);
        }
        Ok(Self(text.into()))
    }

    /// The type of the hub's own events (draft-08, "Subscription Events").
    pub(crate) fn of_hub() -> Self {
        Self(RESERVED.into())
    }

    /// An event type, read back from the log.
    pub(crate) fn restored(text: &str) -> Self {
        Self(text.into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hubs_event_type_is_reserved() {
        assert_eq!(EventType::parse("mercure"), Err(InvalidEventType::Reserved));
        assert!(EventType::parse("Mercure").is_ok());
        assert!(EventType::parse("a\rb").is_err());
    }
}
