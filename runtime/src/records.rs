//! What the log notes of who is here: each call in its own task, and none abandoned, not even when the
//! holder is, since what has ended must be told.
//!
//! A registration that outlives its holder is waited for, and then undone: a log may note a subscription
//! before it tells of it, and its end must not be told in between.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use cinnabar_core::{ActiveSubscription, StreamId, Subscriptions};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::sleep;

use crate::source::Source;

/// How long to wait before the log is searched again for what has ended, if it could not be told.
const REST: Duration = Duration::from_secs(10);

/// What the log has answered.
pub(crate) enum Recorded<E> {
    Registered(StreamId, Result<(), E>),
    /// A registration has come to its end, one way or the other, whose stream was cut meanwhile.
    Outlived(Subscriptions),
    Unregistered(Result<(), E>),
    /// Some of what it notes as active.
    Found(Result<Vec<ActiveSubscription>, E>),
}

/// The calls that are under way.
pub(crate) struct Records<S: Source> {
    source: S,
    tasks: JoinSet<Recorded<S::Error>>,
    /// The registrations that are under way.
    registering: HashMap<Id, Registering>,
    /// Whether the log is being searched, or will be in a while,
    searches: bool,
    /// and has to be once more after that.
    again: bool,
}

/// A registration that is under way.
struct Registering {
    subscriptions: Subscriptions,
    /// Whether its stream was cut.
    is_outlived: bool,
}

impl<S: Source> Records<S> {
    pub(crate) fn new(source: S) -> Self {
        let (tasks, registering) = (JoinSet::new(), HashMap::new());
        Self { source, tasks, registering, searches: false, again: false }
    }

    /// Whether nothing is under way but a search that can be left to the next process.
    pub(crate) fn are_done(&self) -> bool {
        self.tasks.len() <= usize::from(self.searches)
    }

    /// What was done next; never, while nothing is under way.
    ///
    /// # Errors
    ///
    /// A call has panicked.
    pub(crate) async fn next(&mut self) -> Option<Result<Recorded<S::Error>, JoinError>> {
        let (id, done) = match self.tasks.join_next_with_id().await? {
            Ok((id, done)) => (id, Ok(done)),
            Err(error) => (error.id(), Err(error)),
        };
        if matches!(done, Ok(Recorded::Found(_)) | Err(_)) {
            self.searches = false;
        }
        match (self.registering.remove(&id), done) {
            (Some(Registering { subscriptions, is_outlived: true }), Ok(_)) => {
                Some(Ok(Recorded::Outlived(subscriptions)))
            }
            (_, done) => Some(done),
        }
    }

    pub(crate) fn register(&mut self, stream: StreamId, subscriptions: Subscriptions) {
        let (source, all) = (self.source.clone(), subscriptions.clone());
        let task = self
            .tasks
            .spawn(async move { Recorded::Registered(stream, source.register(all).await) });
        self.registering.insert(task.id(), Registering { subscriptions, is_outlived: false });
    }

    /// All streams are cut: what is being registered for them has to end once it is.
    pub(crate) fn outlive(&mut self) {
        self.registering.values_mut().for_each(|registering| registering.is_outlived = true);
    }

    /// Those of these that are not being registered just now.
    pub(crate) fn settled(&self, mut found: Vec<ActiveSubscription>) -> Vec<ActiveSubscription> {
        let registering = self.registering.values();
        let topics = registering.flat_map(|registering| registering.subscriptions.iter());
        let topics: HashSet<String> = topics.map(|one| one.topic().to_owned()).collect();
        found.retain(|one| !topics.contains(one.topic()));
        found
    }

    pub(crate) fn unregister(&mut self, subscriptions: Subscriptions) {
        let source = self.source.clone();
        self.tasks
            .spawn(async move { Recorded::Unregistered(source.unregister(subscriptions).await) });
    }

    /// Searches the log for what it notes as active, behind this topic.
    pub(crate) fn search(&mut self, after: String) {
        self.search_in(Duration::ZERO, after);
    }

    /// Unregisters what a search has found, and goes on behind this topic: one page at a time is in
    /// memory, and others have their turn.
    pub(crate) fn unregister_found(&mut self, ended: Subscriptions, after: String) {
        self.searches = true;
        let source = self.source.clone();
        self.tasks.spawn(async move {
            Recorded::Found(match source.unregister(ended).await {
                Ok(()) => source.registered(after).await,
                Err(error) => Err(error),
            })
        });
    }

    /// Searches it from the beginning, in a while.
    pub(crate) fn search_later(&mut self) {
        self.again = self.searches;
        self.search_in(REST, String::new());
    }

    /// The search has come to its end.
    pub(crate) fn end_search(&mut self) {
        if std::mem::take(&mut self.again) {
            self.search_later();
        }
    }

    fn search_in(&mut self, wait: Duration, after: String) {
        if std::mem::replace(&mut self.searches, true) {
            return;
        }
        let source = self.source.clone();
        self.tasks.spawn(async move {
            if !wait.is_zero() {
                sleep(wait).await;
            }
            Recorded::Found(source.registered(after).await)
        });
    }
}
