//! What a reader does: it takes cells in the order of their numbers, and never passes a missing one.
//!
//! A publisher that has taken a number but not yet written its cell looks just like one that has
//! died. So if a later number is known to have been given away, a reader gives the missing one some
//! time; then it looks closely, and seals the number. After that there is either the tombstone or
//! the update that beat it, and the publisher and every reader learn which.
//!
//! ```text
//!  missing, first seen ── patience ──▶ still missing ──▶ Probe ──▶ absent ──▶ Seal ──▶ tombstone
//!                                                          └──▶ there          └──▶ refused: there
//! ```
//!
//! - *Rule 6.* Contiguous cells only. A number counts as missing when two polls, patience apart,
//!   did not show it. Polls may be stale, so it is read consistently before it is sealed. A refused
//!   seal returns the cell that was there first, and the reader takes that one: another read might
//!   be older.
//! - *Rule 7.* A reader owes every update that had not expired at one moment: when the stream that
//!   it replays for arrived, or when its tail began. Updates that had expired by then count as
//!   tombstones. A reader stops once it is so far behind that the table may have deleted what it
//!   owes.
//! - *Rule 10.* It dates its place: nothing that follows was published before then. The date is not
//!   the time of the latest look if that look showed cells that the reader cannot reach yet.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use cinnabar_core::{Place, Position, Timestamp};

use crate::log::cell::{Cell, Numbered};
use crate::log::clock::Moment;
use crate::log::timing::Timing;

/// How many missing numbers are tracked at a time.
const HOLES: usize = 1_000;

/// What a reader does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<U> {
    /// Deliver this update.
    Deliver(Position, U),
    /// This number has nothing to deliver, and never will.
    Pass(Position),
    /// Read this number consistently.
    Probe(Position),
    /// Write a tombstone to this number, if it is free.
    Seal(Position),
    /// Poll again.
    Poll,
    /// Stop: what it owes may have been deleted.
    Overtaken,
}

/// The result of sealing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seal<U> {
    /// The tombstone is there now.
    Written,
    /// This was there before.
    Refused(Cell<U>),
}

/// What a query showed of the log past a reader's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look<U> {
    /// The time before the query was sent.
    pub asked: Timestamp,
    /// Cells in the order of their numbers: all there were up to and including `known`.
    pub cells: Vec<Numbered<U>>,
    /// A number that is known to have been given away.
    pub known: Position,
    /// Whether there may be more cells that the query did not get to.
    pub cut: bool,
}

/// One reader of the log, at its place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reader<U> {
    /// How far it has read, with its date.
    place: Place,
    /// It delivers what had not expired at this moment.
    owes_since: Timestamp,
    /// Cells past its place, in order.
    cells: VecDeque<Numbered<U>>,
    /// Missing numbers past its place.
    holes: BTreeMap<Position, Hole>,
    /// The date of whatever the last look did not show, if that is known.
    unseen: Option<Timestamp>,
    /// Whether the last look reached the end.
    saw_end: bool,
    /// Whether the next number was read consistently and was not there.
    absent: bool,
    overtaken: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Hole {
    /// When it has been missing for long enough, by the monotonic clock.
    due: Duration,
    /// Whether a poll has shown it missing since then.
    ripe: bool,
}

impl<U> Reader<U> {
    /// A reader that has read up to and including a place. A place without a date gets one when the
    /// reader sees the end of the log.
    #[must_use]
    pub fn new(place: Place, owes_since: Timestamp) -> Self {
        Self {
            place,
            owes_since,
            cells: VecDeque::new(),
            holes: BTreeMap::new(),
            unseen: None,
            saw_end: false,
            absent: false,
            overtaken: false,
        }
    }

    /// How far it has read.
    #[must_use]
    pub fn reached(&self) -> Position {
        self.place.position
    }

