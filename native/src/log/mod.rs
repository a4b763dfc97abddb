//! The log of updates, in SQLite.
//!
//! ```text
//!  append ──▶ Writer ──▶ database ◀── reader ◀── locate, page
//!               │          (WAL)
//!               └─ durable updates ──▶ Tail ──▶ streams
//! ```
//!
//! Two threads: one writes, and one reads, each with a connection of its own, so that neither a
//! replay holds up a publisher nor the disk holds up a stream. A log in memory has one connection,
//! and they take turns.

mod database;
mod error;
#[cfg(test)]
mod faults;
mod held;
mod presence;
mod reading;
mod storage;
mod tail;
mod transaction;
mod writer;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;

use cinnabar_core::{
    ActiveSubscription, Answer, CursorKey, Fetch, List, Listing, Located, Location, Page, Place,
    Position, Subscribe, Subscriptions, Update,
};
use cinnabar_runtime::machine::Now;
use cinnabar_runtime::{Source, machine};
use tokio::sync::{Semaphore, oneshot};
use tracing::error;

use crate::log::database::Database;
use crate::log::storage::Lock;
use crate::log::transaction::{Bounds, Entry};
use crate::log::writer::{Append, Job, Writer, lock};

pub use error::LogError;
pub use storage::{Storage, StorageError};
pub use tail::Tail;
pub use transaction::Retention;

/// How much room there is for updates that wait to be written, in KiB.
const ROOM: u32 = 64 * 1024;

/// What the reading thread is asked.
type Question = Box<dyn FnOnce(&Database) + Send>;

/// A log. A clone is another handle on the same one; with the last handle its threads end.
#[derive(Clone, Debug)]
pub struct Log {
    jobs: Sender<Job>,
    questions: Sender<Question>,
    key: CursorKey,
    /// The newest update when it was opened.
    opened: Position,
    /// The newest durable update.
    durable: Arc<AtomicU64>,
    room: Arc<Semaphore>,
    /// As much again for streams that come and go: however many do, publishers have their own.
    notes_room: Arc<Semaphore>,
}

/// Why a log could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its file cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Its database cannot be used.
    #[error("the log in {path} cannot be opened: {reason}")]
    Database {
        /// Where it is.
        path: String,
        /// Why.
        reason: LogError,
    },
    /// The system has no random bytes, or no threads, to give.
    #[error("the log cannot be opened: {0}")]
    System(String),
    /// The hub that has the log cannot be asked for it.
    #[error("FOLLOW and FEED_SECRET make no request; look at both")]
    Followed,
}

impl Log {
    /// Opens a log, and creates it if there is none.
    ///
    /// # Errors
    ///
    /// Another process uses it, or it cannot be read and written.
    pub fn open(storage: &Storage, retention: Retention, now: Now) -> Result<Self, OpenError> {
        Self::open_for(false, storage, retention, now)
    }

    /// The same. Where others follow this hub, they may come back to what they hold of it; else, what
    /// they held has ended.
    ///
    /// # Errors
    ///
    /// As above.
    pub(crate) fn open_for(
        followers: bool,
        storage: &Storage,
        retention: Retention,
        now: Now,
    ) -> Result<Self, OpenError> {
        let storage = &storage.resolved()?;
        let lock = match storage {
            Storage::File(path) => Some(Lock::take(path)?),
            Storage::Memory => None,
        };
        let fresh = machine::entropy().map_err(|error| OpenError::System(error.to_string()))?;
        let opened = connect(storage).and_then(|(database, reading)| {
            let (key, bounds) = {
                let mut database = writer::lock(&database);
                database.create_tables()?;
                if !followers {
                    database.disown_all()?;
                }
                let (oldest, newest) = (database.oldest()?, database.newest()?);
                (database.cursor_key(fresh)?, Bounds { oldest, newest })
            };
            Ok((database, reading, key, bounds))
        });
        let (database, reading, key, bounds) = opened.map_err(|reason| {
            let path = match storage {
                Storage::File(path) => path.display().to_string(),
                Storage::Memory => "memory".to_owned(),
            };
            OpenError::Database { path, reason }
        })?;
        let (jobs, jobs_received) = mpsc::channel();
        let (questions, questions_received) = mpsc::channel();
        let opened = bounds.newest;
        let durable = Arc::new(AtomicU64::new(opened.get()));
        let mut writer = Writer {
            jobs: jobs_received,
            database,
            retention,
            now,
            durable: Arc::clone(&durable),
            bounds,
            followers: Vec::new(),
            crowd: VecDeque::new(),
            lock,
        };
        spawn("log-writer", move || {
            // The bounds may be narrower than they were, and time has passed.
            writer.sweep();
            writer.run();
        })?;
        spawn("log-reader", move || answer(&reading, &questions_received))?;
        let [room, notes_room] = [(); 2].map(|()| Arc::new(Semaphore::new(ROOM as usize)));
        Ok(Self { jobs, questions, key, opened, durable, room, notes_room })
    }

