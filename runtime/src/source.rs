//! What streams need of a log.
//!
//! A log may call its readers or have to be asked: a [`Tail`] hides which. One that has to be asked
//! implements [`PolledTail`](crate::PolledTail), and [`Paced`](crate::Paced) decides how often. One
//! that calls implements [`Tail`] itself:
//!
//! ```
//! use cinnabar_core::{Appended, Timestamp};
//! use cinnabar_runtime::{Read, SourceError, Tail, machine};
//! use tokio::sync::broadcast::{Receiver, error::RecvError};
//!
//! #[derive(Debug, thiserror::Error)]
//! #[error("the log was lost: {0}")]
//! struct Lost(#[from] RecvError);
//!
//! impl SourceError for Lost {
//!     fn is_passing(&self) -> bool {
//!         false
//!     }
//! }
//!
//! /// Subscribed to what the writer announces once it is durable.
//! struct Announced(Receiver<Appended>);
//!
//! impl Tail for Announced {
//!     type Error = Lost;
//!
//!     async fn next(&mut self) -> Result<Read, Lost> {
//!         let appended = self.0.recv().await?;
//!         Ok(Read { reached: appended.position, as_of: machine::now(), updates: vec![appended] })
//!     }
//! }
//! ```

use std::error::Error;
use std::sync::Arc;

use cinnabar_core::{
    Appended, CursorKey, Fetch, Located, Location, Page, Place, Position, Subscribe, Timestamp,
};

/// A log that streams follow; a clone is another handle on the same log.
///
/// Every call may take its time and may fail: the runtime makes each in a task of its own. A
/// subscriber whose place cannot be found is asked to come back, and a stream whose page cannot be
/// read is cut.
pub trait Source: Clone + Send + Sync + 'static {
    /// Why it did not answer.
    type Error: SourceError;
    /// Follows it.
    type Tail: Tail<Error = Self::Error>;

    /// Opens the log: the key of its cursors. Called until it succeeds once.
    fn open(&self) -> impl Future<Output = Result<CursorKey, Self::Error>> + Send;

    /// Where the log ends: at or after everything acknowledged before the call.
    fn head(&self) -> impl Future<Output = Result<Position, Self::Error>> + Send;

    /// Finds a place in the log, for a holder at a position.
    fn locate(
        &self,
        location: Location,
        holder: Position,
    ) -> impl Future<Output = Result<Located, Self::Error>> + Send;

    /// Reads a page of history. It may leave out what [`Subscribe::selects`] rejects.
    fn page(
        &self,
        fetch: Fetch,
        subscription: Arc<Subscribe>,
    ) -> impl Future<Output = Result<Page, Self::Error>> + Send;

    /// Follows the log from a place on, which was its end at that time.
    fn tail(&self, from: Place) -> Self::Tail;
}

/// Follows a log, for as long as there are streams: dropped with the last of them.
pub trait Tail: Send + 'static {
    /// Why it did not answer.
    type Error: SourceError;

    /// Waits for what comes next, and paces itself: the runtime calls again as soon as it has
    /// handled the answer, whatever it was. So a tail that has failed waits before it fails again.
    ///
    /// It may answer without updates, to say that the log still ends where it did. A log that drops
    /// updates by age has to, now and then: a position that a quiet stream is told is only as fresh
    /// as the last [`Read::as_of`].
    ///
    /// The future is never dropped without the tail.
    fn next(&mut self) -> impl Future<Output = Result<Read, Self::Error>> + Send;
}

/// What a tail has read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The updates that may now be delivered: those that follow what was read before, in order.
    pub updates: Vec<Appended>,
    /// How far the log was read: numbers that will never have an update count.
    pub reached: Position,
    /// Nothing after `reached` was published before this moment: the time before the look that
    /// found the end of the log there.
    pub as_of: Timestamp,
}

/// Why a log did not answer.
pub trait SourceError: Error + Send + 'static {
    /// Whether asking again may help. If not, somebody has to look at the log.
    fn is_passing(&self) -> bool;
}
