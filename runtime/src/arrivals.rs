//! Subscribers that have arrived, and are waiting to learn where the log ends.
//!
//! A stream begins at the end of the log, for its reader is not owed what was acknowledged before it
//! came; and the holder's own position is as old as the last read. So the end is looked up for each
//! subscriber, and for all that wait at once.

use cinnabar_core::{Subscribe, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::opened::Opened;

/// How many subscribers may wait, if their matchers are small.
pub const MOST_ARRIVALS: u32 = 512;

/// How much room a subscriber takes with small matchers, in KiB: mostly for its request.
const LEAST_ROOM: u32 = 64;

/// How much room there is for subscribers that wait, in KiB. They are not streams yet, whose number
/// and matchers the core bounds.
pub(crate) const ROOM: u32 = MOST_ARRIVALS * LEAST_ROOM;

/// How much of the room a subscriber takes, in KiB.
pub(crate) fn room_for(subscribe: &Subscribe) -> u32 {
    LEAST_ROOM + u32::try_from(subscribe.size() / 1024).unwrap_or(ROOM)
}

/// A subscriber that has arrived.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) subscribe: Subscribe,
    /// When the platform breaks its response off.
    pub(crate) deadline: Option<Timestamp>,
    pub(crate) opened: oneshot::Sender<Opened>,
    /// What it takes of the room for those that wait.
    pub(crate) room: OwnedSemaphorePermit,
}

impl Arrival {
    /// Answers that it cannot be served just now. If it is gone, no harm is done.
    pub(crate) fn refuse(self, now: Timestamp) {
        let _ = self.opened.send(Opened::Answer(self.subscribe.unavailable(now)));
    }
}

/// Those that wait.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    /// They came after the current lookup began. What it finds may lack what was acknowledged in
    /// between, so they wait for the next.
    late: Vec<Arrival>,
    /// They wait for the current lookup, if there is one.
    waiting: Option<Vec<Arrival>>,
}

impl Arrivals {
    pub(crate) fn push(&mut self, arrival: Arrival) {
        self.late.push(arrival);
    }

    /// Whether a lookup is to begin now. If so, all that have come wait for it.
    #[must_use]
    pub(crate) fn begin_lookup(&mut self) -> bool {
        let begins = self.waiting.is_none() && !self.late.is_empty();
        if begins {
            self.waiting = Some(std::mem::take(&mut self.late));
        }
        begins
    }

    /// Whether the end of the log is being looked up.
    pub(crate) fn is_looking(&self) -> bool {
        self.waiting.is_some()
    }

    /// The lookup is over: those that waited for it.
    #[must_use]
    pub(crate) fn end_lookup(&mut self) -> Vec<Arrival> {
        self.waiting.take().unwrap_or_default()
    }

    /// Tells all of them that they cannot be served just now. The result of a lookup is then of no
    /// use.
    pub(crate) fn refuse_all(&mut self, now: Timestamp) {
        let Self { late, waiting } = std::mem::take(self);
        late.into_iter()
            .chain(waiting.into_iter().flatten())
            .for_each(|arrival| arrival.refuse(now));
    }
}
