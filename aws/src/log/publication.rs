//! What a publisher does, call by call.
//!
//! ```text
//!            number                written                     within the lease
//!  Numbering ──────▶ Putting(n) ──────────▶ Written(n) ──▶ Acknowledge(n)
//!      ▲                │   ▲ │ not known: the same n again
//!      └────────────────┘   └─┘
//!        n was sealed, at most three numbers
//! ```
//!
//! - *Rule 1.* Time and token are fixed before the first number is asked for. A number taken before
//!   its publication began would put the update before others that have been acknowledged already.
//!   A call for a number may be repeated, which wastes one; no number serves twice.
//! - *Rule 2.* Only a tombstone that was seen frees a publisher from its number. After a timeout the
//!   update may be there, or may still arrive: under a new number it would be there twice.
//! - *Rule 3.* An acknowledgement follows the answer to the write, within the lease. Any later, a
//!   reader may have sealed the number and the tombstone may have been deleted again: the write would
//!   succeed where every reader has passed.
//! - *Rule 5.* Nothing more is sent past the lease.

use cinnabar_core::{Position, Timestamp};

use super::clock::Moment;
use super::timing::Timing;

/// How many numbers a publication may use up.
const NUMBERS: u8 = 3;

/// What a publisher does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Ask for a number.
    Number,
    /// Write the update to this number, if it is free or has the publication's own token.
    Put(Position),
    /// Tell the publisher that its update is durable.
    Acknowledge(Position),
    /// Tell it that the update is not durable, or may not be.
    Refuse(Refusal),
}

/// Why an update is not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// Too much time has passed.
    #[error("its lease ended before it was known to be written")]
    Late,
    /// Readers sealed each of its numbers before it was written.
    #[error("its numbers were sealed")]
    Sealed,
    /// The number holds another update: it was given away twice.
    #[error("number {} holds another update: the head of the log went back", .0.get())]
    Taken(Position),
}

/// How a write ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Put {
    /// The update is there, or already was.
    Written,
    /// A tombstone is there.
    Tombstone,
    /// Another's update is there.
    Foreign,
    /// There was no answer, or none that says.
    Unknown,
}

/// One publication, from its beginning to its answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Publication {
    began: Moment,
    numbers: u8,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum State {
    Numbering,
    Putting(Position),
    Written(Position),
    Refused(Refusal),
}

impl Publication {
    /// A publication that begins now.
    #[must_use]
    pub fn begin(now: Moment) -> Self {
        Self { began: now, numbers: 0, state: State::Numbering }
    }

    /// When the update expires, under whatever number it is written.
    #[must_use]
    pub fn expires(&self, timing: &Timing) -> Timestamp {
        self.began.wall.plus(timing.retention)
    }

    /// Whether the lease still holds. This is asked again as each call leaves (rule 5).
    #[must_use]
    pub fn holds(&self, timing: &Timing, now: Moment) -> bool {
        now.since(self.began) <= timing.lease
    }

    /// What to do next.
    #[must_use]
    pub fn step(&self, timing: &Timing, now: Moment) -> Step {
        match self.state {
            State::Refused(refusal) => Step::Refuse(refusal),
            _ if !self.holds(timing, now) => Step::Refuse(Refusal::Late),
            State::Numbering => Step::Number,
            State::Putting(number) => Step::Put(number),
            State::Written(number) => Step::Acknowledge(number),
        }
    }

    /// A number was given. (If no answer comes, another is asked for, and one may be wasted.)
    pub fn handle_number(&mut self, number: Position) {
        self.numbers += 1;
        self.state = State::Putting(number);
    }

    /// The write to its number has ended.
    pub fn handle_put(&mut self, put: Put) {
        let State::Putting(number) = self.state else { return };
        self.state = match put {
            Put::Written => State::Written(number),
            Put::Tombstone if self.numbers < NUMBERS => State::Numbering,
            Put::Tombstone => State::Refused(Refusal::Sealed),
            Put::Foreign => State::Refused(Refusal::Taken(number)),
            Put::Unknown => State::Putting(number),
        };
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn timing() -> Timing {
        Timing::new(Duration::ZERO)
    }

    fn at(seconds: u64) -> Moment {
        Moment {
            wall: Timestamp::from_millis(seconds * 1_000),
            monotonic: Duration::from_secs(seconds),
        }
    }

    fn numbered() -> Publication {
        let mut publication = Publication::begin(at(100));
        assert_eq!(publication.step(&timing(), at(100)), Step::Number);
        publication.handle_number(Position::new(7));
        publication
    }

    #[test]
    fn an_update_is_acknowledged_once_it_is_written() {
        let mut publication = numbered();
        assert_eq!(publication.step(&timing(), at(101)), Step::Put(Position::new(7)));
        publication.handle_put(Put::Written);
        assert_eq!(publication.step(&timing(), at(110)), Step::Acknowledge(Position::new(7)));
        assert_eq!(publication.expires(&timing()), at(700).wall);
    }

    #[test]
    fn after_a_timeout_the_same_number_is_tried_again() {
        let mut publication = numbered();
        publication.handle_put(Put::Unknown);
        assert_eq!(publication.step(&timing(), at(102)), Step::Put(Position::new(7)));
    }

    #[test]
    fn a_tombstone_frees_it_from_three_numbers_at_most() {
        let mut publication = numbered();
        for number in [8, 9] {
            publication.handle_put(Put::Tombstone);
            assert_eq!(publication.step(&timing(), at(102)), Step::Number);
            publication.handle_number(Position::new(number));
        }
        publication.handle_put(Put::Tombstone);
        assert_eq!(publication.step(&timing(), at(102)), Step::Refuse(Refusal::Sealed));
    }

    #[test]
    fn the_longer_of_two_clocks_ends_the_lease() {
        let frozen = Moment { wall: at(111).wall, monotonic: at(100).monotonic };
        let set_back = Moment { wall: at(50).wall, monotonic: at(111).monotonic };
        for late in [frozen, set_back] {
            let mut publication = numbered();
            assert_eq!(publication.step(&timing(), late), Step::Refuse(Refusal::Late));
            publication.handle_put(Put::Written);
            assert_eq!(publication.step(&timing(), late), Step::Refuse(Refusal::Late));
        }
    }

    #[test]
    fn another_update_under_its_number_is_an_alarm() {
        let mut publication = numbered();
        publication.handle_put(Put::Foreign);
        let taken = Refusal::Taken(Position::new(7));
        assert_eq!(publication.step(&timing(), at(101)), Step::Refuse(taken));
    }
}