    /// Appends an update. Once this returns, it is durable.
    ///
    /// # Errors
    ///
    /// It was not appended; or the log was closed meanwhile, and it is not known whether it was.
    pub async fn append(&self, update: Arc<Update>) -> Result<Position, LogError> {
        let room = Arc::clone(&self.room).try_acquire_many_owned(room_for(update.size()));
        let room = room.map_err(|_| LogError::Full)?;
        let entry = Entry::Update(update);
        self.ask(|done| Job::Append(Append { entry, done, room })).await?
    }

    /// Answers who is here.
    ///
    /// # Errors
    ///
    /// The log could not be read.
    pub async fn list(&self, list: List) -> Result<Answer, LogError> {
        let listing = self.listing(list.clone()).await?;
        Ok(listing.map_or_else(|| list.unknown_page(), |listing| list.answer(&listing)))
    }

    /// Lists who is here; `None` for a page that this log has no mark for.
    pub(crate) async fn listing(&self, list: List) -> Result<Option<Listing>, LogError> {
        let (key, opened) = (self.key.clone(), self.opened);
        self.read(move |database| database.list(&list, &key, opened)).await
    }

    /// Reads a page of everything.
    pub(crate) async fn whole_page(&self, fetch: Fetch) -> Result<Page, LogError> {
        self.read(move |database| database.page(&fetch, None)).await
    }

    /// Writes to the log's database, and reads it back, with both threads.
    ///
    /// # Errors
    ///
    /// That failed.
    pub async fn check_health(&self) -> Result<(), LogError> {
        self.ask(Job::CheckHealth).await??;
        self.read(|database| database.require_health()).await
    }

    /// Closes the log: what was appended before is durable, and nothing more is. Another process may
    /// then use its file.
    pub async fn close(&self) {
        // It fails if the log is closed already.
        let _ = self.ask(Job::Close).await;
    }

    async fn ask<T>(&self, job: impl FnOnce(oneshot::Sender<T>) -> Job) -> Result<T, LogError> {
        let (done, answer) = oneshot::channel();
        self.jobs.send(job(done)).map_err(|_| LogError::Closed)?;
        answer.await.map_err(|_| LogError::Closed)
    }

    async fn read<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Database) -> Result<T, LogError> + Send + 'static,
    ) -> Result<T, LogError> {
        let (done, answer) = oneshot::channel();
        // Whoever asked may have gone since.
        let question: Question = Box::new(move |database| {
            if !done.is_closed() {
                let _ = done.send(question(database));
            }
        });
        self.questions.send(question).map_err(|_| LogError::Closed)?;
        // Every question is answered, but for one that panics.
        answer.await.map_err(|_| LogError::Panicked)?
    }
}

impl Source for Log {
    type Error = LogError;
    type Tail = Tail;

    async fn open(&self) -> Result<CursorKey, LogError> {
        Ok(self.key.clone())
    }

    async fn head(&self) -> Result<Position, LogError> {
        Ok(Position::new(self.durable.load(Ordering::Acquire)))
    }

    async fn locate(&self, location: Location) -> Result<Located, LogError> {
        self.read(move |database| database.locate(&location)).await
    }

    async fn page(&self, fetch: Fetch, subscription: Arc<Subscribe>) -> Result<Page, LogError> {
        self.read(move |database| database.page(&fetch, Some(&subscription))).await
    }