    /// How far it has read; nothing that follows was published before the date.
    pub fn place(&mut self, timing: &Timing) -> Place {
        let is_dated = self.place.since > Timestamp::default();
        let is_at_end = self.saw_end && self.cells.is_empty() && !self.waits();
        if (is_dated || is_at_end)
            && let Some(unseen) = self.unseen
        {
            // A missing number was not written when the look was sent; a cell that waits behind it
            // may be much older. A tombstone that waits counts as of its seal, so that a reader that
            // is stuck stops before the tombstone is deleted and a late write takes its place.
            let dates = self.cells.iter().map(|Numbered { cell, .. }| match cell {
                Cell::Tombstone { sealed } => *sealed,
                Cell::Update { expires, .. } => timing.began(*expires),
            });
            let date = dates.fold(unseen, Timestamp::min);
            // A date that is true of an earlier place is true of this one.
            self.place.since = self.place.since.max(date);
        }
        self.place
    }

    /// Whether the next number is missing.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.holes.contains_key(&self.reached().next())
    }

    /// When the next number has been missing for long enough, by the monotonic clock.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        self.holes.get(&self.reached().next()).map(|hole| hole.due)
    }

    /// A query has been answered. A new hole has to last for as long as `patience` says.
    pub fn handle_look(
        &mut self,
        timing: &Timing,
        look: Look<U>,
        now: Moment,
        mut patience: impl FnMut() -> Duration,
    ) {
        let _ = self.place(timing);
        self.check(timing, now);
        let Look { asked, cells, known, cut } = look;
        self.absent = false;
        self.saw_end = !cut;
        self.unseen = if cut {
            // Whatever comes later in the log got its number later than the last update here.
            let last = cells.iter().rev().find_map(|cell| date(timing, &cell.cell));
            last.map(|last| last.min(asked))
        } else {
            Some(asked)
        };
        self.cells = cells.into();
        while self.cells.front().is_some_and(|first| first.position <= self.reached()) {
            self.cells.pop_front();
        }
        let mut present = self.cells.iter().map(|cell| cell.position).peekable();
        let seen = std::mem::take(&mut self.holes);
        let mut number = self.place.position.next();
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

    /// What to do next. A step that fails for a temporary reason is returned again.
    #[must_use]
    pub fn step(&mut self, timing: &Timing, now: Moment) -> Step<U> {
        // The clock was read after the answer that this step is about. So if this passes, nothing
        // that was owed had been deleted by then.
        self.check(timing, now);
        if self.overtaken {
            return Step::Overtaken;
        }
        let next = self.reached().next();
        if self.cells.front().is_some_and(|first| first.position == next)
            && let Some(first) = self.cells.pop_front()
        {
            self.holes.remove(&next);
            self.absent = false;
            self.place.position = next;
            return match first.cell.deliverable(self.owes_since) {
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

    /// Stops a reader that is too far behind.
    fn check(&mut self, timing: &Timing, now: Moment) {
        let behind_since = self.owes_since.max(self.place.since);
        self.overtaken |= !timing.remembers(behind_since, now.wall);
    }

    /// A number was read consistently.
    pub fn handle_probe(&mut self, position: Position, cell: Option<Cell<U>>) {
        match cell {
            Some(cell) => self.insert(position, cell),
            None => self.absent = position == self.reached().next(),
        }
    }

    /// A number was sealed, or the seal was refused.
    pub fn handle_seal(&mut self, position: Position, seal: Seal<U>, now: Moment) {
        match seal {
            Seal::Written => self.insert(position, Cell::Tombstone { sealed: now.wall }),
            Seal::Refused(cell) => self.insert(position, cell),
        }
    }

    fn insert(&mut self, position: Position, cell: Cell<U>) {
        if position == self.reached().next() {
            self.cells.push_front(Numbered { position, cell });
        }
    }
}

/// A moment before which neither this update nor anything after it was published. A tombstone has no
/// such date: it is as young as its seal, and what follows it may be much older.
fn date<U>(timing: &Timing, cell: &Cell<U>) -> Option<Timestamp> {
    match cell {
        Cell::Update { expires, .. } => Some(timing.began(*expires)),
        Cell::Tombstone { .. } => None,
    }
}
