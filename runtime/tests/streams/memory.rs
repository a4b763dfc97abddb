//! A log in memory: one that has to be asked, and one that calls.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use cinnabar_core::{
    Appended, CursorKey, Fetch, Located, Location, Page, Place, Position, StoredUpdate, Subscribe,
    Update,
};
use cinnabar_runtime::{Ahead, Pace, Paced, Polled, PolledTail, Read, Source, SourceError, Tail};
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::clock::now;

/// The bounds of the pace, as the tests of it know them.
const FAST: Duration = Duration::from_millis(50);
const SLOW: Duration = Duration::from_secs(1);

/// Asked for the place of this id, the log panics.
pub(crate) const PANIC: &str = "urn:panic";

/// Why the log did not answer: it was told not to.
#[derive(Debug, thiserror::Error)]
#[error("as told")]
pub(crate) struct Failure;

impl SourceError for Failure {
    fn is_passing(&self) -> bool {
        true
    }
}

#[derive(Clone, Default)]
pub(crate) struct Memory {
    state: Arc<Mutex<State>>,
    /// Whether it calls, and need not be asked.
    calls: bool,
    appended: Arc<Notify>,
}

#[derive(Default)]
struct State {
    /// By number from 1; `None` for one that was sealed.
    cells: Vec<Option<Arc<Update>>>,
    polls: usize,
    fails: bool,
    /// Whether the log does not say where it ends.
    hangs: bool,
}

impl State {
    fn head(&self) -> Position {
        Position::new(u64::try_from(self.cells.len()).unwrap())
    }

    fn updates(&self) -> impl Iterator<Item = Appended> {
        let numbered = (1..).zip(&self.cells);
        numbered.filter_map(|(number, update)| {
            let update = Arc::clone(update.as_ref()?);
            Some(Appended { position: Position::new(number), update })
        })
    }
}

impl Memory {
    /// A log that calls.
    pub(crate) fn calling() -> Self {
        Self { calls: true, ..Self::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn try_state(&self) -> Result<MutexGuard<'_, State>, Failure> {
        let state = self.state();
        if state.fails { Err(Failure) } else { Ok(state) }
    }

    pub(crate) fn publish(&self, id: &str, topic: &str) {
        let update = Update::restore(StoredUpdate {
            id: id.into(),
            topics: topic.into(),
            data: String::new(),
            private: false,
            event_type: None,
            retry: None,
        });
        self.state().cells.push(Some(Arc::new(update)));
        self.appended.notify_one();
    }

    pub(crate) fn seal(&self) {
        self.state().cells.push(None);
    }

    pub(crate) fn fail(&self, fails: bool) {
        self.state().fails = fails;
    }

    pub(crate) fn hang(&self, hangs: bool) {
        self.state().hangs = hangs;
    }

    pub(crate) fn polls(&self) -> usize {
        self.state().polls
    }
}

impl Source for Memory {
    type Error = Failure;
    type Tail = Following;

    async fn open(&self) -> Result<CursorKey, Failure> {
        self.try_state().map(|_| CursorKey::from_bytes([3; 16]))
    }

    async fn head(&self) -> Result<Position, Failure> {
        while self.state().hangs {
            sleep(FAST).await;
        }
        self.try_state().map(|state| state.head())
    }

    async fn locate(&self, location: Location, _holder: Position) -> Result<Located, Failure> {
        if matches!(&location, Location::Id(id) if id.as_str() == PANIC) {
            panic!("as told");
        }
        let state = self.try_state()?;
        let found = state.updates().filter(|appended| match &location {
            Location::Id(id) => appended.update.id() == id,
            Location::At(at) | Location::Told(Place { position: at, .. }) => {
                appended.position == *at
            }
            Location::Newest(newest) => appended.position <= *newest,
        });
        let found = found
            .last()
            .map(|appended| (Place::undated(appended.position), appended.update.id().clone()));
        Ok(Located { found, oldest: Position::new(1) })
    }

    async fn page(&self, fetch: Fetch, subscription: Arc<Subscribe>) -> Result<Page, Failure> {
        let state = self.try_state()?;
        let updates = state.updates().filter(|appended| {
            let stored = appended.update.store();
            appended.position > fetch.after
                && appended.position <= fetch.through
                && subscription.selects(&stored.topics, stored.private)
        });
        Ok(Page {
            updates: updates.collect(),
            reached: fetch.through,
            since: None,
            oldest: Position::new(1),
        })
    }

    fn tail(&self, from: Place) -> Following {
        let tail = MemoryTail { log: self.clone(), reached: from.position };
        if self.calls {
            Following::Called(tail)
        } else {
            Following::Asking(Paced::new(tail, from, Pace::new(FAST, SLOW), now))
        }
    }
}

/// Follows the log.
pub(crate) enum Following {
    Asking(Paced<MemoryTail>),
    Called(MemoryTail),
}

impl Tail for Following {
    type Error = Failure;

    async fn next(&mut self) -> Result<Read, Failure> {
        match self {
            Self::Asking(tail) => tail.next().await,
            Self::Called(tail) => tail.wait().await,
        }
    }
}

/// How far the log was read.
pub(crate) struct MemoryTail {
    log: Memory,
    reached: Position,
}

impl MemoryTail {
    fn read(&mut self) -> Result<Vec<Appended>, Failure> {
        let state = self.log.try_state()?;
        let updates = state.updates().filter(|appended| appended.position > self.reached).collect();
        self.reached = state.head();
        Ok(updates)
    }

    /// Waits for the log to call.
    async fn wait(&mut self) -> Result<Read, Failure> {
        let before = self.reached;
        loop {
            let (as_of, updates) = (now(), self.read()?);
            if self.reached > before {
                return Ok(Read { updates, reached: self.reached, as_of });
            }
            self.log.appended.notified().await;
        }
    }
}

impl PolledTail for MemoryTail {
    type Error = Failure;

    async fn poll(&mut self) -> Result<Polled, Failure> {
        self.log.state().polls += 1;
        let updates = self.read()?;
        Ok(Polled { updates, reached: self.reached, ahead: Ahead::Nothing })
    }
}
