//! The calls to DynamoDB, each with its condition.
//!
//! | step | call | condition |
//! |---|---|---|
//! | note | PutItem row | |
//! | mark | UpdateItem row | it is there, and has no mark, an old one, or my own |
//! | forget | DeleteItem row | |
//! | lease | PutItem lease | nothing is there |
//! | renew | UpdateItem lease | it is there, and not closed |
//! | close | UpdateItem lease | it has not been renewed |
//! | confirm | GetItem lease, consistent | |
//! | give up | DeleteItem lease | |
//! | list, sweep | Query of rows; Query of leases; both consistent | |

use std::ops::RangeInclusive;
use std::time::Duration;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::UpdateItemOutput;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue as Value, ReturnValue};
use cinnabar_core::{ActiveSubscription, Timestamp};
use tracing::warn;

use super::item::{Key, Row, forgotten, read_key, read_row};
use crate::log::fault::Fault;
use crate::log::item::read_number;
use crate::log::table::Table;

/// How long a mark holds: longer than it takes to append an event.
const MARK: Duration = Duration::from_secs(20);

/// What became of a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// It is the first.
    First,
    /// There was another, of one who did not come to the end.
    Again,
    /// The row is gone, or somebody else is at it.
    Refused,
}

/// Some rows.
pub(super) struct Rows {
    pub(super) rows: Vec<Row>,
    /// Where to go on, if that is not all.
    pub(super) next: Option<Key>,
}

/// A lease as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) holder: u64,
    pub(super) ends: Timestamp,
    pub(super) is_closed: bool,
}

impl Table {
    /// Notes a subscription.
    pub(super) async fn note(&self, holder: u64, one: &ActiveSubscription) -> Result<(), Fault> {
        let row = self.items.row(holder, one, self.now().wall);
        let put = self.reads.put_item().table_name(&self.name).set_item(Some(row));
        put.send().await.map(|_| ()).map_err(|error| Fault::of(&error))
    }

    /// Marks a row, before its end is told.
    pub(super) async fn mark(&self, topic: &str, me: u64) -> Result<Mark, Fault> {
        let now = self.now().wall;
        let millis = |at: Timestamp| Value::N(at.as_millis().to_string());
        let update = self
            .update()
            .set_key(Some(self.items.row_key(topic)))
            .update_expression("SET m = :until, #by = :me")
            .condition_expression(
                "t = :topic AND (attribute_not_exists(m) OR m < :now OR #by = :me)",
            )
            .expression_attribute_names("#by", "by")
            .expression_attribute_values(":topic", Value::S(topic.to_owned()))
            .expression_attribute_values(":until", millis(now.plus(MARK)))
            .expression_attribute_values(":now", millis(now))
            .expression_attribute_values(":me", Value::N(me.to_string()))
            .return_values(ReturnValue::UpdatedOld);
        Ok(match updated(update).await? {
            None => Mark::Refused,
            Some(before) if before.attributes().is_some_and(|old| old.contains_key("m")) => {
                Mark::Again
            }
            Some(_) => Mark::First,
        })
    }

    /// Deletes a row.
    pub(super) async fn forget(&self, topic: &str) -> Result<(), Fault> {
        self.delete(self.items.row_key(topic)).await
    }

    /// Makes a lease.
    pub(super) async fn make_lease(&self, holder: u64, ends: Timestamp) -> Result<(), Fault> {
        let put = self
            .reads
            .put_item()
            .table_name(&self.name)
            .set_item(Some(self.items.lease(holder, ends)))
            // The SDK may repeat the call: its own lease is as good as none.
            .condition_expression("attribute_not_exists(n) OR x = :x")
            .expression_attribute_values(":x", Value::N(ends.as_millis().to_string()));
        put.send().await.map(|_| ()).map_err(|error| Fault::of(&error))
    }

