//! A log in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use crate::feed::FollowerId;
use crate::{
    ActiveSubscription, Answer, Appended, Fetch, List, Located, Location, Offer, Page, Pager,
    Place, Position, Subscribe, Subscriptions, Timestamp, Update,
};

/// A log that can drop its oldest updates, and can have positions that never got one.
#[derive(Debug, Default)]
pub struct MemoryLog {
    /// Every update that was ever appended, by position, and when it was.
    cells: Vec<Option<(Timestamp, Arc<Update>)>>,
    /// Everything up to here was dropped.
    dropped: Position,
    /// The subscriptions that are noted as active, by topic,
    active: BTreeMap<String, ActiveSubscription>,
    /// and who holds them, if it is not the log's own holder.
    followers: BTreeMap<String, FollowerId>,
}

impl MemoryLog {
    /// Where it ends.
    #[must_use]
    pub fn end(&self) -> Position {
        Position::new(self.cells.len() as u64)
    }

    /// The oldest update kept, or if none is, the position of the next one.
    #[must_use]
    pub fn oldest(&self) -> Position {
        self.dropped.next()
    }

    /// Appends an update. Returns its position.
    pub fn append(&mut self, update: impl Into<Arc<Update>>, now: Timestamp) -> Position {
        self.cells.push(Some((now, update.into())));
        self.end()
    }

    /// Appends the beginnings of subscriptions, and notes that they are active.
    pub fn register(&mut self, subscriptions: &Subscriptions, now: Timestamp) {
        for one in subscriptions.iter() {
            self.append(one.beginning(), now);
            self.active.insert(one.topic().to_owned(), one);
        }
    }

    /// The same for a follower, which may ask twice.
    pub fn register_for(
        &mut self,
        follower: FollowerId,
        subscriptions: &Subscriptions,
        now: Timestamp,
    ) {
        let is_new = |one: &ActiveSubscription| !self.active.contains_key(one.topic());
        let new: Vec<ActiveSubscription> = subscriptions.iter().filter(is_new).collect();
        for one in &new {
            self.followers.insert(one.topic().to_owned(), follower);
        }
        self.register(&new.into(), now);
    }

    /// The followers that hold what is noted as active.
    #[must_use]
    pub fn followers(&self) -> BTreeSet<FollowerId> {
        self.followers.values().copied().collect()
    }

    /// A follower does not come back.
    pub fn unregister_all_of(&mut self, follower: FollowerId, now: Timestamp) {
        let is_its_own =
            |one: &&ActiveSubscription| self.followers.get(one.topic()) == Some(&follower);
        let its_own: Vec<ActiveSubscription> =
            self.active.values().filter(is_its_own).cloned().collect();
        self.unregister(&its_own.into(), now);
    }

    /// Appends the ends of those that are noted as active, and notes that they are not.
    pub fn unregister(&mut self, subscriptions: &Subscriptions, now: Timestamp) {
        for one in subscriptions.iter() {
            if self.active.remove(one.topic()).is_some() {
                self.followers.remove(one.topic());
                self.append(one.end(), now);
            }
        }
    }

    /// What is noted as active, in the order of topics and behind this one.
    pub fn registered(&self, after: &str) -> impl Iterator<Item = &ActiveSubscription> {
        let behind = (Bound::Excluded(after), Bound::Unbounded);
        self.active.range::<str, _>(behind).map(|(_, one)| one)
    }

    /// Answers who is here.
    #[must_use]
    pub fn list(&self, list: &List) -> Answer {
        let newest = self.between(Position::START, self.end()).next_back();
        let mut listing = list.begin(newest.map(|newest| newest.update.id().clone()));
        let [first, end] = list.topics();
        for (topic, one) in self.active.range(first..end) {
            // A topic is no mark as it is: it holds other characters.
            let mark: String = topic.bytes().map(|byte| format!("{byte:02x}")).collect();
            if list.after().is_none_or(|after| after < mark.as_str())
                && !listing.offer(one.clone(), mark)
            {
                break;
            }
        }
        list.answer(&listing)
    }

    /// Uses up a position that will never get an update.
    pub fn skip(&mut self) -> Position {
        self.cells.push(None);
        self.end()
    }

    /// Drops everything up to here.
    pub fn drop_through(&mut self, last: Position) {
        self.dropped = self.dropped.max(last.min(self.end()));
    }

    /// The updates after one position up to and including another, dropped or not.
    pub fn between(
        &self,
        after: Position,
        through: Position,
    ) -> impl DoubleEndedIterator<Item = Appended> {
        self.dated(after, through).map(|(_, appended)| appended)
    }

    /// The update at a position, dropped or not.
    #[must_use]
    pub fn at(&self, position: Position) -> Option<Arc<Update>> {
        self.between(position.back(1), position).next().map(|appended| appended.update)
    }

    /// Answers what a stream asks before it begins.
    #[must_use]
    pub fn locate(&self, location: &Location) -> Located {
        let mut kept = self.dated(self.dropped, self.end());
        let found = |(appended, found): (Timestamp, Appended)| {
            let place = Place { position: found.position, since: appended };
            Located::Found(place, found.update.id().clone())
        };
        match location {
            Location::Ids { ids, floor } => ids
                .iter()
                .filter_map(|id| kept.clone().find(|(_, kept)| kept.update.id() == id))
                .find(|(_, kept)| kept.position >= *floor)
                .map_or(Located::Unknown, found),
            Location::Told(place) if self.dropped <= place.position => Located::Kept,
            Location::Told(_) => Located::Unknown,
            Location::Floor { floor, .. } => kept
                .rfind(|(_, kept)| kept.position <= *floor)
                .map_or(Located::Oldest(self.oldest()), found),
            Location::Newest(newest) => {
                kept.rfind(|(_, kept)| kept.position <= *newest).map_or(Located::Unknown, found)
            }
        }
    }

    /// A page of history, for the stream that this subscriber opened.
    #[must_use]
    pub fn page(&self, fetch: &Fetch, subscribe: &Subscribe) -> Page {
        self.fill(fetch, Pager::new(fetch, subscribe))
    }

    /// A page of everything, for those that follow this log.
    #[must_use]
    pub fn page_of_all(&self, fetch: &Fetch) -> Page {
        self.fill(fetch, Pager::of(fetch, None))
    }

    fn fill(&self, fetch: &Fetch, mut pager: Pager<'_>) -> Page {
        for (appended, kept) in self.dated(fetch.after.max(self.dropped), fetch.through) {
            let stored = kept.update.store();
            match pager.offer(kept.position, appended, &stored, stored.data.len()) {
                Offer::Take => pager.take(kept.position, kept.update),
                Offer::Skip => {}
                Offer::Full => return pager.cut(self.oldest()),
            }
        }
        pager.complete(self.oldest())
    }

    fn dated(
        &self,
        after: Position,
        through: Position,
    ) -> impl DoubleEndedIterator<Item = (Timestamp, Appended)> + Clone {
        let through = through.min(self.end()).get();
        (after.get()..through).filter_map(|index| {
            let (appended, update) = self.cells.get(usize::try_from(index).ok()?)?.as_ref()?;
            let position = Position::new(index + 1);
            Some((*appended, Appended { position, update: Arc::clone(update) }))
        })
    }
}
