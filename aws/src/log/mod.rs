//! The log of updates, in a DynamoDB table: write-once cells with numbers from a counter, after
//! CORFU (Balakrishnan et al., "CORFU: A Distributed Shared Log", TOCS 2013).
//!
//! ```text
//!  publisher ── ADD 1 ──▶ head          n
//!      └── put, if absent ──▶ cell n ◀── seal, if absent ── reader, at a number that stays missing
//!                               │
//!                               └──▶ readers, in the order of numbers, never past a missing one
//! ```
//!
//! Publishers never wait for each other: the counter gives each its number, and each writes its own
//! cell. The harm that they can do to each other, by dying, being late or missing an answer, is
//! what the twelve rules in `docs/aws-log.md` are about; it also says what goes wrong without each.
//!
//! Decisions are kept apart from calls, so that a model (`tests/model`) can drive the same code
//! through all interleavings:
//!
//! | decided, without I/O or a clock | rules | carried out |
//! |---|---|---|
//! | [`publication`]: what a publisher does next | 1, 2, 3, 5 | `append` |
//! | [`reader`]: what a reader delivers, passes, probes, seals | 6, 7, 10 | `tail`, `replay` |
//! | [`lookup`]: where a reader begins | 9, 11 | `locate` |
//! | [`timing`]: bounds, and what they allow | 1, 4, 7, 9, 10 | |
//! | [`cell`]: what a number holds | | `item`: as an item; `table`: the calls |
//!
//! Beside the log, the table notes who is here: [`presence`].

mod append;
pub mod cell;
mod clock;
mod error;
mod fault;
mod item;
mod locate;
pub mod lookup;
pub mod presence;
pub mod publication;
mod random;
pub mod reader;
mod replay;
mod seats;
mod table;
mod tail;
pub mod timing;

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use cinnabar_core::{
    CursorKey, Fetch, IdOrigin, Located, Location, Page, Place, Position, Quota, Subscribe,
    Timestamp, Update,
};

pub use clock::{Clock, Moment, SystemClock};
pub use error::{AppendError, LogError};
pub use item::ITEM_LIMIT;
pub use seats::{Seating, Seats};
pub use tail::{Read, Tail};

use table::Table;
use timing::Timing;

/// Which log, and how long it keeps updates.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The table.
    pub table: String,
    /// The name of the log in the table; at most 255 bytes.
    pub shard: String,
    /// How long an update is kept; raised to the platform's shortest history if it is shorter.
    pub retention: Duration,
}

/// A handle on the log.
#[derive(Clone, Debug)]
pub struct Log {
    table: Arc<Table>,
}

impl Log {
    /// A log in this table.
    #[must_use]
    pub fn new(client: Client, settings: Settings) -> Self {
        Self::with_clock(client, settings, Arc::new(SystemClock::default()))
    }

    /// The same, with another clock.
    #[must_use]
    pub fn with_clock(client: Client, settings: Settings, clock: Arc<dyn Clock>) -> Self {
        let timing = Timing::new(settings.retention);
        let table = Table::new(&client, settings.table, settings.shard, timing, clock);
        Self { table: Arc::new(table) }
    }

    /// Opens the log, or makes it if there is none. Returns the key of its cursors.
    ///
    /// # Errors
    ///
    /// See [`LogError`].
    pub async fn open(&self) -> Result<CursorKey, LogError> {
        if let Some(head) = self.table.head().await? {
            return Ok(CursorKey::from_bytes(head.key));
        }
        // A lost head must not be made again: it would give numbers away twice (rule 12).
        if !self.table.cells(Position::START, None, Some(1), true).await?.cells.is_empty() {
            return Err(LogError::Broken("there are updates, and the head is missing".into()));
        }
        let key = random::bytes()
            .ok_or_else(|| LogError::Unavailable("there are no random bytes".into()))?;
        self.table.make_head(key).await?;
        // Another process may have made it first.
        let head = self.table.head().await?.ok_or_else(table::head_is_missing)?;
        Ok(CursorKey::from_bytes(head.key))
    }

    /// Appends an update. Once this succeeds, the update is durable and may be acknowledged.
    ///
    /// # Errors
    ///
    /// See [`AppendError`].
    pub async fn append(
        &self,
        update: &Update,
        id_origin: IdOrigin,
    ) -> Result<Position, AppendError> {
        append::append(&self.table, update, id_origin).await
    }

    /// The newest number that was given away, read consistently: where a new holder begins. A
    /// holder exists only while it has streams, since after a freeze its knowledge would be too old
    /// (rule 8).
    ///
    /// # Errors
    ///
    /// See [`LogError`].
    pub async fn head(&self) -> Result<Position, LogError> {
        Ok(self.table.last().await?)
    }

    /// Finds a place in the log. This may take some seconds when `earliest` follows a very long
    /// silence.
    ///
    /// # Errors
    ///
    /// See [`LogError`].
    pub async fn locate(&self, location: Location) -> Result<Located, LogError> {
        Ok(locate::locate(&self.table, location).await?)
    }

    /// Reads a page of history for a subscriber's stream. This may take a second or two if a
    /// publisher has died.
    ///
    /// # Errors
    ///
    /// See [`LogError`].
    pub async fn page(&self, fetch: &Fetch, subscribe: &Subscribe) -> Result<Page, LogError> {
        Ok(replay::page(&self.table, fetch, subscribe).await?)
    }

    /// Follows the log from a place on: the position from [`Log::head`], and the time before that
    /// was asked.
    #[must_use]
    pub fn tail(&self, from: Place) -> Tail {
        Tail::new(Table::clone(&self.table), from)
    }

    /// Takes a seat for a stream on each of these accounts, until it ends; or none, if one of them has
    /// as many streams as it may.
    ///
    /// # Errors
    ///
    /// See [`LogError`].
    pub async fn take_seats(
        &self,
        quotas: &[Quota],
        until: Timestamp,
    ) -> Result<Seating, LogError> {
        Ok(seats::take(&self.table, quotas, until).await?)
    }

    /// Writes an item of its own and reads it back.
    ///
    /// # Errors
    ///
    /// See [`LogError`].
    pub async fn check_health(&self) -> Result<(), LogError> {
        Ok(self.table.check_health().await?)
    }
}
