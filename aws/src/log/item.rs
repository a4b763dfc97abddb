//! Cells as items of the table.
//!
//! Attribute names are billed with every item, so they are single letters where possible:
//!
//! | attribute | in | holds |
//! |---|---|---|
//! | `s`, `n` | all | the key: the log's name, the number |
//! | `k` | all | `u`: an update; `t`: a tombstone |
//! | `a` | all | when its publisher got its number, or it was sealed (milliseconds) |
//! | `x` | all | when it expires (milliseconds) |
//! | `ttl` | all | when DynamoDB may delete it (seconds) |
//! | `w` | updates | the publication's token |
//! | `sid` | updates | the log's name, `#` and the id: the key of the index `ids` |
//! | `own` | updates | that the publisher chose the id; absent if the hub made it |
//! | `t`, `d`, `p`, `e`, `r` | updates | topics, data, private, event type, retry |
//! | `f` | updates | targets (whom it is meant for); absent if there are none |
//!
//! The index projects `x` and `own` beside the keys. So an update of up to a kilobyte costs three
//! write units (the head's, the item's, the index entry's), and each further kilobyte one more.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue as Value;
use cinnabar_core::{Position, StoredUpdate, Timestamp};

use super::cell::{Cell, Numbered};
use super::timing::Timing;

/// The most that DynamoDB takes for one item, in bytes.
pub const ITEM_LIMIT: usize = 400 * 1024;

/// An item.
pub(super) type Item = HashMap<String, Value>;

/// The token of a publication, by which a repeated write recognizes the publication's own update.
pub(super) type Token = [u8; 16];

/// An update as the table keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// The update.
    pub stored: StoredUpdate,
    /// When it expires.
    pub expires: Timestamp,
    /// Whether its publisher chose the id.
    pub own: bool,
}

/// An item that is not a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an item whose `{0}` is not what it should be; was it written by another version?")]
pub(super) struct Malformed(pub(super) &'static str);

/// Writes and reads the items of one log.
#[derive(Clone, Debug)]
pub(super) struct Items {
    pub(super) shard: String,
    pub(super) timing: Timing,
}

impl Items {
    /// The key of the head. It is not in the partition of the cells, which queries read.
    pub(super) fn head(&self) -> Item {
        Item::from([text("s", &format!("head#{}", self.shard)), number("n", 0)])
    }

    /// The key of the item that shows that the table can be written.
    pub(super) fn health(&self) -> Item {
        Item::from([text("s", &format!("health#{}", self.shard)), number("n", 0)])
    }

    /// The key of a cell.
    pub(super) fn key(&self, position: Position) -> Item {
        Item::from([text("s", &self.shard), number("n", position.get())])
    }

    /// The key of an id in the index.
    pub(super) fn id(&self, id: &str) -> String {
        format!("{}#{id}", self.shard)
    }

    /// An update.
    pub(super) fn update(
        &self,
        position: Position,
        row: &Row,
        token: Token,
        allotted: Timestamp,
    ) -> Item {
        let mut item = self.cell(position, "u", allotted, row.expires);
        let stored = &row.stored;
        item.extend([
            ("w".to_owned(), Value::B(Blob::new(token))),
            text("sid", &self.id(&stored.id)),
            text("t", &stored.topics),
            text("d", &stored.data),
        ]);
        item.extend(row.own.then(|| ("own".to_owned(), Value::Bool(true))));
        item.extend((!stored.targets.is_empty()).then(|| text("f", &stored.targets)));
        item.extend(stored.private.then(|| ("p".to_owned(), Value::Bool(true))));
        item.extend(stored.event_type.as_deref().map(|name| text("e", name)));
        item.extend(stored.retry.map(|retry| number("r", retry.into())));
        item
    }

    /// A tombstone, sealed now. It outlives every update that may yet be written to its number: such
    /// an update expires one retention after its publication began, which was before now (rule 4).
    pub(super) fn tombstone(&self, position: Position, now: Timestamp) -> Item {
        self.cell(position, "t", now, now.plus(self.timing.retention))
    }

    fn cell(&self, position: Position, kind: &str, at: Timestamp, ends: Timestamp) -> Item {
        let mut item = self.key(position);
        item.extend([
            text("k", kind),
            number("a", at.as_millis()),
            number("x", ends.as_millis()),
            number("ttl", self.timing.forgotten(ends).as_millis().div_ceil(1_000)),
        ]);
        item
    }

    /// Reads a cell.
    pub(super) fn read(&self, mut item: Item) -> Result<Numbered<Row>, Malformed> {
        let position = Position::new(read_number(&item, "n")?);
        let at = Timestamp::from_millis(read_number(&item, "a")?);
        let cell = match read_text(&mut item, "k")?.as_str() {
            "t" => Cell::Tombstone { sealed: at },
            "u" => {
                let expires = Timestamp::from_millis(read_number(&item, "x")?);
                let own = item.contains_key("own");
                let update = Row { stored: self.read_update(item)?, expires, own };
                Cell::Update { expires, allotted: at, update }
            }
            _ => return Err(Malformed("k")),
        };
        Ok(Numbered { position, cell })
    }

    fn read_update(&self, mut item: Item) -> Result<StoredUpdate, Malformed> {
        let sid = read_text(&mut item, "sid")?;
        let id = sid.strip_prefix(&self.shard).and_then(|rest| rest.strip_prefix('#'));
        Ok(StoredUpdate {
            id: id.ok_or(Malformed("sid"))?.to_owned(),
            topics: read_text(&mut item, "t")?,
            targets: match item.contains_key("f") {
                true => read_text(&mut item, "f")?,
                false => String::new(),
            },
            data: read_text(&mut item, "d")?,
            private: item.contains_key("p"),
            event_type: match item.contains_key("e") {
                true => Some(read_text(&mut item, "e")?),
                false => None,
            },
            retry: match item.contains_key("r") {
                true => Some(read_number(&item, "r")?.try_into().map_err(|_| Malformed("r"))?),
                false => None,
            },
        })
    }
}

pub(super) fn text(name: &str, value: &str) -> (String, Value) {
    (name.to_owned(), Value::S(value.to_owned()))
}

pub(super) fn number(name: &str, value: u64) -> (String, Value) {
    (name.to_owned(), Value::N(value.to_string()))
}

pub(super) fn read_number(item: &Item, name: &'static str) -> Result<u64, Malformed> {
    match item.get(name) {
        Some(Value::N(digits)) => digits.parse().map_err(|_| Malformed(name)),
        _ => Err(Malformed(name)),
    }
}

pub(super) fn read_text(item: &mut Item, name: &'static str) -> Result<String, Malformed> {
    match item.remove(name) {
        Some(Value::S(text)) => Ok(text),
        _ => Err(Malformed(name)),
    }
}

/// The size of an item as DynamoDB counts it, in bytes: names and values; a number takes a byte for
/// two digits, and one more.
pub(super) fn size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value_size(value)).sum()
}