    async fn register(&self, subscriptions: Subscriptions) -> Result<(), LogError> {
        let room = room_for(subscriptions.size());
        let room = Arc::clone(&self.notes_room).try_acquire_many_owned(room);
        let room = room.map_err(|_| LogError::Full)?;
        let entry = Entry::Begin(subscriptions);
        self.ask(|done| Job::Append(Append { entry, done, room })).await?.map(drop)
    }

    async fn unregister(&self, subscriptions: Subscriptions) -> Result<(), LogError> {
        // It waits for room rather than being refused: others must learn of it.
        let room = room_for(subscriptions.size());
        let room = Arc::clone(&self.notes_room).acquire_many_owned(room).await;
        let room = room.map_err(|_| LogError::Closed)?;
        let entry = Entry::End(subscriptions);
        self.ask(|done| Job::Append(Append { entry, done, room })).await?.map(drop)
    }

    async fn registered(&self, after: String) -> Result<Vec<ActiveSubscription>, LogError> {
        self.read(move |database| database.noted(&after)).await
    }

    fn tail(&self, from: Place) -> Tail {
        Tail::begin(&self.jobs, from.position)
    }
}

/// How much of the [`ROOM`] so many bytes take.
fn room_for(bytes: usize) -> u32 {
    u32::try_from(1 + bytes / 1024).unwrap_or(ROOM).min(ROOM)
}

/// The connections that write and read.
#[expect(clippy::type_complexity, reason = "used once")]
fn connect(storage: &Storage) -> Result<(Arc<Mutex<Database>>, Arc<Mutex<Database>>), LogError> {
    let open = || {
        let database = match storage {
            Storage::File(path) => Database::open(path)?,
            Storage::Memory => Database::in_memory()?,
        };
        Ok::<_, LogError>(Arc::new(Mutex::new(database)))
    };
    let writing = open()?;
    let reading = match storage {
        Storage::File(_) => open()?,
        Storage::Memory => Arc::clone(&writing),
    };
    Ok((writing, reading))
}

/// Answers questions until nobody is left to ask. A panic over one costs no more than its answer.
fn answer(database: &Mutex<Database>, questions: &Receiver<Question>) {
    for question in questions {
        if catch_unwind(AssertUnwindSafe(|| question(&lock(database)))).is_err() {
            error!("a panic while the log was read: what was asked is not answered");
        }
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), OpenError> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(run);
    thread.map(drop).map_err(|error| OpenError::System(error.to_string()))
}

#[cfg(test)]
mod tests {
    use cinnabar_core::testing::update;

    use super::*;

    const WIDE: Retention =
        Retention { size: 10_000, age: std::time::Duration::from_secs(24 * 3600) };

    fn in_memory() -> Log {
        Log::open(&Storage::Memory, WIDE, machine::now).unwrap()
    }

    #[tokio::test]
    async fn a_panic_over_one_question_leaves_the_others_their_answers() {
        let log = in_memory();
        let asked = log.read::<()>(|database| {
            let _transaction = database.connection.unchecked_transaction()?;
            panic!("as a fault in a page would")
        });
        assert!(matches!(asked.await, Err(LogError::Panicked)));
        log.append(update("urn:1", "a", "").into()).await.unwrap();
        let found = log.locate(Location::Newest(Position::new(1))).await.unwrap();
        assert!(matches!(found, Located::Found(..)), "{found:?}");
        log.check_health().await.unwrap();
    }

    #[tokio::test]
    async fn a_thread_that_reads_no_more_is_not_healthy() {
        let (mut log, (questions, nobody)) = (in_memory(), mpsc::channel());
        log.check_health().await.unwrap();
        drop(nobody);
        log.questions = questions;
        assert!(matches!(log.check_health().await, Err(LogError::Closed)));
    }

    #[tokio::test]
    async fn an_update_larger_than_the_room_waits_for_nothing_but_an_empty_room() {
        let log = in_memory();
        let large = Arc::new(update("urn:1", "a", &"x".repeat((ROOM as usize + 1) * 1024)));
        let others = Arc::clone(&log.room).try_acquire_many_owned(1).unwrap();
        assert!(matches!(log.append(Arc::clone(&large)).await, Err(LogError::Full)));
        drop(others);
        assert_eq!(log.append(large).await.unwrap(), Position::new(1));
    }
}
