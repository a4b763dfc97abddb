//! A log that is another hub's: a [`Source`] over links to that hub.
//!
//! ```text
//!  streams ──▶ Followed: head, locate, pages ──▶ ┌────────────────────┐     Dial: one link
//!                                                │ Following: Follower│ ◀────────────────────▶ leader
//!  streams ◀── FollowedTail: what is new ◀────── └────────────────────┘
//! ```
//!
//! The core's [`Follower`](cinnabar_core::feed::Follower) decides everything; the task that owns it is
//! in `following`. A hub that is away for a while costs its followers' streams nothing but a pause.

use std::sync::Arc;

use cinnabar_core::feed::{Answer, Question};
use cinnabar_core::{
    ActiveSubscription, CursorKey, Fetch, List, Located, Location, Page, Place, Position,
    Subscribe, Subscriptions,
};
use tokio::sync::mpsc::{self, Receiver, UnboundedSender};
use tokio::sync::oneshot;

use crate::following::{Answered, Ask, FollowError, Following};
use crate::link::Dial;
use crate::machine::Now;
use crate::noted::Noted;
use crate::source::{Read, Source, Tail};

/// How many reads may wait for the streams before the hub that is followed has to wait.
const AHEAD: usize = 4;

/// Another hub's log. A clone is another handle on the same links; with the last handle they end.
#[derive(Clone, Debug)]
pub struct Followed {
    asks: UnboundedSender<Ask>,
    /// What that hub notes as held here: should the streams be cut without a word, it is ended from here.
    noted: Noted,
}

impl Followed {
    /// Follows the hub that is dialed, on the runtime of the caller, and begins at once to look whether
    /// it answers.
    #[must_use]
    pub fn start(dial: impl Dial, now: Now) -> Self {
        let (asks, asked) = mpsc::unbounded_channel();
        tokio::spawn(Following::new(dial, now, asked).run());
        let (nobody, _) = oneshot::channel();
        let _ = asks.send(Ask::Question(Question::End, nobody));
        Self { asks, noted: Noted::default() }
    }

    /// Answers who is here.
    ///
    /// # Errors
    ///
    /// The hub that is followed did not.
    pub async fn list(&self, list: List) -> Result<cinnabar_core::Answer, FollowError> {
        match self.ask(Question::List(list.clone())).await?.answer {
            Answer::Listing(Some(listing)) => Ok(list.answer(&listing)),
            Answer::Listing(None) => Ok(list.unknown_page()),
            _ => Err(FollowError::Away),
        }
    }

    /// Stops following, once that hub was told which subscriptions have ended. It may take as long as
    /// that hub is away: call it with a timeout.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        let _ = self.asks.send(Ask::Close(done));
        let _ = closed.await;
    }

    async fn ask(&self, question: Question) -> Result<Answered, FollowError> {
        let (done, answer) = oneshot::channel();
        self.asks.send(Ask::Question(question, done)).map_err(|_| FollowError::Closed)?;
        answer.await.map_err(|_| FollowError::Away)?
    }

    async fn tell(&self, question: Question) -> Result<(), FollowError> {
        match self.ask(question).await?.answer {
            Answer::Done => Ok(()),
            _ => Err(FollowError::Away),
        }
    }
}

impl Source for Followed {
    type Error = FollowError;
    type Tail = FollowedTail;

    async fn open(&self) -> Result<CursorKey, FollowError> {
        Ok(self.ask(Question::End).await?.key)
    }

    async fn head(&self) -> Result<Position, FollowError> {
        match self.ask(Question::End).await? {
            // The link may have brought more than what the answer tells of.
            Answered { answer: Answer::End(end), position, .. } => Ok(end.position.max(position)),
            _ => Err(FollowError::Away),
        }
    }

    async fn locate(&self, location: Location) -> Result<Located, FollowError> {
        match self.ask(Question::Locate(location)).await?.answer {
            Answer::Located(located) => Ok(located),
            _ => Err(FollowError::Away),
        }
    }

    async fn page(&self, fetch: Fetch, subscription: Arc<Subscribe>) -> Result<Page, FollowError> {
        match self.ask(Question::Page(fetch, subscription)).await?.answer {
            Answer::Page(page) => Ok(page),
            _ => Err(FollowError::Away),
        }
    }

    async fn register(&self, subscriptions: Subscriptions) -> Result<(), FollowError> {
        self.noted.add(&subscriptions);
        self.tell(Question::Register(subscriptions)).await
    }

    async fn unregister(&self, subscriptions: Subscriptions) -> Result<(), FollowError> {
        self.tell(Question::Unregister(subscriptions.clone())).await?;
        subscriptions.iter().for_each(|one| self.noted.remove(one.topic()));
        Ok(())
    }

    /// What was registered from here. What an earlier process left, the hub that is followed ends.
    async fn registered(&self, after: String) -> Result<Vec<ActiveSubscription>, FollowError> {
        Ok(self.noted.behind(&after, |_| true))
    }

    fn tail(&self, from: Place) -> FollowedTail {
        let (reads, tail) = mpsc::channel(AHEAD);
        let _ = self.asks.send(Ask::Tail(from.position, reads));
        FollowedTail(tail)
    }
}

/// Follows another hub's log.
#[derive(Debug)]
pub struct FollowedTail(Receiver<Result<Read, FollowError>>);

impl Tail for FollowedTail {
    type Error = FollowError;

    async fn next(&mut self) -> Result<Read, FollowError> {
        self.0.recv().await.unwrap_or(Err(FollowError::Closed))
    }
}
