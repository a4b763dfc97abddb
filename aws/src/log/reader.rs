//! What a reader does: cells in the order of their numbers, and never past one that is missing.
//!
//! A publisher that has a number and not yet written its cell looks like one that has died. So a
//! reader waits a while for a number that is missing below one that was given away; then it looks
//! closely, and seals the number: from then on either its tombstone is there, or the update that
//! came first, and both readers and the publisher learn which.
//!
//! ```text
//!  missing, first seen ── patience ──▶ missing still ──▶ Probe ──▶ absent ──▶ Seal ──▶ tombstone
//!                                                          └──▶ there          └──▶ refused: there
//! ```
//!
//! - *Rule 6.* Contiguous cells only. A number counts as missing when two polls, patience apart, did
//!   not show it: the polls may be stale, so before sealing it is read consistently. A seal that is
//!   refused brings the cell that was first, which is taken; anything else that is read now might
//!   be older.
//! - *Rule 7.* Updates that have expired count as tombstones.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use cinnabar_core::Position;

use super::cell::{Cell, Numbered};
use super::clock::Moment;

/// How many missing numbers are looked at together.
const HOLES: usize = 1_000;

/// What a reader does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<U> {
    /// Deliver this.
    Deliver(Position, U),
    /// Nothing to deliver under this number, for ever.
    Pass(Position),
    /// Read this number consistently.
    Probe(Position),
    /// Write a tombstone to this number, if it is free.
    Seal(Position),
    /// Poll again.
    Poll,
}

/// How sealing ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seal<U> {
    /// The tombstone is there now.
    Written,
    /// This was there before.
    Refused(Cell<U>),
}

/// One reader of the log, at its place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reader<U> {
    reached: Position,
    /// Cells past that place, in order.
    cells: VecDeque<Numbered<U>>,
    /// Missing numbers past that place.
    holes: BTreeMap<Position, Hole>,
    /// The next number was read consistently, and is not there.
    absent: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Hole {
    /// When it has been missing for long enough, by the monotonic clock.
    due: Duration,
    /// Whether a poll showed that.
    ripe: bool,
}

impl<U> Reader<U> {
    /// A reader that has read up to and including `reached`.
    #[must_use]
    pub fn new(reached: Position) -> Self {
        Self { reached, cells: VecDeque::new(), holes: BTreeMap::new(), absent: false }
    }

    /// How far it has read.
    #[must_use]
    pub fn reached(&self) -> Position {
        self.reached
    }

    /// Whether the next number is missing.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.holes.contains_key(&self.reached.next())
    }

    /// When the next number has been missing for long enough, by the monotonic clock.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        self.holes.get(&self.reached.next()).map(|hole| hole.due)
    }

    /// A poll has answered: with the cells past its place in the order of their numbers, all that
    /// there were up to and including `known`, a number that was given away. A hole that is new has
    /// to last for what `patience` says.
    pub fn handle_page(
        &mut self,
        cells: Vec<Numbered<U>>,
        known: Position,
        now: Moment,
        mut patience: impl FnMut() -> Duration,
    ) {
        self.absent = false;
        self.cells = cells.into();
        while self.cells.front().is_some_and(|first| first.position <= self.reached) {
            self.cells.pop_front();
        }
        let mut present = self.cells.iter().map(|cell| cell.position).peekable();
        let seen = std::mem::take(&mut self.holes);
        let mut number = self.reached.next();
        while number <= known && self.holes.len() < HOLES {
            if present.next_if_eq(&number).is_none() {
                let due = |hole: &Hole| Hole { due: hole.due, ripe: hole.due <= now.monotonic };
                let hole = seen.get(&number).map(due).unwrap_or_else(|| Hole {
                    due: now.monotonic.saturating_add(patience()),
                    ripe: false,
                });
                self.holes.insert(number, hole);
            }
            number = number.next();
        }
    }

    /// What to do next. A step that fails for a passing reason is given again.
    #[must_use]
    pub fn step(&mut self, now: Moment) -> Step<U> {
        let next = self.reached.next();
        if self.cells.front().is_some_and(|first| first.position == next)
            && let Some(first) = self.cells.pop_front()
        {
            self.holes.remove(&next);
            self.absent = false;
            self.reached = next;
            return match first.cell.deliverable(now.wall) {
                Some(update) => Step::Deliver(next, update),
                None => Step::Pass(next),
            };
        }
        match self.holes.get(&next) {
            Some(hole) if hole.ripe && self.absent => Step::Seal(next),
            Some(hole) if hole.ripe => Step::Probe(next),
            _ => Step::Poll,
        }
    }

    /// A number was read consistently.
    pub fn handle_probe(&mut self, position: Position, cell: Option<Cell<U>>) {
        match cell {
            Some(cell) => self.insert(position, cell),
            None => self.absent = position == self.reached.next(),
        }
    }

    /// A tombstone was written to a number, or was not.
    pub fn handle_seal(&mut self, position: Position, seal: Seal<U>, now: Moment) {
        match seal {
            Seal::Written => self.insert(position, Cell::Tombstone { sealed: now.wall }),
            Seal::Refused(cell) => self.insert(position, cell),
        }
    }

    fn insert(&mut self, position: Position, cell: Cell<U>) {
        if position == self.reached.next() {
            self.cells.push_front(Numbered { position, cell });
        }
    }
}

