//! Seats: how many streams an account has, over all execution environments.
//!
//! An environment of Lambda serves one stream, so what it counts by itself says nothing. So each
//! account has as many numbered seats in the table as it may have streams:
//!
//! | attribute | holds |
//! |---|---|
//! | `s`, `n` | the key: `seats#`, the log's name, `#` and the account; the seat's number |
//! | `x` | until when it is taken (milliseconds) |
//! | `ttl` | when DynamoDB may delete it (seconds) |
//!
//! A stream takes a free one until its planned end, whether its reader stays or not: Lambda is not told
//! when a client goes, and the stream lives on. So a stream that ends as planned leaves nothing to do,
//! and a process that dies keeps no seat. One that ends early leaves its seats, however it ends: they are
//! left when they are dropped. Two that are after the same seat are told apart by a condition; so an
//! account never has more streams than seats, but for the difference between clocks.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue as Value;
use cinnabar_core::{Account, Quota, Timestamp};
use tokio::runtime::Handle;

use super::fault::Fault;
use super::item::{Item, number, read_number, text};
use super::random;
use super::table::Table;

/// How many seats are tried, if others take them first.
const ATTEMPTS: usize = 3;

/// A seat that is free this soon need not be left: its client takes as long to come back.
const SOON: Duration = Duration::from_secs(2);

/// What became of a subscriber who asked for seats.
#[derive(Debug)]
pub enum Seating {
    /// It has one on each of its accounts.
    Taken(Seats),
    /// This account has none left.
    Full(Account),
}

/// The seats of one stream, which are left when they are dropped.
#[derive(Default)]
pub struct Seats(Option<Taken>);

struct Taken {
    table: Arc<Table>,
    seats: Vec<Seat>,
}

#[derive(Clone, Copy, Debug)]
struct Seat {
    account: Account,
    number: u64,
    /// Until when it is taken.
    until: Timestamp,
}

/// Takes a seat on each of these accounts, or none.
pub(super) async fn take(
    table: &Arc<Table>,
    quotas: &[Quota],
    until: Timestamp,
) -> Result<Seating, Fault> {
    let mut taken = Taken { table: Arc::clone(table), seats: Vec::new() };
    for quota in quotas {
        match table.take_seat(quota, until).await {
            Ok(Some(seat)) => taken.seats.push(seat),
            Ok(None) => {
                taken.leave().await;
                return Ok(Seating::Full(quota.account()));
            }
            Err(fault) => {
                taken.leave().await;
                return Err(fault);
            }
        }
    }
    Ok(Seating::Taken(Seats((!taken.seats.is_empty()).then_some(taken))))
}

impl Seats {
    /// Whether there are none to leave.
    #[must_use]
    pub fn are_none(&self) -> bool {
        self.0.is_none()
    }

    /// Leaves them. If that fails, they are free at the planned end of their stream.
    pub async fn leave(mut self) {
        if let Some(taken) = self.0.take() {
            taken.leave().await;
        }
    }
}

impl Drop for Seats {
    fn drop(&mut self) {
        if let Some(taken) = self.0.take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(taken.leave());
        }
    }
}

impl fmt::Debug for Seats {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seats = self.0.as_ref().map_or(0, |taken| taken.seats.len());
        formatter.debug_tuple("Seats").field(&seats).finish()
    }
}

impl Taken {
    async fn leave(self) {
        for seat in self.seats {
            if let Err(fault) = self.table.leave_seat(seat).await {
                tracing::warn!("a seat was not left: {fault}");
            }
        }
    }
}

impl Table {
    /// Takes a free seat, if there is one.
    async fn take_seat(&self, quota: &Quota, until: Timestamp) -> Result<Option<Seat>, Fault> {
        let now = self.now().wall;
        let account = quota.account();
        let taken = self.taken_seats(account, now).await?;
        let most = u64::from(quota.most());
        // From a random one on, since others may be looking at the same moment.
        let offset = random::bytes().map_or(0, u64::from_be_bytes) % most;
        let free = (0..most).map(|number| (number + offset) % most);
        let free = free.filter(|number| !taken.contains(number)).take(ATTEMPTS);
        for number in free {
            let seat = Seat { account, number, until };
            if self.sit(seat, now).await? {
                return Ok(Some(seat));
            }
        }
        Ok(None)
    }

    /// The numbers of the seats that are taken.
    async fn taken_seats(&self, account: Account, now: Timestamp) -> Result<BTreeSet<u64>, Fault> {
        let mut taken = BTreeSet::new();
        let mut from = None;
        loop {
            let query = self
                .reads
                .query()
                .table_name(&self.name)
                .key_condition_expression("s = :s")
                .expression_attribute_values(":s", Value::S(self.seats(account)))
                .consistent_read(true)
                .set_exclusive_start_key(from);
            let output = query.send().await.map_err(|error| Fault::of(&error))?;
            for item in output.items.unwrap_or_default() {
                if read_number(&item, "x")? > now.as_millis() {
                    taken.insert(read_number(&item, "n")?);
                }
            }
            from = output.last_evaluated_key;
            if from.is_none() {
                return Ok(taken);
            }
        }
    }

    /// Writes that a seat is taken, unless it is. Returns whether it was free.
    async fn sit(&self, seat: Seat, now: Timestamp) -> Result<bool, Fault> {
        let put = self.put_seat(seat, seat.until);
        let put = put.condition_expression("attribute_not_exists(n) OR x <= :now");
        written(put.expression_attribute_values(":now", Value::N(now.as_millis().to_string())))
            .await
    }

    /// Writes that a seat is free, if it is still its stream's.
    async fn leave_seat(&self, seat: Seat) -> Result<(), Fault> {
        let Seat { until, .. } = seat;
        if until <= self.now().wall.plus(SOON) {
            return Ok(());
        }
        let put = self.put_seat(seat, Timestamp::default()).condition_expression("x = :until");
        let until = Value::N(until.as_millis().to_string());
        written(put.expression_attribute_values(":until", until)).await.map(|_| ())
    }

    fn put_seat(&self, seat: Seat, until: Timestamp) -> PutItemFluentBuilder {
        let item = self.seat(seat, until);
        self.reads.put_item().table_name(&self.name).set_item(Some(item))
    }

    fn seat(&self, seat: Seat, until: Timestamp) -> Item {
        let ttl = until.max(self.now().wall).as_millis().div_ceil(1_000);
        Item::from([
            text("s", &self.seats(seat.account)),
            number("n", seat.number),
            number("x", until.as_millis()),
            number("ttl", ttl),
        ])
    }

    fn seats(&self, account: Account) -> String {
        format!("seats#{}#{account}", self.items.shard)
    }
}

/// Writes an item. Returns whether its condition held.
async fn written(put: PutItemFluentBuilder) -> Result<bool, Fault> {
    match put.send().await {
        Ok(_) => Ok(true),
        Err(error) => match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(false),
            _ => Err(Fault::of(&error)),
        },
    }
}
