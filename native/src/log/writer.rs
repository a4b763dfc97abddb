//! The thread that writes: it numbers updates, makes them durable, and hands them to followers.
//!
//! Publications that come while one transaction is being synced share the next, and its sync. So a
//! lone publisher waits for one sync, and many publish many times faster than a disk syncs.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cinnabar_core::feed::FollowerId;
use cinnabar_core::{Appended, Place, Position, Timestamp};
use cinnabar_runtime::machine::Now;
use cinnabar_runtime::{Read, SourceError as _};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tracing::error;

use crate::log::database::{Database, millis, number, timestamp};
use crate::log::error::LogError;
use crate::log::storage::Lock;
use crate::log::transaction::{Bounds, Entry, Retention, commit};

/// How many updates one transaction takes at most, and how many bytes.
const MOST_UPDATES: usize = 512;
const MOST_BYTES: usize = 4 << 20;

/// How many streams one transaction notes at most that came or went, while publishers may wait: a crowd
/// of them shares its turns with those.
const MOST_NOTES: usize = 64;

/// How many bytes of those: a stream may have hundreds of subscriptions.
const MOST_NOTED_BYTES: usize = 256 << 10;

/// How long the thread rests before it sweeps again what could not be dropped.
const REST: Duration = Duration::from_secs(1);

/// What is asked of the thread.
pub(crate) enum Job {
    Append(Append),
    /// Hands over every update after this position, from now on.
    Follow(Position, Follower),
    /// Names the followers that hold something once everything asked before is noted.
    FeedFollowers(oneshot::Sender<Result<Vec<FollowerId>, LogError>>),
    CheckHealth(oneshot::Sender<Result<(), LogError>>),
    Close(oneshot::Sender<()>),
}

/// Something to append, and who waits for it.
pub(crate) struct Append {
    pub(crate) entry: Entry,
    pub(crate) done: oneshot::Sender<Result<Position, LogError>>,
    /// What it takes of the room for updates that wait.
    pub(crate) room: OwnedSemaphorePermit,
}

/// What one transaction appends.
#[derive(Default)]
struct Batch {
    appends: Vec<Append>,
    bytes: usize,
    /// How many of them are notes,
    notes: usize,
    /// and how many of the bytes.
    noted: usize,
}

impl Batch {
    fn push(&mut self, append: Append) {
        let size = append.entry.size();
        self.bytes += size;
        if append.entry.is_note() {
            self.notes += 1;
            self.noted += size;
        }
        self.appends.push(append);
    }

    fn takes_more(&self) -> bool {
        self.appends.len() < MOST_UPDATES && self.bytes < MOST_BYTES
    }

    fn takes_notes(&self) -> bool {
        self.notes < MOST_NOTES && self.noted < MOST_NOTED_BYTES
    }
}

/// Where durable updates go. It is bounded: when the streams do not keep up with what is published,
/// publishers wait for them.
pub(crate) type Follower = mpsc::Sender<Result<Read, LogError>>;

pub(crate) struct Writer {
    pub(crate) jobs: Receiver<Job>,
    pub(crate) database: Arc<Mutex<Database>>,
    pub(crate) retention: Retention,
    pub(crate) now: Now,
    /// The newest durable update, for everybody.
    pub(crate) durable: Arc<AtomicU64>,
    pub(crate) bounds: Bounds,
    pub(crate) followers: Vec<Follower>,
    /// Streams that came or went, and are still to be noted, in order.
    pub(crate) crowd: VecDeque<Append>,
    /// Held until the thread ends.
    pub(crate) lock: Option<Lock>,
}

impl Writer {
    /// Runs until the log is closed, or no handle on it is left.
    pub(crate) fn run(mut self) {
        let mut next = None;
        loop {
            let job = match next.take() {
                Some(job) => job,
                None if let Some(note) = self.crowd.pop_front() => Job::Append(note),
                None => match self.jobs.recv_timeout(self.until_sweep()) {
                    Ok(job) => job,
                    Err(RecvTimeoutError::Timeout) => {
                        self.sweep();
                        continue;
                    }
                    Err(RecvTimeoutError::Disconnected) => return,
                },
            };
            match job {
                Job::Append(first) => next = self.append(first),
                Job::Follow(after, follower) => self.follow(after, follower),
                Job::FeedFollowers(done) => {
                    self.commit_crowd();
                    let _ = done.send(lock(&self.database).followers().map_err(LogError::from));
                }
                Job::CheckHealth(done) => {
                    let _ = done.send(check_health(&lock(&self.database), (self.now)()));
                }
                Job::Close(done) => {
                    self.commit_crowd();
                    // Unlocked before anybody is told.
                    drop(self.lock.take());
                    let _ = done.send(());
                    return;
                }
            }
        }
    }

