//! A log in memory, that may forget its oldest updates, and has numbers without an update.

use std::sync::Arc;

use cinnabar_core::{Appended, Fetch, Located, Location, Page, Place, Position, Update};

pub(crate) struct Log {
    /// What there ever was at each position, from the first.
    cells: Vec<Option<Arc<Update>>>,
    /// The oldest that is kept; where none is, the next.
    pub(crate) oldest: u64,
}

impl Log {
    pub(crate) fn new() -> Self {
        Self { cells: Vec::new(), oldest: 1 }
    }

    /// The last position.
    pub(crate) fn end(&self) -> u64 {
        self.cells.len().try_into().unwrap()
    }

    /// What has this position, kept or not.
    pub(crate) fn at(&self, position: u64) -> Option<Appended> {
        let cell = &self.cells[usize::try_from(position - 1).unwrap()];
        let update = Arc::clone(cell.as_ref()?);
        Some(Appended { position: Position::new(position), update })
    }

    /// The updates after one position up to another, kept or not.
    pub(crate) fn between(
        &self,
        after: u64,
        through: u64,
    ) -> impl DoubleEndedIterator<Item = Appended> {
        (after + 1..=through).filter_map(|position| self.at(position))
    }

    /// Appends an update; or nothing, under a number of its own.
    pub(crate) fn append(&mut self, update: Option<Update>) {
        self.cells.push(update.map(Arc::new));
    }

    pub(crate) fn forget(&mut self, count: u64) {
        self.oldest = (self.oldest + count).min(self.end() + 1);
    }

    pub(crate) fn locate(&self, location: &Location) -> Located {
        let mut kept = self.between(self.oldest - 1, self.end());
        let found = match location {
            Location::Id(id) => kept.find(|kept| kept.update.id() == id),
            Location::At(at) | Location::Told(Place { position: at, .. }) => {
                kept.find(|kept| kept.position == *at)
            }
            Location::Newest(newest) => kept.rev().find(|kept| kept.position <= *newest),
        };
        Located {
            found: found.map(|kept| (Place::undated(kept.position), kept.update.id().clone())),
            oldest: Position::new(self.oldest),
        }
    }

    /// The page that is asked for, without the updates that are not wanted.
    pub(crate) fn page(&self, fetch: &Fetch, wants: impl Fn(&Update) -> bool) -> Page {
        let mut page = Page {
            updates: Vec::new(),
            reached: fetch.through,
            since: None,
            oldest: Position::new(self.oldest),
        };
        let after = fetch.after.get().max(self.oldest - 1);
        let mut read = 0;
        for (looked_at, appended) in self.between(after, fetch.through.get()).enumerate() {
            let stored = appended.update.store();
            read += stored.topics.len() + stored.data.len();
            if looked_at > 0 && (looked_at == fetch.limit.updates || read > fetch.limit.bytes) {
                page.reached = appended.position.back(1);
                break;
            }
            if wants(&appended.update) {
                page.updates.push(appended);
            }
        }
        page
    }
}
