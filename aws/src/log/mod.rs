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
//! cell. What they may do to each other, by dying, by being late, by not hearing an answer, is the
//! matter of twelve rules; `docs/aws-log.md` has them all, and what goes wrong without each.
//!
//! What is decided is apart from what is called, so that a model (`tests/model`) can drive the very
//! decisions through all interleavings:
//!
//! | decided, without I/O or a clock | rules | carried out |
//! |---|---|---|
//! | [`publication`]: what a publisher does next | 1, 2, 3, 5 | `append` |
//! | [`reader`]: what a reader delivers, passes, probes, seals | 6, 7 | `tail`, `replay` |
//! | [`lookup`]: where a reader begins | 9, 11 | `locate` |
//! | [`timing`]: bounds, and what they allow | 1, 4, 9, 10 | |
//! | [`cell`]: what a number holds | | `item`: as an item; `table`: the calls |

mod append;
pub mod cell;
mod clock;
mod fault;
mod item;
mod locate;
pub mod lookup;
pub mod publication;
mod random;
pub mod reader;
mod replay;
mod table;
mod tail;
pub mod timing;

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use cinnabar_core::{CursorKey, Fetch, Located, Location, Page, Position, Update};

pub use clock::{Clock, Moment, SystemClock};
pub use item::ITEM_LIMIT;
pub use tail::{Read, Tail};

use table::{Head, Table};
use timing::Timing;

/// Which log, and how long it keeps what.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The table.
    pub table: String,
    /// The name of the log in the table; at most 255 bytes.
    pub shard: String,
    /// How long an update is kept; at least ten minutes, whatever is said here.
    pub retention: Duration,
    /// How many updates are replayed to one subscriber at most.
    pub replay_max: u64,
}

/// A handle on the log.
#[derive(Clone, Debug)]
pub struct Log {
    table: Arc<Table>,
    replay_max: u64,
}

/// The log could not be read, or made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// DynamoDB did not answer, or refused: ask again.
    #[error("the table did not answer: {0}")]
    Unavailable(String),
    /// The log is not what it should be: asking again will not help.
    #[error("the log is broken: {0}")]
    Broken(String),
}

/// An update was not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The update may or may not become visible (503); to publish it again, with an id of the
    /// publisher's own, is right.
    #[error("the update may or may not be published: {0}")]
    Unavailable(String),
    /// The update does not fit into an item of DynamoDB (413).
    #[error("the update takes {bytes} bytes as an item of DynamoDB, which takes {limit} at most")]
    TooLarge {
        /// What it takes.
        bytes: usize,
        /// What there is.
        limit: usize,
    },
    /// The log is not what it should be (500), and somebody has to look at it.
    #[error("the log is broken: {0}")]
    Broken(String),
}

impl Log {
    /// A log of this table.
    #[must_use]
    pub fn new(client: Client, settings: Settings) -> Self {
        Self::with_clock(client, settings, Arc::new(SystemClock::default()))
    }

    /// The same, by another clock.
    #[must_use]
    pub fn with_clock(client: Client, settings: Settings, clock: Arc<dyn Clock>) -> Self {
        let timing = Timing::new(settings.retention);
        let table = Table::new(&client, settings.table, settings.shard, timing, clock);
        Self { table: Arc::new(table), replay_max: settings.replay_max }
    }

    /// Opens the log, and makes it where there is none: the key of its cursors.
    ///
    /// # Errors
    ///
    /// See [`LogError`].
    pub async fn open(&self) -> Result<CursorKey, LogError> {
        if let Some(head) = self.table.head().await? {
            return Ok(CursorKey::from_bytes(head.key));
        }
        // A head that was lost must not be made again: it would give numbers away twice (rule 12).
        if !self.table.cells(Position::START, None, Some(1), true).await?.cells.is_empty() {
            return Err(LogError::Broken("there are updates, and the head is missing".into()));
        }
        let key = random::bytes()
            .ok_or_else(|| LogError::Unavailable("there are no random bytes".into()))?;
        self.table.make_head(key).await?;
        // Another may have been first.
        Ok(CursorKey::from_bytes(self.expect_head().await?.key))
    }

    /// Appends an update; where this succeeds it is durable, and may be acknowledged.
    ///
    /// # Errors
    ///
    /// See [`AppendError`].
    pub async fn append(&self, update: &Update) -> Result<Position, AppendError> {
        append::append(&self.table, update).await
    }

    /// The newest number that was given away, read consistently: where a new holder begins. A holder
    /// exists only while it has streams; what it knew before a freeze is old (rule 8).
    ///
    /// # Errors
    ///
    /// See [`LogError`].
    pub async fn head(&self) -> Result<Position, LogError> {
        Ok(self.expect_head().await?.last)
    }

    async fn expect_head(&self) -> Result<Head, LogError> {
        let head = self.table.head().await?;
        head.ok_or_else(|| LogError::Broken("the head of the log is missing".into()))
    }

    /// Finds a place in the log, for a stream whose holder is at a position. It may take some
    /// seconds where `earliest` follows a very long silence.
    ///
    /// # Errors
    ///
    /// See [`LogError`].
    pub async fn locate(&self, location: Location, holder: Position) -> Result<Located, LogError> {
        locate::locate(&self.table, location, holder, self.replay_max).await
    }

    /// Reads a page of history, and leaves out updates whose topics and privacy are not wanted. It
    /// may take a second or two where a publisher has died.
    ///
    /// # Errors
    ///
    /// See [`LogError`].
    pub async fn page(
        &self,
        fetch: &Fetch,
        wants: impl Fn(&str, &str, bool) -> bool,
    ) -> Result<Page, LogError> {
        replay::page(&self.table, fetch, wants).await
    }

    /// Follows the log from a position on.
    #[must_use]
    pub fn tail(&self, from: Position) -> Tail {
        Tail::new(Table::clone(&self.table), from)
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
