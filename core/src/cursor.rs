//! Cursors: where in the log a stream stands, and how its reader names that place.
//!
//! A reader that has received an update names it by id. A native reader that has received none is
//! given its position as a fragment (`#…`, which the law allows for ids of the hub's own): one
//! block of AES-128, so that it discloses neither the number of updates nor their rate.

use aes::Aes128;
use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::event_id::{EARLIEST, EventId};

/// A place in the log: after this many updates. Updates are numbered from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(u64);

impl Position {
    /// Before the first update.
    pub const START: Self = Self(0);

    /// The place after `number` updates.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number of the update before this place.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The place after the next update.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The place this many updates earlier, or the start.
    #[must_use]
    pub const fn back(self, updates: u64) -> Self {
        Self(self.0.saturating_sub(updates))
    }
}

/// What a reader sent to say where it stands. What it holds fits on a line of an event stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Cursor {
    /// It named a cursor, and gave none.
    Empty,
    /// All that is kept.
    Earliest,
    /// What followed this update.
    After(EventId),
    /// What followed the position that this fragment names, if some log gave it away.
    Fragment(Box<str>),
    /// Something that names no place in any log.
    Unknown,
}

impl Cursor {
    pub(crate) fn read(text: &str) -> Self {
        match (text, text.strip_prefix('#')) {
            ("", _) => Self::Empty,
            (EARLIEST, _) => Self::Earliest,
            (_, Some(name)) if URL_SAFE_NO_PAD.decode(name).is_ok_and(|name| name.len() == 16) => {
                Self::Fragment(text.into())
            }
            _ => EventId::parse(text).map_or(Self::Unknown, Self::After),
        }
    }

    /// The cursor as it was sent; `None` where that is not to be repeated.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::Empty | Self::Unknown => None,
            Self::Earliest => Some(EARLIEST),
            Self::After(id) => Some(id.as_str()),
            Self::Fragment(fragment) => Some(fragment),
        }
    }
}

/// The key that makes positions opaque: drawn at random with the log, and kept in it.
#[derive(Clone)]
pub struct CursorKey(Aes128);

impl CursorKey {
    /// The key of these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Aes128::new(&Array::from(bytes)))
    }

    /// The fragment that names a position: `#` and base64url of the encrypted position followed
    /// by eight zero bytes.
    pub(crate) fn fragment(&self, position: Position) -> String {
        let mut block = [0; 16];
        block[..8].copy_from_slice(&position.0.to_be_bytes());
        let mut block = Array::from(block);
        self.0.encrypt_block(&mut block);
        format!("#{}", URL_SAFE_NO_PAD.encode(block))
    }

    /// The position that a fragment names; `None` for a forged one, or another log's.
    pub(crate) fn position(&self, fragment: &str) -> Option<Position> {
        let bytes = URL_SAFE_NO_PAD.decode(fragment.strip_prefix('#')?).ok()?;
        let mut block = Array::from(<[u8; 16]>::try_from(bytes).ok()?);
        self.0.decrypt_block(&mut block);
        let (position, zeros) = block.split_at(8);
        let position = u64::from_be_bytes(position.try_into().ok()?);
        (zeros == [0; 8]).then_some(Position(position))
    }
}

impl std::fmt::Debug for CursorKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("CursorKey(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fragment_names_its_position_and_shows_nothing() {
        let key = CursorKey::from_bytes([7; 16]);
        let fragments: Vec<String> = (0..3).map(|n| key.fragment(Position::new(n))).collect();
        for (number, fragment) in (0..).zip(&fragments) {
            assert_eq!(key.position(fragment), Some(Position::new(number)));
            assert_eq!(Cursor::read(fragment), Cursor::Fragment(fragment.as_str().into()));
        }
        assert_ne!(fragments[0], fragments[1]);
    }

    #[test]
    fn a_forged_fragment_names_nothing() {
        let key = CursorKey::from_bytes([7; 16]);
        let other = CursorKey::from_bytes([8; 16]).fragment(Position::new(1));
        for forged in [other.as_str(), "#AAAAAAAAAAAAAAAAAAAAAA", "#", "#é"] {
            assert_eq!(key.position(forged), None, "{forged}");
        }
        assert_eq!(Cursor::read("#x"), Cursor::Unknown);
    }

    #[test]
    fn other_cursors_are_ids() {
        assert_eq!(Cursor::read(""), Cursor::Empty);
        assert_eq!(Cursor::read("earliest"), Cursor::Earliest);
        assert_eq!(Cursor::read("urn:x"), Cursor::After(EventId::restored("urn:x")));
        for broken in ["a\nb", "a\rid: c", "\u{200b}", "a\0"] {
            assert_eq!(Cursor::read(broken), Cursor::Unknown, "{broken:?}");
            assert_eq!(Cursor::read(broken).as_str(), None);
        }
    }
}
