//! A log in memory: one that has to be asked, and one that calls.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use cinnabar_core::testing::{MemoryLog, update};
use cinnabar_core::{
    ActiveSubscription, CursorKey, Fetch, Located, Location, Page, Place, Position, Subscribe,
    Subscriptions,
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
    log: MemoryLog,
    polls: usize,
    fails: Option<Failure>,
    /// Whether the log does not say where it ends.
    hangs: bool,
    /// Whether it notes nobody.
    refuses: bool,
    /// Whether it notes, and does not come to tell,
    holds: bool,
    /// and whom it has noted, but has not told of, by topic.
    untold: BTreeMap<String, ActiveSubscription>,
    /// The place that was last asked about.
    told: Option<Place>,
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
        self.state().log.append(update(id, topic, ""), now());
        self.appended.notify_one();
    }

    pub(crate) fn seal(&self) {
        self.state().log.skip();
    }

    /// Fails from now on, or does not.
    pub(crate) fn fail(&self, fault: impl Into<Option<Fault>>) {
        self.state().fails = fault.into().map(Failure);
        self.appended.notify_one();
    }

    /// Notes nobody from now on, or does.
    pub(crate) fn refuse(&self, refuses: bool) {
        self.state().refuses = refuses;
    }

    /// Notes from now on, and does not come to tell; or does.
    pub(crate) fn hold(&self, holds: bool) {
        self.state().holds = holds;
    }

    /// How many subscriptions are noted whose beginnings have not been told.
    pub(crate) fn untold(&self) -> usize {
        self.state().untold.len()
    }

    /// How many subscriptions are noted as active.
    pub(crate) fn active(&self) -> usize {
        self.state().log.registered("").count()
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
        self.try_state().map(|state| state.log.end())
    }

    async fn locate(&self, location: Location) -> Result<Located, Failure> {
        // Before the lock is taken, which it would poison.
        if matches!(&location, Location::Ids { ids, .. } if ids[0].as_str() == PANIC) {
            panic!("as told");
        }
        let mut state = self.try_state()?;
        if let Location::Told(place) = location {
            state.told = Some(place);
        }
        Ok(state.log.locate(&location))
    }

    async fn page(&self, fetch: Fetch, subscription: Arc<Subscribe>) -> Result<Page, Failure> {
        Ok(self.try_state()?.log.page(&fetch, &subscription))
    }

    async fn register(&self, subscriptions: Subscriptions) -> Result<(), Failure> {
        let noted = subscriptions.iter().map(|one| (one.topic().to_owned(), one));
        {
            let mut state = self.try_state()?;
            if state.refuses {
                return Err(Failure(Fault::Passing));
            }
            state.untold.extend(noted);
        }
        while self.state().holds {
            sleep(FAST).await;
        }
        let mut state = self.state();
        for one in subscriptions.iter() {
            state.untold.remove(one.topic());
        }
        state.log.register(&subscriptions, now());
        self.appended.notify_one();
        Ok(())
    }

    async fn unregister(&self, subscriptions: Subscriptions) -> Result<(), Failure> {
        let mut state = self.try_state()?;
        if state.refuses {
            return Err(Failure(Fault::Passing));
        }
        for one in subscriptions.iter() {
            state.untold.remove(one.topic());
        }
        state.log.unregister(&subscriptions, now());
        self.appended.notify_one();
        Ok(())
    }

    async fn registered(&self, after: String) -> Result<Vec<ActiveSubscription>, Failure> {
        let state = self.try_state()?;
        let untold = state.untold.values().filter(|one| one.topic() > after.as_str());
        let mut all: Vec<_> = state.log.registered(&after).chain(untold).cloned().collect();
        all.sort_by(|one, other| one.topic().cmp(other.topic()));
        // A few at a time.
        all.truncate(2);
        Ok(all)
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
        let updates = state.log.between(self.reached, state.log.end()).collect();
        self.reached = state.log.end();
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
