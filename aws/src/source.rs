//! What streams ask of a log: the log in DynamoDB, or one in memory that a test moves.

use std::sync::Arc;

use cinnabar_core::{CursorKey, Fetch, Located, Location, Page, Place, Position, Subscribe};

use crate::log::{Log, LogError, Read, Tail};

/// A log that streams follow.
pub trait Source: Clone + Send + Sync + 'static {
    /// Follows the log.
    type Tail: Send + 'static;

    /// Opens the log: the key of its cursors.
    fn open(&self) -> impl Future<Output = Result<CursorKey, LogError>> + Send;
    /// Where a new holder begins.
    fn head(&self) -> impl Future<Output = Result<Position, LogError>> + Send;
    /// Finds a place in the log, for a stream whose longest replay begins at `floor`, and whose
    /// holder is at `end`.
    fn locate(
        &self,
        location: Location,
        floor: Position,
        end: Position,
    ) -> impl Future<Output = Result<Located, LogError>> + Send;
    /// Reads a page of history for a subscription.
    fn page(
        &self,
        fetch: Fetch,
        subscription: Arc<Subscribe>,
    ) -> impl Future<Output = Result<Page, LogError>> + Send;
    /// Follows the log from a place on: its head, and the time before that was looked up.
    fn tail(&self, from: Place) -> Self::Tail;
    /// Asks once for what is new.
    fn poll(tail: &mut Self::Tail) -> impl Future<Output = Result<Read, LogError>> + Send;
}

impl Source for Log {
    type Tail = Tail;

    async fn open(&self) -> Result<CursorKey, LogError> {
        self.open().await
    }

    async fn head(&self) -> Result<Position, LogError> {
        self.head().await
    }

    async fn locate(
        &self,
        location: Location,
        floor: Position,
        end: Position,
    ) -> Result<Located, LogError> {
        self.locate(location, floor, end).await
    }

    async fn page(&self, fetch: Fetch, subscription: Arc<Subscribe>) -> Result<Page, LogError> {
        self.page(&fetch, |topics, private| subscription.selects(topics, private)).await
    }

    fn tail(&self, from: Place) -> Tail {
        self.tail(from)
    }

    async fn poll(tail: &mut Tail) -> Result<Read, LogError> {
        tail.poll().await
    }
}
