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
use cinnabar_core::{Appended, Place, Position, Subscriptions, Timestamp, Update};
use cinnabar_runtime::machine::Now;
use cinnabar_runtime::{Read, SourceError as _};
use rusqlite::OptionalExtension as _;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tracing::error;

use crate::log::database::{Database, millis, number, position, timestamp};
use crate::log::error::LogError;
use crate::log::storage::Lock;

/// How many updates one transaction takes at most, and how many bytes.
const MOST_UPDATES: usize = 512;
const MOST_BYTES: usize = 4 << 20;

/// How many streams one transaction notes at most that came or went, while publishers may wait: a crowd
/// of them shares its turns with those.
const MOST_NOTES: usize = 64;

/// How many bytes of those: a stream may have hundreds of subscriptions.
const MOST_NOTED_BYTES: usize = 256 << 10;

/// How many updates a transaction drops at most, besides as many as it appends: so the log shrinks
/// after `HISTORY_SIZE` was lowered.
const SWEEP: u64 = 256;

/// How long the thread rests before it sweeps again what could not be dropped.
const REST: Duration = Duration::from_secs(1);

/// What is asked of the thread.
pub(crate) enum Job {
    Append(Append),
    /// Hands over every update after this position, from now on.
    Follow(Position, Follower),
    CheckHealth(oneshot::Sender<Result<(), LogError>>),
    Close(oneshot::Sender<()>),
}

/// What is appended.
pub(crate) enum Entry {
    Update(Arc<Update>),
    /// The events of these beginnings, with a note that the subscriptions are active.
    Begin(Subscriptions),
    /// The same for those of a follower; nothing for what is noted already.
    BeginFor(FollowerId, Subscriptions),
    /// A note that what a follower holds is nobody's.
    Disown(FollowerId),
    /// The events of the ends of those that are noted as active.
    End(Subscriptions),
}

/// Something to append, and who waits for it.
pub(crate) struct Append {
    pub(crate) entry: Entry,
    pub(crate) done: oneshot::Sender<Result<Position, LogError>>,
    /// What it takes of the room for updates that wait.
    pub(crate) room: OwnedSemaphorePermit,
}

impl Entry {
    /// Whether it says that streams came or went.
    fn is_note(&self) -> bool {
        !matches!(self, Self::Update(_))
    }

    /// Roughly how many bytes it takes.
    fn size(&self) -> usize {
        match self {
            Self::Update(update) => update.size(),
            Self::Begin(subscriptions)
            | Self::BeginFor(_, subscriptions)
            | Self::End(subscriptions) => subscriptions.size(),
            Self::Disown(_) => 0,
        }
    }
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

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// How many updates.
    pub size: u64,
    /// How long each.
    pub age: Duration,
}

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

/// Which updates the log keeps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// The oldest, or if there is none, the position of the next one.
    pub(crate) oldest: Position,
    /// The newest that there ever was.
    pub(crate) newest: Position,
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
                Job::CheckHealth(done) => {
                    let _ = done.send(check_health(&lock(&self.database), (self.now)()));
                }
                Job::Close(done) => {
                    let crowd = std::mem::take(&mut self.crowd);
                    if !crowd.is_empty() {
                        self.commit(crowd.into());
                    }
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

/// Appends entries and drops what need not be kept, all or nothing. Returns what is kept then, which
/// is durable, and the updates that were appended.
fn commit<'a>(
    database: &mut Database,
    before: Bounds,
    entries: impl Iterator<Item = &'a Entry>,
    retention: Retention,
    now: Timestamp,
) -> rusqlite::Result<(Bounds, Vec<Appended>)> {
    let transaction = database.connection.unchecked_transaction()?;
    let mut newest = before.newest;
    let mut updates = Vec::new();
    let mut append = |update: Arc<Update>| {
        newest = newest.next();
        insert(database, newest, &update, now)?;
        updates.push(Appended { position: newest, update });
        Ok::<_, rusqlite::Error>(newest)
    };
    for entry in entries {
        match entry {
            Entry::Update(update) => {
                append(Arc::clone(update))?;
            }
            Entry::Begin(subscriptions) => {
                for one in subscriptions.iter() {
                    let position = append(one.beginning().into())?;
                    database.note(position, &one)?;
                }
            }
            Entry::BeginFor(follower, subscriptions) => {
                for one in subscriptions.iter() {
                    if !database.is_noted(&one)? {
                        let position = append(one.beginning().into())?;
                        database.note(position, &one)?;
                        database.hold(*follower, &one)?;
                    }
                }
            }
            Entry::Disown(follower) => database.disown(*follower)?,
            Entry::End(subscriptions) => {
                for one in subscriptions.iter() {
                    if database.strike(&one)? {
                        append(one.end().into())?;
                    }
                }
            }
        }
    }
    let appended = newest.get() - before.newest.get();
    let most = Position::new(before.oldest.back(1).get() + appended + SWEEP).min(newest);
    let excess = newest.back(retention.size);
    let expired = expired(database, most, now.minus(retention.age))?;
    let last = excess.max(expired).min(most);
    let oldest = drop_through(database, last, Bounds { newest, ..before })?;
    transaction.commit()?;
    Ok((Bounds { oldest, newest }, updates))
}

fn insert(
    database: &Database,
    position: Position,
    update: &Update,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let query = "INSERT INTO updates VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let stored = update.store();
    database.connection.prepare_cached(query)?.execute((
        number(position),
        millis(now),
        stored.id,
        stored.topics,
        stored.targets,
        stored.private,
        stored.event_type,
        stored.retry,
        stored.data.as_bytes(),
    ))?;
    Ok(())
}

/// The last update of those up to `most` that was appended at a moment or before it.
fn expired(database: &Database, most: Position, by: Timestamp) -> rusqlite::Result<Position> {
    let query = "SELECT position FROM updates WHERE position <= ? AND appended > ? ORDER BY position LIMIT 1";
    let mut statement = database.connection.prepare_cached(query)?;
    let kept: Option<i64> =
        statement.query_row((number(most), millis(by)), |row| row.get(0)).optional()?;
    Ok(kept.map_or(most, |kept| position(kept).back(1)))
}

/// Drops everything up to `last`. Returns the oldest update that is left.
fn drop_through(database: &Database, last: Position, bounds: Bounds) -> rusqlite::Result<Position> {
    if last < bounds.oldest {
        return Ok(bounds.oldest);
    }
    if last == bounds.newest {
        // No row is left to tell which number was the last, and it must not be used again.
        database.set_fact("last_position", number(last))?;
    }
    let query = "DELETE FROM updates WHERE position <= ?";
    database.connection.prepare_cached(query)?.execute([number(last)])?;
    Ok(last.next())
}

/// Writes a row of its own, and reads it back.
fn check_health(database: &Database, now: Timestamp) -> Result<(), LogError> {
    database.set_fact("health", millis(now))?;
    match database.fact::<i64>("health")? {
        Some(read) if read == millis(now) => Ok(()),
        other => Err(LogError::Unreadable(format!("wrote {now:?}, and read {other:?}"))),
    }
}
