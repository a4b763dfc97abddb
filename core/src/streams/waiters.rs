//! Which readers have waited longest, for when one has to be cut.

use std::collections::BTreeSet;

use crate::streams::outbox::Outbox;
use crate::streams::stream_id::StreamId;
use crate::time::Timestamp;

/// Streams whose readers have something to take, ordered by how long they may have waited.
///
/// A stream gets its turn when something is written to it, and its outbox knows when that was.
/// Whenever its reader takes something, its wait starts over, but nothing is noted here: a turn
/// that has become too early is moved once it comes up. So writing and taking cost next to nothing,
/// and finding the longest waiter costs a few steps for each stream that has taken something since
/// it was last asked for.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    turns: BTreeSet<(Timestamp, StreamId)>,
}

impl Waiters {
    /// Something was written to a stream.
    pub(crate) fn enter(&mut self, stream: StreamId, outbox: &Outbox) {
        if outbox.turn.get().is_none() {
            outbox.turn.set(outbox.waits_since());
            self.turns.extend(outbox.turn.get().map(|turn| (turn, stream)));
        }
    }

    /// A stream has ended, or its turn is over.
    pub(crate) fn leave(&mut self, stream: StreamId, outbox: &Outbox) {
        if let Some(turn) = outbox.turn.take() {
            self.turns.remove(&(turn, stream));
        }
    }

    /// The stream whose reader has waited longest. `outbox` finds the outbox of a stream that still
    /// exists.
    pub(crate) fn longest<'a>(
        &mut self,
        outbox: impl Fn(StreamId) -> Option<&'a Outbox>,
    ) -> Option<StreamId> {
        while let Some(&(turn, stream)) = self.turns.first() {
            let Some(outbox) = outbox(stream) else {
                self.turns.pop_first();
                continue;
            };
            if outbox.waits_since().is_some_and(|since| since <= turn) {
                return Some(stream);
            }
            self.leave(stream, outbox);
            self.enter(stream, outbox);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::BTreeMap;

    use super::*;
    use crate::streams::outbox::Waiting;

    const fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    /// Streams 1 to `count`; stream `n` has had something to take since moment `n`.
    struct Crowd {
        waiting: Waiting,
        waiters: Waiters,
        outboxes: BTreeMap<StreamId, Outbox>,
    }

    impl Crowd {
        fn new(count: u64) -> Self {
            let (mut waiting, mut waiters) = (Waiting::default(), Waiters::default());
            let outboxes = (1..=count).map(|number| {
                let (stream, mut outbox) = (StreamId::new(number), Outbox::new(at(0)));
                let chunk = waiting.chunk(10);
                outbox.push(chunk, at(number));
                waiting.keep(chunk, 1);
                waiters.enter(stream, &outbox);
                (stream, outbox)
            });
            let outboxes = outboxes.collect();
            Self { waiting, waiters, outboxes }
        }

        fn take(&mut self, number: u64, bytes: usize, now: Timestamp) {
            let outbox = self.outboxes.get_mut(&StreamId::new(number)).unwrap();
            outbox.take(bytes, &mut self.waiting, now);
        }

        fn longest(&mut self, asked: &Cell<usize>) -> Option<u64> {
            let longest = self.waiters.longest(|stream| {
                asked.set(asked.get() + 1);
                self.outboxes.get(&stream)
            });
            longest.map(StreamId::get)
        }

        fn end(&mut self, number: u64) {
            let stream = StreamId::new(number);
            let outbox = self.outboxes.remove(&stream).unwrap();
            self.waiters.leave(stream, &outbox);
        }
    }

    #[test]
    fn the_longest_waiter_is_found_whatever_was_taken_meanwhile() {
        let (mut crowd, asked) = (Crowd::new(3), Cell::new(0));
        crowd.take(1, 5, at(10));
        crowd.take(2, 10, at(10));
        assert_eq!(crowd.longest(&asked), Some(3));
        crowd.end(3);
        assert_eq!(crowd.longest(&asked), Some(1));
        crowd.end(1);
        // The second has nothing to take.
        assert_eq!(crowd.longest(&asked), None);
        assert!(crowd.waiters.turns.is_empty());
    }

    #[test]
    fn finding_many_of_them_looks_at_each_a_few_times() {
        const STREAMS: u64 = 1_000;
        let (mut crowd, asked) = (Crowd::new(STREAMS), Cell::new(0));
        for number in 1..=STREAMS {
            crowd.take(number, 5, at(STREAMS + number));
        }
        for number in 1..=STREAMS {
            assert_eq!(crowd.longest(&asked), Some(number));
            crowd.end(number);
        }
        assert!(asked.get() <= 3 * 1_000, "{}", asked.get());
    }
}
