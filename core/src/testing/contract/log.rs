//! A log as the contract sees it.

use std::sync::Arc;

use crate::feed::FollowerId;
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

    /// The same as [`Log::register`] for a follower, which may ask twice; `false` if no follower can be
    /// noted, or a test cannot reach that.
    async fn register_for(
        &self,
        _follower: FollowerId,
        _subscriptions: Subscriptions,
    ) -> Result<bool, String> {
        Ok(false)
    }

    /// The followers that hold what is noted as active.
    async fn followers(&self) -> Result<Vec<FollowerId>, String> {
        Ok(Vec::new())
    }

    /// Appends the ends of all that a follower holds, which does not come back, and of what an earlier
    /// process held.
    async fn end_all_of(&self, _follower: FollowerId) -> Result<(), String> {
        Ok(())
    }

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
