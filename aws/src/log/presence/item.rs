//! Rows and leases as items of the table.
//!
//! | partition `s` | `n` | what it is |
//! |---|---|---|
//! | `here#<log>` | made from the topic | a row: an active subscription |
//! | `holders#<log>` | random | a lease: a process with subscriptions |
//!
//! | attribute | in | holds |
//! |---|---|---|
//! | `t`, `d` | rows | the topic of the subscription's events, and its record |
//! | `h` | rows | the number of its holder's lease |
//! | `m`, `by` | rows that are being ended | until when the mark holds (milliseconds), and whose it is |
//! | `x` | leases | when it runs out (milliseconds) |
//! | `dead` | leases that have been closed | `true` |
//! | `ttl` | both | when DynamoDB may delete it (seconds): long after everybody has forgotten it |
//!
//! The numbers of rows keep the subscriptions of a matcher together, so that its collection is one
//! query and costs nothing for the others. A number of DynamoDB has 38 digits: 62 bits for what the
//! subscription is of, and 62 for the subscription. Where two matchers have the same bits, their topics
//! tell them apart.

use std::ops::RangeInclusive;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue as Value;
use cinnabar_core::{ActiveSubscription, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::log::item::{Item, Items, Malformed, number, read_number, read_text, text};

/// How many bits of a key each half has.
const BITS: u32 = 62;

/// How long an item is kept that everybody has forgotten. No stream lives nearly as long.
const FORGOTTEN: Duration = Duration::from_hours(7 * 24);

/// The place of a row among all rows.
pub(super) type Key = u128;

/// A row.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) key: Key,
    /// The number of its holder's lease.
    pub(super) holder: u64,
    /// Whether its end is being told.
    pub(super) is_marked: bool,
    pub(super) subscription: ActiveSubscription,
}

/// The key of a subscription, by the topic of its events.
pub(super) fn key(topic: &str) -> Key {
    // What comes before the subscriber is the path of the collection.
    let collection = topic.rsplit_once('/').map_or(topic, |(collection, _)| collection);
    (digest(collection) << BITS) | digest(topic)
}

/// The keys of a collection.
pub(super) fn keys(collection: &str) -> RangeInclusive<Key> {
    let first = digest(collection) << BITS;
    first..=first | ((1 << BITS) - 1)
}

/// All keys.
pub(super) const ALL: RangeInclusive<Key> = 0..=(1 << (2 * BITS)) - 1;

fn digest(text: &str) -> Key {
    let digest = Sha256::digest(text);
    let bytes: [u8; 8] = std::array::from_fn(|index| digest[index]);
    Key::from(u64::from_be_bytes(bytes) >> (u64::BITS - BITS))
}

impl Items {
    /// The partition of all rows.
    pub(super) fn rows(&self) -> Value {
        Value::S(format!("here#{}", self.shard))
    }

    /// The partition of all leases.
    pub(super) fn leases(&self) -> Value {
        Value::S(format!("holders#{}", self.shard))
    }

    /// The key of a row.
    pub(super) fn row_key(&self, topic: &str) -> Item {
        let number = Value::N(key(topic).to_string());
        Item::from([("s".to_owned(), self.rows()), ("n".to_owned(), number)])
    }

    /// A row.
    pub(super) fn row(&self, holder: u64, one: &ActiveSubscription, now: Timestamp) -> Item {
        let mut item = self.row_key(one.topic());
        item.extend([
            text("t", one.topic()),
            text("d", &one.record()),
            number("h", holder),
            forgotten(now),
        ]);
        item
    }

    /// The key of a lease.
    pub(super) fn lease_key(&self, holder: u64) -> Item {
        Item::from([("s".to_owned(), self.leases()), number("n", holder)])
    }

    /// A lease.
    pub(super) fn lease(&self, holder: u64, ends: Timestamp) -> Item {
        let mut item = self.lease_key(holder);
        item.extend([number("x", ends.as_millis()), forgotten(ends)]);
        item
    }
}

/// When an item that is of this moment may be deleted.
pub(super) fn forgotten(now: Timestamp) -> (String, Value) {
    number("ttl", now.plus(FORGOTTEN).as_millis().div_ceil(1_000))
}

/// Reads the place of a row.
pub(super) fn read_key(item: &Item) -> Result<Key, Malformed> {
    match item.get("n") {
        Some(Value::N(digits)) => digits.parse().map_err(|_| Malformed("n")),
        _ => Err(Malformed("n")),
    }
}

/// Reads a row.
pub(super) fn read_row(mut item: Item) -> Result<Row, Malformed> {
    let (topic, record) = (read_text(&mut item, "t")?, read_text(&mut item, "d")?);
    Ok(Row {
        key: read_key(&item)?,
        holder: read_number(&item, "h")?,
        is_marked: item.contains_key("m"),
        subscription: ActiveSubscription::restored(&topic, &record).ok_or(Malformed("d"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collection_has_the_keys_of_its_subscriptions() {
        let collection = "/hub/subscriptions/exact/https%3A%2F%2Fexample.com%2Fa";
        let [ann, ben] = ["a", "b"].map(|who| key(&format!("{collection}/urn%3Auuid%3A{who}")));
        assert_ne!(ann, ben);
        assert!(keys(collection).contains(&ann) && keys(collection).contains(&ben));
        assert!(!keys("/hub/subscriptions/exact/b").contains(&ann));
        assert!(ALL.contains(&ann));
    }

    #[test]
    fn a_key_is_a_number_of_dynamodb() {
        assert_eq!(ALL.end().to_string().len(), 38);
    }

    /// Processes of two versions have to agree.
    #[test]
    fn keys_never_change() {
        assert_eq!(key("/a/b"), key("/a/b"));
        assert_eq!(digest(""), 0xe3b0_c442_98fc_1c14 >> 2);
    }
}