    /// Renews a lease. Returns whether it was still open.
    pub(super) async fn renew_lease(&self, holder: u64, ends: Timestamp) -> Result<bool, Fault> {
        let (_, ttl) = forgotten(ends);
        let update = self
            .update()
            .set_key(Some(self.items.lease_key(holder)))
            .update_expression("SET x = :x, #ttl = :ttl")
            .condition_expression("attribute_exists(n) AND attribute_not_exists(dead)")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":x", Value::N(ends.as_millis().to_string()))
            .expression_attribute_values(":ttl", ttl);
        Ok(updated(update).await?.is_some())
    }

    /// Closes a lease that has run out. Returns whether it has not been renewed meanwhile.
    pub(super) async fn close_lease(&self, lease: Found) -> Result<bool, Fault> {
        let update = self
            .update()
            .set_key(Some(self.items.lease_key(lease.holder)))
            .update_expression("SET dead = :true")
            .condition_expression("x = :x")
            .expression_attribute_values(":true", Value::Bool(true))
            .expression_attribute_values(":x", Value::N(lease.ends.as_millis().to_string()));
        Ok(updated(update).await?.is_some())
    }

    /// Whether a lease is there, and open.
    pub(super) async fn is_lease_open(&self, holder: u64) -> Result<bool, Fault> {
        let lease = self.get_item(self.items.lease_key(holder)).await?;
        Ok(lease.is_some_and(|lease| !lease.contains_key("dead")))
    }

    /// Deletes a lease.
    pub(super) async fn delete_lease(&self, holder: u64) -> Result<(), Fault> {
        self.delete(self.items.lease_key(holder)).await
    }

    /// All leases.
    pub(super) async fn leases(&self) -> Result<Vec<Found>, Fault> {
        let mut all = Vec::new();
        let mut next = None;
        loop {
            let query = self
                .partition(self.items.leases())
                .key_condition_expression("s = :s")
                .set_exclusive_start_key(next);
            let read = query.send().await.map_err(|error| Fault::of(&error))?;
            for item in read.items.unwrap_or_default() {
                all.push(Found {
                    holder: read_number(&item, "n")?,
                    ends: Timestamp::from_millis(read_number(&item, "x")?),
                    is_closed: item.contains_key("dead"),
                });
            }
            next = read.last_evaluated_key;
            if next.is_none() {
                return Ok(all);
            }
        }
    }

    /// Rows with these keys, as many as come at once. One that another version wrote is left to that
    /// version, and keeps nobody from the others. Only its key is told, which is made from digests.
    pub(super) async fn rows(&self, keys: RangeInclusive<Key>) -> Result<Rows, Fault> {
        let (first, last) = keys.into_inner();
        if first > last {
            return Ok(Rows { rows: Vec::new(), next: None });
        }
        let query = self
            .partition(self.items.rows())
            .key_condition_expression("s = :s AND n BETWEEN :first AND :last")
            .expression_attribute_values(":first", Value::N(first.to_string()))
            .expression_attribute_values(":last", Value::N(last.to_string()));
        let read = query.send().await.map_err(|error| Fault::of(&error))?;
        let mut rows = Vec::new();
        for item in read.items.unwrap_or_default() {
            let key = read_key(&item)?;
            match read_row(item) {
                Ok(row) => rows.push(row),
                Err(malformed) => warn!(%key, %malformed, "a subscription cannot be read"),
            }
        }
        let last = read.last_evaluated_key.map(|last| read_key(&last)).transpose()?;
        Ok(Rows { rows, next: last.map(|last| last + 1) })
    }

    fn partition(&self, name: Value) -> QueryFluentBuilder {
        let query = self.reads.query().table_name(&self.name).consistent_read(true);
        query.expression_attribute_values(":s", name)
    }

    fn update(&self) -> UpdateItemFluentBuilder {
        self.reads.update_item().table_name(&self.name)
    }

    async fn delete(&self, key: crate::log::item::Item) -> Result<(), Fault> {
        let delete = self.reads.delete_item().table_name(&self.name).set_key(Some(key));
        delete.send().await.map(|_| ()).map_err(|error| Fault::of(&error))
    }
}

/// Makes an update; `None` if its condition does not hold.
async fn updated(update: UpdateItemFluentBuilder) -> Result<Option<UpdateItemOutput>, Fault> {
    match update.send().await {
        Ok(output) => Ok(Some(output)),
        Err(error) => match error.as_service_error() {
            Some(error) if error.is_conditional_check_failed_exception() => Ok(None),
            _ => Err(Fault::of(&error)),
        },
    }
}
