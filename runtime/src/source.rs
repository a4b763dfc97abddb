//! What streams need of a log.
//!
//! A log may call its readers or have to be asked: a [`Tail`] hides which. One that has to be asked
//! implements [`PolledTail`](crate::PolledTail), and [`Paced`](crate::Paced) decides how often. One
//! that calls implements [`Tail`] itself:
//!
//! ```
//! use cinnabar_core::{Appended, Place};
//! use cinnabar_runtime::{Fault, Read, SourceError, Tail};
//! use tokio::sync::broadcast::{Receiver, error::RecvError};
//!
//! #[derive(Debug, thiserror::Error)]
//! #[error("the log was lost: {0}")]
//! struct Lost(#[from] RecvError);
//!
//! impl SourceError for Lost {
//!     fn fault(&self) -> Fault {
//!         Fault::Overtaken
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
//!         // This log knows what it has dropped, so its places need no date.
//!         let reached = Place::undated(appended.position);
//!         Ok(Read { updates: vec![appended], reached })
//!     }
//! }
//! ```

use std::error::Error;
use std::sync::Arc;

use cinnabar_core::{
    ActiveSubscription, Appended, CursorKey, Fetch, Located, Location, Page, Place, Position,
    Subscribe, Subscriptions,
};

/// A log that streams follow; a clone is another handle on the same log.
///
/// Every call may take its time and may fail, so the runtime makes each in its own task. A
/// subscriber whose place cannot be found is asked to come back, and a stream whose page cannot be
/// read is cut.
pub trait Source: Clone + Send + Sync + 'static {
    /// Why it did not answer.
    type Error: SourceError;
    /// Follows it.
    type Tail: Tail<Error = Self::Error>;

    /// Opens the log: the key of its cursors. Called until it succeeds, each time when the first stream
    /// of several begins.
    fn open(&self) -> impl Future<Output = Result<CursorKey, Self::Error>> + Send;

    /// Where the log ends: at or after everything acknowledged before the call.
    fn head(&self) -> impl Future<Output = Result<Position, Self::Error>> + Send;

    /// Finds a place in the log.
    fn locate(
        &self,
        location: Location,
    ) -> impl Future<Output = Result<Located, Self::Error>> + Send;

    /// Reads a page of history, as a [`Pager`](cinnabar_core::Pager) fills it.
    fn page(
        &self,
        fetch: Fetch,
        subscription: Arc<Subscribe>,
    ) -> impl Future<Output = Result<Page, Self::Error>> + Send;

    /// Appends the events of these subscriptions' beginnings and notes that they are active: all of it
    /// or nothing. Once this returns, it is durable.
    fn register(
        &self,
        subscriptions: Subscriptions,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Appends the events of the ends of those that are noted as active, and notes that they are
    /// active no longer. The others have ended before.
    fn unregister(
        &self,
        subscriptions: Subscriptions,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Some of what is noted as active, if only this process can hold it, in the order of topics and
    /// behind this one; nothing where nothing is left. What no stream has is then unregistered: the
    /// process that held it was killed, or could not say that it had ended.
    fn registered(
        &self,
        after: String,
    ) -> impl Future<Output = Result<Vec<ActiveSubscription>, Self::Error>> + Send;

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
    /// as the last [`Read`].
    ///
    /// The future is never dropped without the tail.
    fn next(&mut self) -> impl Future<Output = Result<Read, Self::Error>> + Send;
}

/// What a tail has read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The updates that may now be delivered: those that follow what was read before, in order.
    pub updates: Vec<Appended>,
    /// How far the log was read: numbers that will never have an update count. Its time is the one
    /// before the look that found the end of the log there.
    pub reached: Place,
}

/// Why a log did not answer.
pub trait SourceError: Error + Send + 'static {
    /// What that means for the caller.
    fn fault(&self) -> Fault;
}

/// What a failure means for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Asking again may help.
    Passing,
    /// Asking again will not help: somebody has to look at the log.
    Lasting,
    /// A tail has missed updates, or may have: nothing it reads can follow what it read before. All
    /// streams are cut, and their clients resume with a new tail.
    Overtaken,
}