#[cfg(test)]
mod tests {
    use cinnabar_core::Timestamp;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(1);

    fn at(seconds: u64) -> Moment {
        Moment {
            wall: Timestamp::from_millis(seconds * 1_000),
            monotonic: Duration::from_secs(seconds),
        }
    }

    fn update(number: u64) -> Numbered<u64> {
        Numbered { position: Position::new(number), cell: held(number) }
    }

    fn held(update: u64) -> Cell<u64> {
        Cell::Update { expires: at(1_000).wall, allotted: at(0).wall, update }
    }

    fn poll(reader: &mut Reader<u64>, cells: &[u64], seconds: u64) {
        let cells: Vec<_> = cells.iter().copied().map(update).collect();
        let known = cells.last().map_or(Position::START, |last| last.position);
        reader.handle_page(cells, known, at(seconds), || PATIENCE);
    }

    fn steps(reader: &mut Reader<u64>, seconds: u64) -> Vec<Step<u64>> {
        let mut steps = Vec::new();
        loop {
            let step = reader.step(at(seconds));
            let done = !matches!(step, Step::Deliver(..) | Step::Pass(_));
            steps.push(step);
            if done {
                return steps;
            }
        }
    }

    fn delivered(number: u64) -> Step<u64> {
        Step::Deliver(Position::new(number), number)
    }

    #[test]
    fn it_stops_at_a_missing_number() {
        let mut reader = Reader::new(Position::START);
        poll(&mut reader, &[1, 2, 4], 0);
        assert_eq!(steps(&mut reader, 0), [delivered(1), delivered(2), Step::Poll]);
        assert!(reader.waits());
        poll(&mut reader, &[3, 4], 0);
        assert_eq!(steps(&mut reader, 0), [delivered(3), delivered(4), Step::Poll]);
        assert!(!reader.waits());
    }

    #[test]
    fn one_poll_is_never_enough_to_seal() {
        let mut reader = Reader::new(Position::START);
        poll(&mut reader, &[2], 0);
        assert_eq!(reader.step(at(100)), Step::Poll);
        poll(&mut reader, &[2], 0);
        assert_eq!(reader.step(at(100)), Step::Poll, "the second came too soon");
        poll(&mut reader, &[2], 1);
        assert_eq!(reader.step(at(1)), Step::Probe(Position::new(1)));
    }

    #[test]
    fn what_was_missing_and_is_sealed_is_passed() {
        let mut reader = Reader::new(Position::START);
        poll(&mut reader, &[3], 0);
        poll(&mut reader, &[3], 1);
        for number in [1, 2].map(Position::new) {
            assert_eq!(reader.step(at(1)), Step::Probe(number), "both were missing together");
            assert_eq!(reader.step(at(1)), Step::Probe(number), "a probe may fail");
            reader.handle_probe(number, None);
            assert_eq!(reader.step(at(1)), Step::Seal(number));
            reader.handle_seal(number, Seal::Written, at(1));
            assert_eq!(reader.step(at(1)), Step::Pass(number));
        }
        assert_eq!(steps(&mut reader, 1), [delivered(3), Step::Poll]);
    }

    #[test]
    fn a_refused_seal_brings_what_was_first() {
        let mut reader = Reader::new(Position::START);
        poll(&mut reader, &[2], 0);
        poll(&mut reader, &[2], 1);
        reader.handle_probe(Position::new(1), None);
        reader.handle_seal(Position::new(1), Seal::Refused(held(1)), at(1));
        assert_eq!(steps(&mut reader, 1), [delivered(1), delivered(2), Step::Poll]);
    }

    #[test]
    fn a_number_below_a_known_one_is_missing_though_no_cell_follows() {
        let mut reader: Reader<u64> = Reader::new(Position::START);
        for seconds in [0, 1] {
            reader.handle_page(vec![], Position::new(1), at(seconds), || PATIENCE);
        }
        assert_eq!(reader.step(at(1)), Step::Probe(Position::new(1)));
    }

    #[test]
    fn an_expired_update_is_passed() {
        let mut reader = Reader::new(Position::START);
        poll(&mut reader, &[1], 1_000);
        assert_eq!(reader.step(at(1_000)), Step::Pass(Position::new(1)));
    }
}
