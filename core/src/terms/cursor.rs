//! Cursors: a stream's place in the log, and how its reader names it.
//!
//! A reader that has received an update names that update's id. A native reader that has received
//! none is given its position as a fragment (`#…`, which draft-08 allows for the hub's own ids):
//! one block of AES-128, so that it discloses neither the number of updates nor their rate. The
//! time in it tells a log that drops updates by age, without a record of what it dropped, whether
//! everything after that place is still kept.

use aes::Aes128;
use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::terms::event_id::{EARLIEST, EventId};
use crate::time::Timestamp;

/// A place in the log: after this many updates. Updates are numbered from 1.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
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

/// A place in the log, and when it was the end of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The place.
    pub position: Position,
    /// Nothing after it was published before this moment; the epoch if nothing is known.
    pub since: Timestamp,
}

impl Place {
    /// A place whose time is not known.
    #[must_use]
    pub fn undated(position: Position) -> Self {
        Self { position, since: Timestamp::default() }
    }

    /// The later of two places in one log, dated by all that is known of either: what follows a place
    /// follows every earlier one too, so a date that holds there holds here.
    #[must_use]
    pub fn advanced_to(self, other: Self) -> Self {
        Self { position: self.position.max(other.position), since: self.since.max(other.since) }
    }
}

/// How many items of a list count, from its end: nobody has that many places, and the log is asked
/// for each.
const LISTED: usize = 8;

/// What a reader sent to say where it left off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Cursor {
    /// It sent a cursor that is empty.
    Empty,
    /// What may be names of places, in the order in which they are tried. Without any, it names no
    /// place in any log.
    Names(Vec<Name>),
}

/// What may name a place in the log. Its text fits on a line of an event stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Name {
    /// Everything that is kept.
    Earliest,
    /// What follows this update.
    After(EventId),
    /// What follows the position that this fragment names, if a log issued it.
    Fragment(Box<str>),
}

impl Cursor {
    /// Reads a cursor, which may be a list: a client has its own `Last-Event-ID`, its library adds
    /// another, and whatever is in between joins the two with a comma. The later was added last, so
    /// it is tried first. But ids may hold commas too, so the whole comes before its items.
    pub(crate) fn read(text: &str) -> Self {
        if text.is_empty() {
            return Self::Empty;
        }
        let items = text.contains(',').then(|| text.rsplit(',')).into_iter().flatten();
        let items =
            items.map(|item| item.trim_matches([' ', '\t'])).filter(|item| !item.is_empty());
        let texts = std::iter::once(text).chain(items.take(LISTED));
        Self::Names(texts.filter_map(Name::read).collect())
    }

    /// What is tried, in this order.
    pub(crate) fn names(&self) -> &[Name] {
        match self {
            Self::Empty => &[],
            Self::Names(names) => names,
        }
    }

    /// The cursor as it was sent, or what is tried first of a list that must not be repeated as a
    /// whole; `None` if nothing of it must be repeated.
    pub(crate) fn as_str(&self) -> Option<&str> {
        self.names().first().map(Name::as_str)
    }
}

impl Name {
    /// `None` if it can name no place in any log.
    fn read(text: &str) -> Option<Self> {
        match text.strip_prefix('#') {
            _ if text == EARLIEST => Some(Self::Earliest),
            Some(name) if URL_SAFE_NO_PAD.decode(name).is_ok_and(|name| name.len() == 16) => {
                Some(Self::Fragment(text.into()))
            }
            _ => EventId::parse(text).ok().map(Self::After),
        }
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Earliest => EARLIEST,
            Self::After(id) => id.as_str(),
            Self::Fragment(fragment) => fragment,
        }
    }
}

/// The key that makes positions opaque. It is drawn at random when the log is created, and kept in
/// it.
#[derive(Clone)]
pub struct CursorKey {
    bytes: [u8; 16],
    cipher: Box<Aes128>,
}

