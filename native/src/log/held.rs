//! What followers of this log hold: their subscriptions are noted in it as this process's own are.

use std::sync::Arc;

use cinnabar_core::Subscriptions;
use cinnabar_core::feed::FollowerId;
use cinnabar_runtime::Source;

use crate::log::database::Database;
use crate::log::error::LogError;
use crate::log::transaction::Entry;
use crate::log::writer::{Append, Job};
use crate::log::{Log, room_for};

impl Log {
    /// The followers that hold subscriptions, with all that was asked before this to be noted.
    pub(crate) async fn followers(&self) -> Result<Vec<FollowerId>, LogError> {
        self.ask(Job::FeedFollowers).await?
    }

    /// Notes that a follower's subscriptions are active, as [`Source::register`] does for this process's.
    pub(crate) async fn register_for(
        &self,
        follower: FollowerId,
        subscriptions: Subscriptions,
    ) -> Result<(), LogError> {
        let room = room_for(subscriptions.size());
        let room = Arc::clone(&self.notes_room).try_acquire_many_owned(room);
        let room = room.map_err(|_| LogError::Full)?;
        let entry = Entry::BeginFor(follower, subscriptions);
        self.ask(|done| Job::Append(Append { entry, done, room })).await?.map(drop)
    }

    /// Notes what a follower holds as nobody's.
    pub(crate) async fn disown(&self, follower: FollowerId) -> Result<(), LogError> {
        let room = Arc::clone(&self.notes_room).acquire_owned().await;
        let room = room.map_err(|_| LogError::Closed)?;
        let entry = Entry::Disown(follower);
        self.ask(|done| Job::Append(Append { entry, done, room })).await?.map(drop)
    }

    /// Ends what is nobody's, some at a time.
    pub(crate) async fn end_nobodys(&self) -> Result<(), LogError> {
        loop {
            let nobodys = self.read(Database::nobodys).await?;
            if nobodys.is_empty() {
                return Ok(());
            }
            self.unregister(nobodys.into()).await?;
        }
    }
}