    /// Appends this and what waits behind it. Returns the job that comes after them.
    fn append(&mut self, first: Append) -> Option<Job> {
        let mut batch = Batch::default();
        batch.push(first);
        let mut next = None;
        while batch.takes_notes()
            && let Some(note) = self.crowd.pop_front()
        {
            batch.push(note);
        }
        while batch.takes_more() {
            match self.jobs.try_recv() {
                // They keep their order.
                Ok(Job::Append(append))
                    if append.entry.is_note()
                        && !(batch.takes_notes() && self.crowd.is_empty()) =>
                {
                    self.crowd.push_back(append);
                }
                Ok(Job::Append(append)) => batch.push(append),
                Ok(other) => {
                    next = Some(other);
                    break;
                }
                Err(_) => break,
            }
        }
        self.commit(batch.appends);
        next
    }

    /// Notes at once all that waits behind others.
    fn commit_crowd(&mut self) {
        let crowd = std::mem::take(&mut self.crowd);
        if !crowd.is_empty() {
            self.commit(crowd.into());
        }
    }

    fn commit(&mut self, batch: Vec<Append>) {
        let entries = batch.iter().map(|append| &append.entry);
        let committed =
            commit(&mut lock(&self.database), self.bounds, entries, self.retention, (self.now)());
        let updates = match committed {
            Ok((bounds, updates)) => {
                self.bounds = bounds;
                self.durable.store(bounds.newest.get(), Ordering::Release);
                updates
            }
            Err(error) => {
                let error = LogError::from(error);
                for append in batch {
                    let error = LogError::Unwritten(error.fault(), error.to_string());
                    let _ = append.done.send(Err(error));
                }
                return;
            }
        };
        let mut rest = updates.iter();
        for Append { entry, done, room } in batch {
            // Publishers wait for the position of their update, and others for none.
            let position = match entry {
                Entry::Update(update) => rest.find(|one| Arc::ptr_eq(&one.update, &update)),
                Entry::Begin(_) | Entry::BeginFor(..) | Entry::Disown(_) | Entry::End(_) => None,
            };
            let position = position.map_or(self.bounds.newest, |one| one.position);
            // The publisher is answered before the streams are told; if it is gone, nobody minds.
            let _ = done.send(Ok(position));
            drop(room);
        }
        if !updates.is_empty() {
            self.hand_over(updates);
        }
    }

    fn hand_over(&mut self, updates: Vec<Appended>) {
        let reached = Place::undated(self.bounds.newest);
        self.followers.retain(|follower| {
            let read = Read { updates: updates.clone(), reached };
            follower.blocking_send(Ok(read)).is_ok()
        });
    }

    /// A follower begins after a position that was the end of the log a moment ago.
    fn follow(&mut self, after: Position, follower: Follower) {
        let missed = if self.bounds.oldest > after.next() {
            Err(LogError::Overtaken)
        } else if after < self.bounds.newest {
            lock(&self.database).after(after)
        } else {
            Ok(Vec::new())
        };
        let first = missed.map(|updates| Read {
            updates: updates
                .into_iter()
                .map(|(position, update)| Appended { position, update: update.into() })
                .collect(),
            reached: Place::undated(self.bounds.newest),
        });
        let begins = first.is_ok();
        if follower.blocking_send(first).is_ok() && begins {
            self.followers.push(follower);
        }
        self.followers.retain(|follower| !follower.is_closed());
    }

    /// How long until the oldest update is too old, and a little longer, so that the updates of a
    /// steady trickle are dropped together.
    fn until_sweep(&self) -> Duration {
        // For ever, in effect; the longest wait that every platform can count.
        const IDLE: Duration = Duration::from_secs(24 * 3600);
        if self.bounds.oldest > self.bounds.newest {
            return IDLE;
        }
        let database = lock(&self.database);
        let oldest = database
            .connection
            .prepare_cached("SELECT appended FROM updates WHERE position = ?")
            .and_then(|mut statement| {
                statement.query_row([number(self.bounds.oldest)], |row| row.get(0))
            });
        match oldest {
            Ok(appended) => {
                let expires = timestamp(appended).plus(self.retention.age);
                let wait = expires.since((self.now)());
                let wait = if wait.is_zero() { wait } else { wait + self.retention.age / 64 };
                wait.min(IDLE)
            }
            Err(_) => REST,
        }
    }

    /// Drops updates that are too old, or too many.
    pub(crate) fn sweep(&mut self) {
        let none = std::iter::empty();
        let swept =
            commit(&mut lock(&self.database), self.bounds, none, self.retention, (self.now)());
        match swept {
            Ok((bounds, _)) => self.bounds = bounds,
            Err(error) => {
                error!(%error, "old updates could not be dropped");
                std::thread::sleep(REST);
            }
        }
    }
}

/// A panic leaves no transaction open, so it does not spoil the database.
pub(crate) fn lock(database: &Mutex<Database>) -> MutexGuard<'_, Database> {
    database.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes a row of its own, and reads it back.
fn check_health(database: &Database, now: Timestamp) -> Result<(), LogError> {
    database.set_fact("health", millis(now))?;
    match database.fact::<i64>("health")? {
        Some(read) if read == millis(now) => Ok(()),
        other => Err(LogError::Unreadable(format!("wrote {now:?}, and read {other:?}"))),
    }
}
