//! What publishers were told, and whether the log that subscribers saw agrees with it.
//!
//! Each attempt to publish has its own data, so an update identifies the attempt that made it. An
//! attempt that was not acknowledged may or may not have made one, but never two.

use std::collections::{HashMap, HashSet};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// An update as a subscriber saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) id: String,
    pub(super) data: String,
}

/// The attempts of all publishers.
#[derive(Default)]
pub(super) struct Journal {
    attempts: Mutex<Attempts>,
    acknowledged: Condvar,
}

#[derive(Default)]
struct Attempts {
    by_data: HashMap<String, Attempt>,
    acknowledged: usize,
}

struct Attempt {
    began: Instant,
    acknowledged: Option<Acknowledgement>,
}

struct Acknowledgement {
    id: String,
    at: Instant,
}

impl Journal {
    /// Notes that an attempt with this data is about to be made.
    pub(super) fn begin(&self, data: &str) {
        let attempt = Attempt { began: Instant::now(), acknowledged: None };
        self.lock().by_data.insert(data.to_owned(), attempt);
    }

    /// Notes the id in the hub's 200.
    pub(super) fn acknowledge(&self, data: &str, id: String) {
        let at = Instant::now();
        let mut attempts = self.lock();
        if let Some(attempt) = attempts.by_data.get_mut(data) {
            attempt.acknowledged = Some(Acknowledgement { id, at });
            attempts.acknowledged += 1;
            self.acknowledged.notify_all();
        }
    }

    /// How many updates have been acknowledged so far.
    pub(super) fn acknowledged(&self) -> usize {
        self.lock().acknowledged
    }

    /// Waits until this many updates have been acknowledged.
    #[track_caller]
    pub(super) fn wait_for(&self, total: usize, patience: Duration) {
        let attempts = self.lock();
        let waiting = self
            .acknowledged
            .wait_timeout_while(attempts, patience, |attempts| attempts.acknowledged < total);
        let (attempts, timeout) = waiting.unwrap_or_else(PoisonError::into_inner);
        let made = attempts.acknowledged;
        assert!(!timeout.timed_out(), "{made} of {total} updates acknowledged after {patience:?}");
    }

    /// Checks a log, as one subscriber saw it from its beginning, against all attempts.
    ///
    /// - each acknowledged update is in it, under its id, once;
    /// - nothing else is, except updates of attempts whose answer was lost, each at most once;
    /// - an update acknowledged before another's attempt began comes before it.
    pub(super) fn check(&self, log: &[Seen]) -> Result<(), String> {
        let attempts = &self.lock().by_data;
        let mut ids = HashSet::new();
        let mut data = HashSet::new();
        let mut latest_beginning: Option<(Instant, &str)> = None;
        for seen in log {
            let Some(attempt) = attempts.get(&seen.data) else {
                return Err(format!("{seen:?} is an update that nobody published"));
            };
            if !ids.insert(&seen.id) || !data.insert(&seen.data) {
                return Err(format!("{seen:?} is in the log twice"));
            }
            if let Some(acknowledged) = &attempt.acknowledged {
                if acknowledged.id != seen.id {
                    return Err(format!("{seen:?} was acknowledged as {}", acknowledged.id));
                }
                if let Some((began, other)) = latest_beginning
                    && acknowledged.at < began
                {
                    return Err(format!(
                        "{seen:?} was acknowledged before the attempt {other} began, and comes after it",
                    ));
                }
            }
            if latest_beginning.is_none_or(|(began, _)| began < attempt.began) {
                latest_beginning = Some((attempt.began, &seen.data));
            }
        }
        let mut missing = attempts
            .iter()
            .filter(|(made, attempt)| attempt.acknowledged.is_some() && !data.contains(made));
        match missing.next() {
            None => Ok(()),
            Some((made, _)) => Err(format!(
                "{made} was acknowledged and is not in the log, as {} others",
                missing.count(),
            )),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Attempts> {
        // Every change is a single step, so even a panicking publisher leaves it consistent.
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Checks that a subscriber saw exactly this log.
pub(super) fn check_same(log: &[Seen], seen: &[Seen]) -> Result<(), String> {
    if let Some(at) = log.iter().zip(seen).position(|(expected, seen)| expected != seen) {
        return Err(format!("number {at} is {:?}, in the log it is {:?}", seen[at], log[at]));
    }
    if log.len() == seen.len() {
        return Ok(());
    }
    Err(format!("{} updates where the log has {}", seen.len(), log.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(id: &str, data: &str) -> Seen {
        Seen { id: id.to_owned(), data: data.to_owned() }
    }

    /// `a` was acknowledged before `c` began; the answer to `b` was lost.
    fn journal() -> Journal {
        let journal = Journal::default();
        journal.begin("a");
        journal.begin("b");
        journal.acknowledge("a", "1".to_owned());
        journal.begin("c");
        journal.acknowledge("c", "3".to_owned());
        journal
    }

    #[test]
    fn an_unacknowledged_update_may_or_may_not_be_there() {
        assert_eq!(journal().check(&[seen("1", "a"), seen("3", "c")]), Ok(()));
        assert_eq!(journal().check(&[seen("1", "a"), seen("3", "c"), seen("2", "b")]), Ok(()));
    }

    #[test]
    fn a_lost_doubled_forged_renamed_or_misplaced_update_is_found() {
        let faults: [&[Seen]; 6] = [
            &[seen("1", "a")],
            &[seen("1", "a"), seen("2", "b"), seen("4", "b"), seen("3", "c")],
            &[seen("1", "a"), seen("3", "c"), seen("3", "c")],
            &[seen("1", "a"), seen("3", "c"), seen("4", "d")],
            &[seen("9", "a"), seen("3", "c")],
            &[seen("3", "c"), seen("1", "a")],
        ];
        for log in faults {
            assert!(journal().check(log).is_err(), "{log:?}");
        }
    }

    #[test]
    fn another_order_or_length_is_found() {
        let log = [seen("1", "a"), seen("3", "c")];
        assert_eq!(check_same(&log, &log), Ok(()));
        assert!(check_same(&log, &log[..1]).is_err());
        assert!(check_same(&log, &[seen("3", "c"), seen("1", "a")]).is_err());
    }
}
