//! When to look at each stream: one moment per stream, one timer for all of them.

use std::collections::BTreeSet;

use crate::streams::stream_id::{ByStream, StreamId};
use crate::time::Timestamp;

/// The moments at which something is due to a stream, or may be: writing to a stream only postpones
/// what is due, so a wake may come too early, and is then set again.
#[derive(Debug, Default)]
pub(crate) struct Wakes {
    in_order: BTreeSet<(Timestamp, StreamId)>,
    by_stream: ByStream<Timestamp>,
}

impl Wakes {
    /// Wakes a stream at this moment instead of the one that was set before.
    pub(crate) fn set(&mut self, stream: StreamId, at: Timestamp) {
        match self.by_stream.insert(stream, at) {
            Some(before) if before == at => return,
            Some(before) => _ = self.in_order.remove(&(before, stream)),
            None => {}
        }
        self.in_order.insert((at, stream));
    }

    /// Forgets this stream's moment.
    pub(crate) fn remove(&mut self, stream: StreamId) {
        if let Some(at) = self.by_stream.remove(&stream) {
            self.in_order.remove(&(at, stream));
        }
    }

    /// The earliest moment.
    pub(crate) fn first(&self) -> Option<Timestamp> {
        self.in_order.first().map(|(at, _)| *at)
    }

    /// The next stream whose moment has come. It does not wake again until it is set again.
    pub(crate) fn pop_due(&mut self, now: Timestamp) -> Option<StreamId> {
        let &(at, stream) = self.in_order.first()?;
        if at > now {
            return None;
        }
        self.in_order.pop_first();
        self.by_stream.remove(&stream);
        Some(stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn each_stream_wakes_once_when_it_was_set_last() {
        let (one, other) = (StreamId::new(1), StreamId::new(2));
        let mut wakes = Wakes::default();
        wakes.set(one, at(10));
        wakes.set(other, at(20));
        wakes.set(one, at(30));
        assert_eq!(wakes.first(), Some(at(20)));
        assert_eq!(wakes.pop_due(at(19)), None);
        assert_eq!(wakes.pop_due(at(40)), Some(other));
        assert_eq!(wakes.pop_due(at(40)), Some(one));
        assert_eq!(wakes.pop_due(at(40)), None);
        wakes.set(one, at(50));
        wakes.remove(one);
        assert_eq!(wakes.first(), None);
    }
}
