//! A log in memory: one that has to be asked, and one that calls.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use cinnabar_core::{
    Appended, CursorKey, Fetch, Located, Location, Offer, Page, Pager, Place, Position,
    StoredUpdate, Subscribe, Timestamp, Update,
};
use cinnabar_runtime::{
    Ahead, Fault, Pace, Paced, Polled, PolledTail, Read, Source, SourceError, Tail,
};
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::clock::now;

/// The bounds of the pace, as the tests of it know them.
const FAST: Duration = Duration::from_millis(50);
const SLOW: Duration = Duration::from_secs(1);

/// Asked for the place of this id, the log panics.
pub(crate) const PANIC: &str = "urn:panic";

/// Why the log did not answer: it was told not to.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("as told")]
pub(crate) struct Failure(Fault);

impl SourceError for Failure {
    fn fault(&self) -> Fault {
        self.0
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
    fails: Option<Failure>,
    /// Whether the log does not say where it ends.
    hangs: bool,
    /// The place that was last asked about.
    told: Option<Place>,
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
        state.fails.map_or(Ok(state), Err)
    }

    pub(crate) fn publish(&self, id: &str, topic: &str) {
        let update = Update::restore(StoredUpdate {
            id: id.into(),
            topics: topic.into(),
            targets: String::new(),
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

    /// Fails from now on, or does not.
    pub(crate) fn fail(&self, fault: impl Into<Option<Fault>>) {
        self.state().fails = fault.into().map(Failure);
        self.appended.notify_one();
    }

    pub(crate) fn hang(&self, hangs: bool) {
        self.state().hangs = hangs;
    }

    pub(crate) fn told(&self) -> Option<Place> {
        self.state().told
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

    async fn locate(&self, location: Location) -> Result<Located, Failure> {
        // Before the lock is taken, which it would poison.
        if matches!(&location, Location::Id { id, .. } if id.as_str() == PANIC) {
            panic!("as told");
        }
        let mut state = self.try_state()?;
        let newest = |wanted: &dyn Fn(&Appended) -> bool| {
            let found = state.updates().filter(wanted).last();
            found.map_or(Located::Unknown, |Appended { position, update }| {
                Located::Found(Place::undated(position), update.id().clone())
            })
        };
        Ok(match location {
            Location::Id { id, .. } => newest(&|appended| appended.update.id() == &id),
            Location::Newest(end) => newest(&|appended| appended.position <= end),
            Location::Floor { .. } => Located::Oldest(Position::START.next()),
            Location::Told(place) => {
                state.told = Some(place);
                Located::Kept
            }
        })
    }

    async fn page(&self, fetch: Fetch, subscription: Arc<Subscribe>) -> Result<Page, Failure> {
        let state = self.try_state()?;
        let mut pager = Pager::new(&fetch, &subscription);
        for Appended { position, update } in state.updates() {
            if position <= fetch.after || position > fetch.through {
                continue;
            }
            let stored = update.store();
            match pager.offer(position, Timestamp::default(), &stored, stored.data.len()) {
                Offer::Take => pager.take(position, update),
                Offer::Skip => {}
                Offer::Full => return Ok(pager.cut(Position::START.next())),
            }
        }
        Ok(pager.complete(Position::START.next()))
    }

    fn tail(&self, from: Place) -> Following {
        let tail = MemoryTail { log: self.clone(), reached: from.position };
        if self.calls {
            Following::Called(tail)
        } else {
            Following::Asking(Paced::new(tail, Pace::new(FAST, SLOW)))
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
    fn read(&mut self) -> Result<Read, Failure> {
        let state = self.log.try_state()?;
        let updates = state.updates().filter(|appended| appended.position > self.reached).collect();
        self.reached = state.head();
        Ok(Read { updates, reached: Place { position: self.reached, since: now() } })
    }

    /// Waits for the log to call.
    async fn wait(&mut self) -> Result<Read, Failure> {
        let before = self.reached;
        loop {
            let read = self.read()?;
            if self.reached > before {
                return Ok(read);
            }
            self.log.appended.notified().await;
        }
    }
}

impl PolledTail for MemoryTail {
    type Error = Failure;

    async fn poll(&mut self) -> Result<Polled, Failure> {
        self.log.state().polls += 1;
        Ok(Polled { read: self.read()?, ahead: Ahead::Nothing })
    }
}
