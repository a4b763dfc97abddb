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

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use cinnabar_core::{Place, Position, Timestamp};

use super::cell::{Cell, Numbered};
use super::clock::Moment;
use super::timing::Timing;

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
            // may be much older.
            let dates = self.cells.iter().map(|cell| date(timing, &cell.cell));
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
        self.unseen = match cells.last() {
            _ if !cut => Some(asked),
            // Whatever comes later in the log got its number later than this.
            Some(last) => Some(date(timing, &last.cell).min(asked)),
            None => None,
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

/// A moment before which neither this cell nor anything after it was published.
fn date<U>(timing: &Timing, cell: &Cell<U>) -> Timestamp {
    match cell {
        Cell::Update { expires, .. } => timing.began(*expires),
        Cell::Tombstone { sealed } => *sealed,
    }
}

#[cfg(test)]
mod tests {
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

    fn timing() -> Timing {
        Timing::new(Duration::from_secs(1_000))
    }

    /// A reader that owes everything, from the start.
    fn reader() -> Reader<u64> {
        Reader::new(Place::undated(Position::START), at(0).wall)
    }

    fn look(cells: &[u64], seconds: u64) -> Look<u64> {
        let cells: Vec<_> = cells.iter().copied().map(update).collect();
        let known = cells.last().map_or(Position::START, |last| last.position);
        Look { asked: at(seconds).wall, cells, known, cut: false }
    }

    fn poll(reader: &mut Reader<u64>, cells: &[u64], seconds: u64) {
        reader.handle_look(&timing(), look(cells, seconds), at(seconds), || PATIENCE);
    }

    fn step(reader: &mut Reader<u64>, seconds: u64) -> Step<u64> {
        reader.step(&timing(), at(seconds))
    }

    fn steps(reader: &mut Reader<u64>, seconds: u64) -> Vec<Step<u64>> {
        let mut steps = Vec::new();
        loop {
            let step = step(reader, seconds);
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
        let mut reader = reader();
        poll(&mut reader, &[1, 2, 4], 0);
        assert_eq!(steps(&mut reader, 0), [delivered(1), delivered(2), Step::Poll]);
        assert!(reader.waits());
        poll(&mut reader, &[3, 4], 0);
        assert_eq!(steps(&mut reader, 0), [delivered(3), delivered(4), Step::Poll]);
        assert!(!reader.waits());
    }

    #[test]
    fn one_poll_is_never_enough_to_seal() {
        let mut reader = reader();
        poll(&mut reader, &[2], 0);
        assert_eq!(step(&mut reader, 100), Step::Poll);
        poll(&mut reader, &[2], 0);
        assert_eq!(step(&mut reader, 100), Step::Poll, "the second came too soon");
        poll(&mut reader, &[2], 1);
        assert_eq!(step(&mut reader, 1), Step::Probe(Position::new(1)));
    }

    #[test]
    fn what_was_missing_and_is_sealed_is_passed() {
        let mut reader = reader();
        poll(&mut reader, &[3], 0);
        poll(&mut reader, &[3], 1);
        for number in [1, 2].map(Position::new) {
            assert_eq!(step(&mut reader, 1), Step::Probe(number), "both were missing together");
            assert_eq!(step(&mut reader, 1), Step::Probe(number), "a probe may fail");
            reader.handle_probe(number, None);
            assert_eq!(step(&mut reader, 1), Step::Seal(number));
            reader.handle_seal(number, Seal::Written, at(1));
            assert_eq!(step(&mut reader, 1), Step::Pass(number));
        }
        assert_eq!(steps(&mut reader, 1), [delivered(3), Step::Poll]);
    }

    #[test]
    fn a_refused_seal_brings_what_was_first() {
        let mut reader = reader();
        poll(&mut reader, &[2], 0);
        poll(&mut reader, &[2], 1);
        reader.handle_probe(Position::new(1), None);
        reader.handle_seal(Position::new(1), Seal::Refused(held(1)), at(1));
        assert_eq!(steps(&mut reader, 1), [delivered(1), delivered(2), Step::Poll]);
    }

    #[test]
    fn a_number_below_a_known_one_is_missing_though_no_cell_follows() {
        let mut reader = reader();
        for seconds in [0, 1] {
            let look = Look { known: Position::new(1), ..look(&[], seconds) };
            reader.handle_look(&timing(), look, at(seconds), || PATIENCE);
        }
        assert_eq!(step(&mut reader, 1), Step::Probe(Position::new(1)));
    }

    #[test]
    fn an_update_is_owed_that_had_not_expired_when_the_stream_was_located() {
        // Each expires after 1,000 s.
        for (owes_since, expected) in [(999, delivered(1)), (1_000, Step::Pass(Position::new(1)))] {
            let start = Place::undated(Position::START);
            let mut reader = Reader::new(start, at(owes_since).wall);
            poll(&mut reader, &[1], 1_010);
            assert_eq!(step(&mut reader, 1_010), expected);
        }
    }

    #[test]
    fn it_stops_when_what_it_owes_may_be_deleted() {
        for (seconds, expected) in [(3_590, delivered(1)), (3_591, Step::Overtaken)] {
            let mut reader = reader();
            poll(&mut reader, &[1], 3_590);
            assert_eq!(step(&mut reader, seconds), expected, "{seconds}");
        }
        // What it learns after that comes too late.
        let mut reader = reader();
        poll(&mut reader, &[], 3_591);
        let _ = reader.place(&timing());
        assert_eq!(step(&mut reader, 3_591), Step::Overtaken);
    }

    #[test]
    fn it_lives_for_as_long_as_it_keeps_up() {
        let mut reader = reader();
        for seconds in (0..100_000).step_by(3_000) {
            poll(&mut reader, &[], seconds);
            assert_eq!(step(&mut reader, seconds), Step::Poll, "{seconds}");
        }
    }

    /// Its place, and the date of that in seconds.
    fn place(reader: &mut Reader<u64>) -> (u64, u64) {
        let Place { position, since } = reader.place(&timing());
        (position.get(), since.as_millis() / 1_000)
    }

    fn allotted(number: u64, seconds: u64) -> Numbered<u64> {
        let expires = at(seconds + 1_000).wall;
        let cell = Cell::Update { expires, allotted: at(seconds).wall, update: number };
        Numbered { position: Position::new(number), cell }
    }

    #[test]
    fn a_place_is_dated_before_the_look_that_showed_nothing_past_it() {
        let mut reader = reader();
        assert_eq!(place(&mut reader), (0, 0));
        let asked_at_70 = Look { asked: at(70).wall, ..look(&[1], 80) };
        reader.handle_look(&timing(), asked_at_70, at(80), || PATIENCE);
        assert_eq!(place(&mut reader), (0, 0), "there is something past it");
        assert_eq!(step(&mut reader, 80), delivered(1));
        assert_eq!(place(&mut reader), (1, 70));
        poll(&mut reader, &[], 90);
        assert_eq!(place(&mut reader), (1, 90));
    }

    #[test]
    fn a_place_before_a_hole_is_no_newer_than_what_waits_behind_the_hole() {
        let mut reader = reader();
        poll(&mut reader, &[], 50);
        for seconds in [100, 200] {
            let cells = vec![allotted(2, 60), allotted(3, 55)];
            let look = Look { cells, known: Position::new(3), ..look(&[], seconds) };
            reader.handle_look(&timing(), look, at(seconds), || PATIENCE);
            assert_eq!(place(&mut reader), (0, 55));
        }
        reader.handle_probe(Position::new(1), Some(held(1)));
        assert_eq!(steps(&mut reader, 200).len(), 4);
        assert_eq!(place(&mut reader), (3, 200));
    }

    #[test]
    fn a_query_that_was_cut_dates_a_place_by_its_last_cell() {
        let mut reader = reader();
        let cut = |reader: &mut Reader<u64>, number, seconds| {
            let known = Position::new(number);
            let cells = vec![allotted(number, seconds)];
            let look = Look { cells, known, cut: true, ..look(&[], 500) };
            reader.handle_look(&timing(), look, at(500), || PATIENCE);
            assert!(matches!(step(reader, 500), Step::Deliver(..)));
        };
        cut(&mut reader, 1, 300);
        assert_eq!(place(&mut reader), (1, 0), "nobody knows what is past it");
        poll(&mut reader, &[], 310);
        cut(&mut reader, 2, 400);
        assert_eq!(place(&mut reader), (2, 400));
    }
}