impl CursorKey {
    /// The key with these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self { bytes, cipher: Box::new(Aes128::new(&Array::from(bytes))) }
    }

    /// Its bytes, for a holder of streams elsewhere.
    pub(crate) fn to_bytes(&self) -> [u8; 16] {
        self.bytes
    }

    /// A mark for a position, as opaque as a fragment: for links to the next page of a listing.
    #[must_use]
    pub fn mark(&self, position: Position) -> String {
        let fragment = self.fragment(Place::undated(position));
        fragment.trim_start_matches('#').to_owned()
    }

    /// The position of a mark; `None` for one that this log did not make.
    #[must_use]
    pub fn marked(&self, mark: &str) -> Option<Position> {
        self.place(&format!("#{mark}")).map(|place| place.position)
    }

    /// The fragment that names a place: `#`, and base64url of one encrypted block of the position
    /// in six bytes, the time in seconds in four, and six zero bytes.
    pub(crate) fn fragment(&self, place: Place) -> String {
        let seconds = u32::try_from(place.since.as_millis() / 1_000).unwrap_or(u32::MAX);
        let mut block = [0; 16];
        block[..6].copy_from_slice(&place.position.0.to_be_bytes()[2..]);
        block[6..10].copy_from_slice(&seconds.to_be_bytes());
        let mut block = Array::from(block);
        self.cipher.encrypt_block(&mut block);
        format!("#{}", URL_SAFE_NO_PAD.encode(block))
    }

    /// The place that a fragment names; `None` for a forged one, or another log's.
    pub(crate) fn place(&self, fragment: &str) -> Option<Place> {
        let bytes = URL_SAFE_NO_PAD.decode(fragment.strip_prefix('#')?).ok()?;
        let mut block = Array::from(<[u8; 16]>::try_from(bytes).ok()?);
        self.cipher.decrypt_block(&mut block);
        let (position, rest) = block.split_at(6);
        let (seconds, zeros) = rest.split_at(4);
        let position = position.iter().fold(0, |number, &byte| (number << 8) + u64::from(byte));
        let seconds = u32::from_be_bytes(seconds.try_into().ok()?);
        let since = Timestamp::from_millis(u64::from(seconds) * 1_000);
        (zeros == [0; 6]).then_some(Place { position: Position(position), since })
    }
}

impl PartialEq for CursorKey {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
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
    fn a_fragment_names_its_place_and_shows_nothing() {
        let key = CursorKey::from_bytes([7; 16]);
        let places = [0, 1, (1 << 48) - 1].map(|number| Place {
            position: Position::new(number),
            since: Timestamp::from_millis(1_700_000_000_000 + number % 2 * 1_000),
        });
        let fragments = places.map(|place| key.fragment(place));
        for (place, fragment) in places.iter().zip(&fragments) {
            assert_eq!(key.place(fragment), Some(*place));
            let name = Name::Fragment(fragment.as_str().into());
            assert_eq!(Cursor::read(fragment), Cursor::Names(vec![name]));
        }
        assert_ne!(fragments[0], fragments[1]);
        assert_eq!(format!("{key:?}"), "CursorKey(secret)");
    }

    #[test]
    fn the_time_of_a_fragment_is_rounded_down() {
        let key = CursorKey::from_bytes([7; 16]);
        let place = Place { position: Position::new(1), since: Timestamp::from_millis(5_999) };
        let since = key.place(&key.fragment(place)).unwrap().since;
        assert_eq!(since, Timestamp::from_millis(5_000));
    }

    #[test]
    fn a_forged_fragment_names_nothing() {
        let key = CursorKey::from_bytes([7; 16]);
        let other = CursorKey::from_bytes([8; 16]).fragment(Place::undated(Position::new(1)));
        for forged in [other.as_str(), "#AAAAAAAAAAAAAAAAAAAAAA", "#", "#é"] {
            assert_eq!(key.place(forged), None, "{forged}");
        }
        assert_eq!(Cursor::read("#x"), Cursor::Names(vec![]));
    }

    #[test]
    fn other_cursors_are_ids() {
        assert_eq!(Cursor::read(""), Cursor::Empty);
        assert_eq!(Cursor::read("earliest"), Cursor::Names(vec![Name::Earliest]));
        let after = Name::After(EventId::restored("urn:x"));
        assert_eq!(Cursor::read("urn:x"), Cursor::Names(vec![after]));
        for broken in ["a\nb", "a\rid: c", "\u{200b}", "a\0"] {
            assert_eq!(Cursor::read(broken), Cursor::Names(vec![]), "{broken:?}");
            assert_eq!(Cursor::read(broken).as_str(), None);
        }
    }

    #[test]
    fn of_a_list_the_whole_is_tried_first_and_then_the_last() {
        let fragment = CursorKey::from_bytes([7; 16]).fragment(Place::default());
        let fragments = format!("{fragment}, {fragment}x,earliest");
        let long = "x".repeat(1_000);
        let (long, of_long) = (format!("{long},{long}"), [long.as_str(), &long]);
        for (list, names) in [
            ("a, b", ["a, b", "b", "a"].as_slice()),
            ("a,b", &["a,b", "b", "a"]),
            (",a, , b ,", &[",a, , b ,", "b", "a"]),
            ("a\t,\tb", &["b", "a"]),
            (" a ", &[" a "]),
            ("a, earliest", &["a, earliest", "earliest", "a"]),
            (&fragments, &["earliest", &fragment]),
            ("a, b\0, c", &["c", "a"]),
            (&long, &of_long),
            (",", &[","]),
            ("1,2,3,4,5,6,7,8,9", &["1,2,3,4,5,6,7,8,9", "9", "8", "7", "6", "5", "4", "3", "2"]),
        ] {
            let cursor = Cursor::read(list);
            let read: Vec<&str> = cursor.names().iter().map(Name::as_str).collect();
            assert_eq!(read, names, "{list:?}");
        }
    }
}
