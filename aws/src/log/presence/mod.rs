//! Who is here, in the same table as the log: a row for each active subscription, and a lease for each
//! process that holds some.
//!
//! ```text
//!  begin:  row ──▶ event "begins" ──▶ the stream opens
//!  end:    row is marked ──▶ event "ends" ──▶ row is deleted
//!  death:  the lease runs out ──▶ whoever lists or renews next ends the rows of that process
//! ```
//!
//! Every order here has its reason. A row comes before its event, so that no event is left without
//! what will end it. It is marked before its end is told, and what is marked is not listed: so whoever
//! has read the newest event's id and then the rows misses nothing that follows that event, and is
//! shown nobody whose end it will not hear of. And it is deleted last, so that an end that could not be
//! told is told by somebody else.
//!
//! A process is here while its lease is open, and renews it while it has streams, which is a write,
//! however many it has. Whoever sees that a lease has run out closes it, which only works if it has not
//! been renewed; and then the process is dead to all: no list has it, its rows are ended, and if it was
//! only frozen, it finds out at its next renewal and cuts its streams. That takes the marks, too, by
//! which two that do it at the same time do not tell an end twice. Only if one dies between telling an
//! end and deleting the row, and the log does not find the event by its id, is it told again.
//!
//! | to find | look in |
//! |---|---|
//! | rows and leases as items, and their keys | `item` |
//! | the calls to DynamoDB | `calls` |
//! | how subscriptions end | `ending` |
//! | the process's own lease | `lease`, `renewal` |
//! | whose lease is open, and ending the rest | `sweep` |
//! | collections | `listing` |

mod calls;
mod ending;
mod item;
mod lease;
mod listing;
mod renewal;
mod sweep;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cinnabar_core::{ActiveSubscription, Answer, IdOrigin, List, Subscriptions, Update};
use cinnabar_runtime::Noted;
use tokio::task::JoinSet;

use super::error::{AppendError, LogError};
use super::table::Table;
use super::{Log, append};
use lease::Lease;

pub(crate) use lease::RENEWAL;

/// How many calls are made at a time.
const AT_ONCE: usize = 16;

/// A handle on who is here.
#[derive(Clone)]
pub struct Presence {
    shared: Arc<Shared>,
}

struct Shared {
    table: Arc<Table>,
    /// By which a mark on a row is known as this process's own.
    me: u64,
    lease: tokio::sync::Mutex<Option<Lease>>,
    /// What this process has noted, or tried to.
    own: Noted,
    /// The topics of those that it is ending.
    ending: Mutex<BTreeSet<String>>,
    /// Whether others have ended what it had noted, and its streams do not know yet.
    was_taken_for_dead: AtomicBool,
    /// How many leases there were at the last look.
    leases: AtomicUsize,
    /// Held by a sweep.
    sweeping: tokio::sync::Mutex<()>,
}

impl Presence {
    /// Who is here, in the table of this log.
    #[must_use]
    pub fn new(log: &Log) -> Self {
        // Without random bytes nothing could be published either.
        let me = super::random::bytes().map_or(0, u64::from_be_bytes);
        let shared = Shared {
            table: Arc::clone(&log.table),
            me,
            lease: tokio::sync::Mutex::default(),
            own: Noted::default(),
            ending: Mutex::default(),
            was_taken_for_dead: AtomicBool::new(false),
            leases: AtomicUsize::new(1),
            sweeping: tokio::sync::Mutex::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Notes subscriptions, and appends the events of their beginnings. If that fails, some of it may
    /// be done: [`Presence::registered`] has them all, and whoever is not there is unregistered.
    ///
    /// # Errors
    ///
    /// See [`LogError`].
    pub async fn register(&self, subscriptions: Subscriptions) -> Result<(), LogError> {
        let all: Vec<ActiveSubscription> = subscriptions.iter().collect();
        // First, since the lease is given up when this is empty.
        self.shared.own.add(&subscriptions);
        let holder = self.holder().await?;
        let presence = self.clone();
        each(all.clone(), move |one| {
            let presence = presence.clone();
            async move { Ok(presence.shared.table.note(holder, &one).await?) }
        })
        .await?;
        // One after the other, and last the event with which the stream opens: it can only end once all
        // have begun.
        for one in all.iter().rev() {
            // The process may have been frozen. Then its end may have been told, or its row be overlooked.
            if self.holder().await? != holder {
                return Err(LogError::TakenForDead);
            }
            self.append(one.beginning()).await?;
        }
        Ok(())
    }

    /// Appends the events of the ends of those that are still noted, and notes them no longer.
    ///
    /// # Errors
    ///
    /// See [`LogError`]. Those that have not ended then are still among [`Presence::registered`].
    pub async fn unregister(&self, subscriptions: Subscriptions) -> Result<(), LogError> {
        let all = subscriptions.iter().filter(|one| self.ending().insert(one.topic().to_owned()));
        let presence = self.clone();
        let ended = each(all.collect(), move |one| {
            let presence = presence.clone();
            async move {
                let ended = presence.end(&one).await;
                if ended.is_ok() {
                    presence.shared.own.remove(one.topic());
                }
                presence.ending().remove(one.topic());
                ended
            }
        });
        ended.await?;
        self.give_up_lease().await;
        Ok(())
    }

    /// What this process has noted, or tried to, behind a topic: some of it, in order, without what it
    /// is ending.
    #[must_use]
    pub fn registered(&self, after: &str) -> Vec<ActiveSubscription> {
        let ending = self.ending();
        self.shared.own.behind(after, |topic| !ending.contains(topic))
    }

    /// Answers a question after active subscriptions, whoever holds them.
    ///
    /// # Errors
    ///
    /// See [`LogError`].
    pub async fn list(&self, list: &List) -> Result<Answer, LogError> {
        Ok(self.answer(list).await?)
    }

    async fn append(&self, update: Update) -> Result<(), LogError> {
        let appended = append::append(&self.shared.table, &update, IdOrigin::Hub).await;
        appended.map(|_| ()).map_err(|error| match error {
            AppendError::Unavailable(reason) => LogError::Unavailable(reason),
            AppendError::Broken(reason) => LogError::Broken(reason),
            error @ AppendError::TooLarge { .. } => LogError::Broken(error.to_string()),
        })
    }

    /// It is whole between any two of its changes, so a panic elsewhere does not spoil it.
    fn ending(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.shared.ending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Presence {
    /// Only counts: topics come from queries, and payloads from tokens.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Presence").field("own", &self.shared.own).finish_non_exhaustive()
    }
}

/// Makes a call for each of these, some at a time, and returns the first error once all have ended:
/// a call that was abandoned half-way would leave more to put right.
async fn each<T, F>(all: Vec<T>, call: impl Fn(T) -> F) -> Result<(), LogError>
where
    F: Future<Output = Result<(), LogError>> + Send + 'static,
{
    let mut calls = JoinSet::new();
    let mut result = Ok(());
    for one in all {
        if calls.len() >= AT_ONCE {
            result = result.and(joined(&mut calls).await);
        }
        calls.spawn(call(one));
    }
    while !calls.is_empty() {
        result = result.and(joined(&mut calls).await);
    }
    result
}

async fn joined(calls: &mut JoinSet<Result<(), LogError>>) -> Result<(), LogError> {
    match calls.join_next().await {
        None => Ok(()),
        Some(Ok(done)) => done,
        Some(Err(panic)) => Err(LogError::Broken(panic.to_string())),
    }
}
