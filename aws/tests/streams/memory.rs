//! A log in memory.

use std::sync::{Arc, Mutex, MutexGuard};

use cinnabar_aws::log::{LogError, Read};
use cinnabar_aws::source::Source;
use cinnabar_core::{
    Appended, CursorKey, Fetch, Located, Location, Page, Place, Position, StoredUpdate, Subscribe,
    Timestamp, Update,
};

/// Asked for the place of this id, the log panics.
pub(crate) const PANIC: &str = "urn:panic";

#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// By number from 1; `None` for one that was sealed.
    cells: Vec<Option<Arc<Update>>>,
    polls: usize,
    fails: bool,
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
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn try_state(&self) -> Result<MutexGuard<'_, State>, LogError> {
        let state = self.state();
        if state.fails { Err(LogError::Unavailable("as told".into())) } else { Ok(state) }
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
    }

    pub(crate) fn seal(&self) {
        self.state().cells.push(None);
    }

    pub(crate) fn fail(&self, fails: bool) {
        self.state().fails = fails;
    }

    pub(crate) fn polls(&self) -> usize {
        self.state().polls
    }
}

impl Source for Memory {
    type Tail = (Self, Position);

    async fn open(&self) -> Result<CursorKey, LogError> {
        self.try_state().map(|_| CursorKey::from_bytes([3; 16]))
    }

    async fn head(&self) -> Result<Position, LogError> {
        self.try_state().map(|state| state.head())
    }

    async fn locate(
        &self,
        location: Location,
        _floor: Position,
        _end: Position,
    ) -> Result<Located, LogError> {
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

    async fn page(&self, fetch: Fetch, subscription: Arc<Subscribe>) -> Result<Page, LogError> {
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

    fn tail(&self, from: Place) -> Self::Tail {
        (self.clone(), from.position)
    }

    async fn poll((log, reached): &mut Self::Tail) -> Result<Read, LogError> {
        log.state().polls += 1;
        let state = log.try_state()?;
        let updates = state.updates().filter(|appended| appended.position > *reached).collect();
        *reached = state.head();
        let as_of = Timestamp::default();
        Ok(Read { updates, reached: *reached, as_of, hole: false, more: false })
    }
}
