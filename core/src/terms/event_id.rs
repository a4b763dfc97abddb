//! Identifiers of updates, which are also the cursors that subscribers resume from.

use std::fmt;

use crate::limits::MAX_NAME_LENGTH;
use crate::terms::characters::{self, ForbiddenCharacter};

/// The reserved cursor that asks for all history (draft-08, "Reconciliation").
pub(crate) const EARLIEST: &str = "earliest";

/// The `id` of an update: the publisher's own, or `urn:uuid:` and a random UUID.
///
/// Random, because the answer's header fields show ids to people who may not read their updates.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct EventId(Box<str>);

/// Why a publisher's text is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEventId {
    /// It contains a character that no name may contain.
    #[error("holds {0}")]
    Character(ForbiddenCharacter),
    /// It is longer than this hub accepts.
    #[error("is longer than {MAX_NAME_LENGTH} bytes")]
    TooLong,
    /// It starts with `#`, as only the hub's own cursors do.
    #[error("starts with `#`, which is reserved for the hub")]
    Fragment,
    /// It is `earliest`, the cursor that asks for all history.
    #[error("is `earliest`, which is reserved")]
    Earliest,
}

impl EventId {
    /// Reads an id that a publisher supplies, or a cursor that may be one.
    ///
    /// # Errors
    ///
    /// draft-08, "Publication", `id`.
    pub fn parse(text: &str) -> Result<Self, InvalidEventId> {
        if text.len() > MAX_NAME_LENGTH {
            return Err(InvalidEventId::TooLong);
        }
        characters::check(text).map_err(InvalidEventId::Character)?;
        if text.starts_with('#') {
            return Err(InvalidEventId::Fragment);
        }
        if text == EARLIEST {
            return Err(InvalidEventId::Earliest);
        }
        Ok(Self(text.into()))
    }

    /// One of the hub's own ids, made from 16 random bytes.
    pub(crate) fn from_random(bytes: [u8; 16]) -> Self {
        let uuid = uuid::Builder::from_random_bytes(bytes).into_uuid();
        Self(uuid.urn().to_string().into())
    }

    /// An id that was checked when its update was published, read back from the log.
    #[must_use]
    pub fn restored(text: &str) -> Self {
        Self(text.into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_kept_as_they_are() {
        for text in ["550e8400-e29b-41d4-a716-446655440000", "é", "a#b", "Earliest", " "] {
            let id = EventId::parse(text).unwrap();
            assert_eq!((id.as_str(), id.to_string().as_str()), (text, text));
        }
    }

    #[test]
    fn what_is_the_hubs_own_is_refused() {
        assert_eq!(EventId::parse("#a"), Err(InvalidEventId::Fragment));
        assert_eq!(EventId::parse("earliest"), Err(InvalidEventId::Earliest));
        assert!(matches!(EventId::parse("a\nb"), Err(InvalidEventId::Character(_))));
        assert_eq!(EventId::parse(&"x".repeat(1025)), Err(InvalidEventId::TooLong));
    }

    #[test]
    fn the_hubs_own_ids_are_random_uuids() {
        let id = EventId::from_random([0xff; 16]);
        assert_eq!(id.as_str(), "urn:uuid:ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
