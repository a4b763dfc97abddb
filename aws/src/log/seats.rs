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
//! when a client goes, and the stream lives on. So no process has to leave a seat, and none that dies
//! keeps it. Two that are after the same seat are told apart by a condition; so an account never has
//! more streams than seats, but for the difference between clocks.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::AttributeValue as Value;
use cinnabar_core::{Account, Quota, Timestamp};

use super::fault::Fault;
use super::item::{Item, number, read_number, text};
use super::random;
use super::table::Table;

/// How many seats are tried, if others take them first.
const ATTEMPTS: usize = 3;

/// What became of a subscriber who asked for seats.
#[derive(Debug)]
pub enum Seating {
    /// It has one on each of its accounts.
    Taken(Seats),
    /// This account has none left.
    Full(Account),
}

/// The seats of one stream.
#[derive(Debug, Default)]
pub struct Seats(Vec<Seat>);

#[derive(Clone, Copy, Debug)]
struct Seat {
    account: Account,
    number: u64,
}

/// Takes a seat on each of these accounts, or none.
pub(super) async fn take(
    table: &Table,
    quotas: &[Quota],
    until: Timestamp,
) -> Result<Seating, Fault> {
    let mut seats = Seats::default();
    for quota in quotas {
        match table.take_seat(quota, until).await {
            Ok(Some(seat)) => seats.0.push(seat),
            Ok(None) => {
                leave(table, seats).await;
                return Ok(Seating::Full(quota.account()));
            }
            Err(fault) => {
                leave(table, seats).await;
                return Err(fault);
            }
        }
    }
    Ok(Seating::Taken(seats))
}

/// Leaves the seats of a stream that did not begin. If that fails, they are free a little later.
pub(super) async fn leave(table: &Table, seats: Seats) {
    for seat in seats.0 {
        if let Err(fault) = table.leave_seat(seat).await {
            tracing::warn!("a seat was not left: {fault}");
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
            let seat = Seat { account, number };
            if self.sit(seat, until, now).await? {
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
    async fn sit(&self, seat: Seat, until: Timestamp, now: Timestamp) -> Result<bool, Fault> {
        let put = self
            .reads
            .put_item()
            .table_name(&self.name)
            .set_item(Some(self.seat(seat, until)))
            .condition_expression("attribute_not_exists(n) OR x <= :now")
            .expression_attribute_values(":now", Value::N(now.as_millis().to_string()));
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(Fault::of(&error)),
            },
        }
    }

    async fn leave_seat(&self, seat: Seat) -> Result<(), Fault> {
        let item = self.seat(seat, Timestamp::default());
        let put = self.reads.put_item().table_name(&self.name).set_item(Some(item));
        put.send().await.map(|_| ()).map_err(|error| Fault::of(&error))
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
