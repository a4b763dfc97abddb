//! A log as the contract sees it.

use std::sync::Arc;

use crate::{
    Answer, Appended, Fetch, List, Located, Location, Page, Position, Subscribe, Subscriptions,
    Timestamp, Update,
};

/// A log to be checked. It is empty at first, and nothing else writes to it.
#[expect(async_fn_in_trait, reason = "implemented by tests alone, on one thread")]
pub trait Log {
    /// Appends an update, and makes it durable.
    async fn append(&self, update: Update) -> Result<Position, String>;

    /// Answers a [`Location`].
    async fn locate(&self, location: Location) -> Result<Located, String>;

    /// Reads a page.
    async fn page(&self, fetch: Fetch, subscribe: Arc<Subscribe>) -> Result<Page, String>;

    /// Every update after a position, as a follower of the log learns of them.
    async fn tail(&self, after: Position) -> Result<Vec<Appended>, String>;

    /// Drops all updates up to `last`, the way this log drops updates; `false` if a test cannot
    /// make it.
    async fn drop_through(&self, last: Position) -> Result<bool, String>;

    /// Appends the beginnings of subscriptions, and notes that they are active.
    async fn register(&self, subscriptions: Subscriptions) -> Result<(), String>;

    /// Appends the ends of those that are noted as active, and notes that they are not.
    async fn unregister(&self, subscriptions: Subscriptions) -> Result<(), String>;

    /// Answers who is here.
    async fn list(&self, list: &List) -> Result<Answer, String>;

    /// Whether it notes who is here.
    fn notes_who_is_here(&self) -> bool {
        true
    }

    /// Opens it again, as after its process has died, and returns true. A log that outlives every
    /// process has nothing to do.
    async fn reopen(&self) -> Result<bool, String> {
        Ok(false)
    }

    /// The current time, by the log's clock.
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1)
    }
}

/// How one case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The case.
    pub case: &'static str,
    /// What went wrong, if anything did.
    pub broken: Option<String>,
}