fn value_size(value: &Value) -> usize {
    match value {
        Value::S(text) => text.len(),
        Value::N(digits) => digits.len().div_ceil(2) + 1,
        Value::B(bytes) => bytes.as_ref().len(),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn items() -> Items {
        Items { shard: "hub".into(), timing: Timing::new(Duration::ZERO) }
    }

    fn row() -> Row {
        Row {
            stored: StoredUpdate {
                id: "urn:uuid:550e8400-e29b-41d4-a716-446655440000".into(),
                topics: "https://example.com/a\nb".into(),
                targets: "/users/1\n/users/2".into(),
                data: "one\ntwo\0é".into(),
                private: true,
                event_type: Some("ping".into()),
                retry: Some(0),
            },
            expires: Timestamp::from_millis(1_700_000_600_123),
            own: true,
        }
    }

    fn plain() -> Row {
        let row = row();
        let stored = StoredUpdate {
            targets: String::new(),
            private: false,
            event_type: None,
            retry: None,
            ..row.stored
        };
        Row { stored, own: false, ..row }
    }

    #[test]
    fn an_update_comes_back_whole() {
        for row in [row(), plain()] {
            let allotted = Timestamp::from_millis(1_700_000_000_456);
            let item = items().update(Position::new(7), &row, [3; 16], allotted);
            let cell = Cell::Update { expires: row.expires, allotted, update: row };
            let numbered = Numbered { position: Position::new(7), cell };
            assert_eq!(items().read(item), Ok(numbered));
        }
    }

    #[test]
    fn a_tombstone_comes_back_and_outlives_every_update() {
        let now = Timestamp::from_millis(1_700_000_000_001);
        let item = items().tombstone(Position::new(7), now);
        // Retention and grace, rounded up.
        assert_eq!(read_number(&item, "ttl"), Ok(1_700_000_001 + 600 + 3_600));
        let cell = Cell::Tombstone { sealed: now };
        assert_eq!(items().read(item), Ok(Numbered { position: Position::new(7), cell }));
    }

    #[test]
    fn an_item_of_another_shape_is_told() {
        let mut item = items().tombstone(Position::new(7), Timestamp::default());
        item.extend([text("k", "x")]);
        assert_eq!(items().read(item), Err(Malformed("k")));
    }

    /// What the index keeps of an item.
    fn projection(item: &Item) -> Item {
        let projected = ["s", "n", "sid", "x", "own"];
        item.clone().into_iter().filter(|(name, _)| projected.contains(&name.as_str())).collect()
    }

    /// The write units of a publication: its item's, its index entry's, the head's.
    fn write_units(item: &Item) -> usize {
        size(item).div_ceil(1024) + size(&projection(item)).div_ceil(1024) + 1
    }

    #[test]
    fn a_small_update_costs_three_write_units() {
        let update = |length: usize| {
            let mut row = plain();
            row.stored.topics = "https://example.com/books/1".into();
            row.stored.data = "x".repeat(length);
            items().update(Position::new(1_000_000_000), &row, [3; 16], row.expires)
        };
        // What the log adds to topics and data.
        assert_eq!(size(&update(0)) - 27, 111);
        assert_eq!(write_units(&update(1024 - 27 - 111)), 3);
        assert_eq!(write_units(&update(1024 - 27 - 110)), 4);
        assert_eq!(write_units(&update(10 * 1024)), 1 + 1 + 11);
    }
}
