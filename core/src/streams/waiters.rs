//! Which readers have waited longest, for the day on which something has to give way.

use std::collections::{BTreeMap, BTreeSet};

use crate::streams::stream_id::StreamId;
use crate::time::Timestamp;

/// Streams whose readers have something to take, those first that may have waited longest.
///
/// A stream gets its turn when something is written to it. Whenever its reader takes something, its
/// wait begins anew, and nothing is noted here: a turn that has become too early is moved when it
/// is met. So writing and taking cost nothing, and finding the longest waiter costs a few steps
/// for each stream that has taken something since it was last asked for.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    turns: BTreeSet<(Timestamp, StreamId)>,
    by_stream: BTreeMap<StreamId, Timestamp>,
}

impl Waiters {
    /// Something was written to a stream, whose reader has waited since `since`.
    pub(crate) fn enter(&mut self, stream: StreamId, since: Timestamp) {
        self.by_stream.entry(stream).or_insert_with(|| {
            self.turns.insert((since, stream));
            since
        });
    }

    /// A stream has ended.
    pub(crate) fn remove(&mut self, stream: StreamId) {
        if let Some(since) = self.by_stream.remove(&stream) {
            self.turns.remove(&(since, stream));
        }
    }

    /// The stream whose reader has waited longest; `waits_since` tells since when a reader waits, if
    /// it has something to take.
    pub(crate) fn longest(
        &mut self,
        waits_since: impl Fn(StreamId) -> Option<Timestamp>,
    ) -> Option<StreamId> {
        while let Some(&(turn, stream)) = self.turns.first() {
            match waits_since(stream) {
                Some(since) if since <= turn => return Some(stream),
                since => {
                    self.remove(stream);
                    if let Some(since) = since {
                        self.enter(stream, since);
                    }
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn the_longest_waiter_is_found_whatever_was_taken_meanwhile() {
        let mut waiters = Waiters::default();
        for number in 1..=3 {
            waiters.enter(StreamId::new(number), at(number));
        }
        // The first took something at 10; the second has taken all.
        let waits_since = |stream: StreamId| match stream.get() {
            1 => Some(at(10)),
            2 => None,
            other => Some(at(other)),
        };
        assert_eq!(waiters.longest(waits_since), Some(StreamId::new(3)));
        waiters.remove(StreamId::new(3));
        assert_eq!(waiters.longest(waits_since), Some(StreamId::new(1)));
        waiters.remove(StreamId::new(1));
        assert_eq!(waiters.longest(waits_since), None);
        assert!(waiters.turns.is_empty() && waiters.by_stream.is_empty());
    }

    #[test]
    fn finding_many_of_them_looks_at_each_a_few_times() {
        const STREAMS: u64 = 1_000;
        let mut waiters = Waiters::default();
        for number in 1..=STREAMS {
            waiters.enter(StreamId::new(number), at(number));
        }
        let asked = Cell::new(0);
        let waits_since = |stream: StreamId| {
            asked.set(asked.get() + 1);
            Some(at(STREAMS + stream.get()))
        };
        for number in 1..=STREAMS {
            let longest = waiters.longest(waits_since).unwrap();
            assert_eq!(longest, StreamId::new(number));
            waiters.remove(longest);
        }
        assert!(asked.get() <= 3 * STREAMS, "{}", asked.get());
    }
}
