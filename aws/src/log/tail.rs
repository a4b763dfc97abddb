//! Following the log, by polls of a [`Reader`].

use std::mem;
use std::time::Duration;

use cinnabar_core::{Appended, Place, Position, Timestamp, Update};

use super::cell::Cell;
use super::fault::Fault;
use super::item::Row;
use super::reader::{Look, Reader, Seal, Step};
use super::table::Table;
use super::{LogError, random};

/// The most patience that throttling gives a reader: publishers may be throttled too, and a sealed
/// number costs its publisher three more writes.
const LONGEST_PATIENCE: Duration = Duration::from_secs(8);

/// How many calls are made for missing numbers (up to two for each) before the updates that are
/// ready are handed over.
const CALLS_AT_ONCE: usize = 16;

/// Follows the log from a position on.
#[derive(Debug)]
pub struct Tail {
    table: Table,
    reader: Reader<Row>,
    patience: Duration,
    /// What was read but not handed over, because a poll was dropped halfway.
    ready: Vec<Appended>,
}

/// The result of a poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The updates that may now be delivered, in order.
    pub updates: Vec<Appended>,
    /// How far the log was read, including numbers without an update.
    pub reached: Position,
    /// Nothing that follows was published before this moment, by the clock before the log was
    /// asked; the epoch if nothing is known.
    pub as_of: Timestamp,
    /// Whether a number is missing before one that exists: poll again soon.
    pub hole: bool,
    /// Whether there is more to read right away.
    pub more: bool,
}

/// How a read ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    Done,
    /// There is more to read right away.
    More,
    Overtaken,
}

impl Tail {
    pub(super) fn new(table: Table, from: Place) -> Self {
        let patience = table.timing.patience;
        Self { table, reader: Reader::new(from, from.since), patience, ready: Vec::new() }
    }

    /// Asks once for what is new.
    ///
    /// # Errors
    ///
    /// See [`LogError`]. Nothing is lost: poll again later. But a tail that was overtaken stays so.
    pub async fn poll(&mut self) -> Result<Read, LogError> {
        let read = self.read().await;
        if let Err(Fault::Throttled(_)) = &read {
            self.patience = (self.patience * 2).min(LONGEST_PATIENCE);
        } else {
            self.patience = self.table.timing.patience;
        }
        let more = match read {
            Ok(Reading::Overtaken) => return Err(LogError::Overtaken),
            Ok(reading) => reading == Reading::More,
            Err(fault) if self.ready.is_empty() => return Err(fault.into()),
            Err(fault) => {
                tracing::warn!("a hole could not be looked at: {fault}");
                false
            }
        };
        let Place { position, since } = self.reader.place(&self.table.timing);
        Ok(Read {
            updates: mem::take(&mut self.ready),
            reached: position,
            as_of: since,
            hole: self.reader.waits(),
            more,
        })
    }

    /// Reads more of the log.
    async fn read(&mut self) -> Result<Reading, Fault> {
        let asked = self.table.now().wall;
        let read = self.table.cells(self.reader.reached(), None, None, false).await?;
        let known = read.cells.last().map_or(self.reader.reached(), |last| last.position);
        let look = Look { asked, cells: read.cells, known, cut: read.cut };
        let patience = || spread(self.patience);
        self.reader.handle_look(&self.table.timing, look, self.table.now(), patience);
        let mut calls = 0;
        while calls < CALLS_AT_ONCE {
            match self.reader.step(&self.table.timing, self.table.now()) {
                Step::Deliver(position, row) => {
                    let update = Update::restore(row.stored).into();
                    self.ready.push(Appended { position, update });
                }
                Step::Pass(_) => {}
                Step::Probe(position) => {
                    probe(&self.table, &mut self.reader, position).await?;
                    calls += 1;
                }
                Step::Seal(position) => {
                    seal(&self.table, &mut self.reader, position).await?;
                    calls += 1;
                }
                Step::Poll if read.cut && !self.reader.waits() => return Ok(Reading::More),
                Step::Poll => return Ok(Reading::Done),
                Step::Overtaken => return Ok(Reading::Overtaken),
            }
        }
        Ok(Reading::More)
    }
}

/// How long a hole must last: at random, up to twice the patience. Many environments see the same
/// hole; one should seal it, and the others find the tombstone.
pub(super) fn spread(patience: Duration) -> Duration {
    patience + random::up_to(patience)
}

/// Reads a missing number consistently.
pub(super) async fn probe(
    table: &Table,
    reader: &mut Reader<Row>,
    position: Position,
) -> Result<(), Fault> {
    let cell = table.cell(position).await?;
    reader.handle_probe(position, cell);
    Ok(())
}

/// Seals a missing number, or learns what was there first.
pub(super) async fn seal(
    table: &Table,
    reader: &mut Reader<Row>,
    position: Position,
) -> Result<(), Fault> {
    let seal = table.seal(position).await?;
    match &seal {
        Seal::Refused(Cell::Update { .. }) => {
            tracing::info!(number = position.get(), "a missing number came before its seal");
        }
        _ => tracing::warn!(number = position.get(), "a missing number is sealed"),
    }
    reader.handle_seal(position, seal, table.now());
    Ok(())
}
