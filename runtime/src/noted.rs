//! What a process has had a log note as active, where the log has no list of what is this process's own.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cinnabar_core::{ActiveSubscription, Subscriptions};

/// How many are handed over at once.
const PAGE: usize = 500;

/// Active subscriptions that are noted, or may be: their records, by their topics. A clone is another
/// handle on the same.
#[derive(Clone, Default)]
pub struct Noted(Arc<Mutex<BTreeMap<String, String>>>);

impl Noted {
    /// Adds these, before they are noted: whatever fails then, they may be.
    pub fn add(&self, subscriptions: &Subscriptions) {
        let records = subscriptions.iter().map(|one| (one.topic().to_owned(), one.record()));
        self.lock().extend(records);
    }

    /// Removes the one with this topic, which is noted no longer.
    pub fn remove(&self, topic: &str) {
        self.lock().remove(topic);
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Some of those behind a topic, in order, as [`Source::registered`](crate::Source::registered) has to
    /// return them: those whose topic counts.
    #[must_use]
    pub fn behind(&self, after: &str, counts: impl Fn(&str) -> bool) -> Vec<ActiveSubscription> {
        let noted = self.lock();
        let behind = noted.range::<str, _>((Bound::Excluded(after), Bound::Unbounded));
        let restored = behind
            .filter(|(topic, _)| counts(topic))
            .filter_map(|(topic, record)| ActiveSubscription::restored(topic, record));
        restored.take(PAGE).collect()
    }

    /// It is whole between any two of its changes, so a panic elsewhere does not spoil it.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Noted {
    /// Only a count: topics come from queries, and payloads from tokens.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Noted({})", self.lock().len())
    }
}
