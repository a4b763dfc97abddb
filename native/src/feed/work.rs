//! What a leader has the log do, each in a task of its own.

use std::time::Duration;

use cinnabar_core::feed::{Answer, FollowerId, Question};
use cinnabar_core::{Fetch, Page, Place};
use cinnabar_runtime::Source as _;
use tokio::time::sleep;
use tracing::warn;

use crate::log::{Log, LogError};

/// How long to rest before an end is told again that could not be.
pub(super) const REST: Duration = Duration::from_secs(1);

/// What a task has come to.
pub(super) enum Done {
    Page(Page),
    Answer(Answer),
    /// There is nothing for the leader; or what it waits for cannot be had, for a passing reason.
    Nothing,
    /// The log is closed.
    Closed,
}

impl Done {
    /// What follows from what the log has answered.
    fn of<T>(found: Result<T, LogError>, done: impl FnOnce(T) -> Self) -> Self {
        match found {
            Ok(found) => done(found),
            Err(LogError::Closed) => Self::Closed,
            Err(error) => {
                warn!(%error, "a hub that follows this one asked what cannot be answered");
                Self::Nothing
            }
        }
    }
}

/// Reads a page of everything.
pub(super) async fn page(log: Log, fetch: Fetch) -> Done {
    Done::of(log.whole_page(fetch).await, Done::Page)
}

/// Answers a question of a follower.
pub(super) async fn answer(log: Log, follower: FollowerId, question: Question) -> Done {
    Done::of(find(&log, follower, question).await, Done::Answer)
}

/// Ends what a follower held that is gone.
pub(super) async fn end_all_of(log: Log, follower: FollowerId) -> Done {
    match until_done(|| log.disown(follower)).await {
        Ok(()) => end_nobodys(log).await,
        closed => Done::of(closed, |()| Done::Nothing),
    }
}

/// Ends what is nobody's.
pub(super) async fn end_nobodys(log: Log) -> Done {
    Done::of(until_done(|| log.end_nobodys()).await, |()| Done::Nothing)
}

/// Does something with the log until it succeeds: what has ended must be told.
///
/// # Errors
///
/// The log is closed, and whoever opens it next has to do it.
async fn until_done<F>(what: impl Fn() -> F) -> Result<(), LogError>
where
    F: Future<Output = Result<(), LogError>>,
{
    loop {
        match what().await {
            Ok(()) => return Ok(()),
            Err(LogError::Closed) => return Err(LogError::Closed),
            Err(error) => warn!(%error, "what has ended at another hub could not be told yet"),
        }
        sleep(REST).await;
    }
}

async fn find(log: &Log, follower: FollowerId, question: Question) -> Result<Answer, LogError> {
    Ok(match question {
        Question::End => Answer::End(Place::undated(log.head().await?)),
        Question::Locate(location) => Answer::Located(log.locate(location).await?),
        Question::Page(fetch, subscribe) => Answer::Page(log.page(fetch, subscribe).await?),
        Question::Register(subscriptions) => {
            log.register_for(follower, subscriptions).await?;
            Answer::Done
        }
        Question::Unregister(subscriptions) => {
            until_done(|| log.unregister(subscriptions.clone())).await?;
            Answer::Done
        }
        Question::List(list) => Answer::Listing(log.listing(list).await?),
    })
}
