//! Following the log: what a [`Reader`] that polls may deliver.

use std::mem;
use std::time::Duration;

use cinnabar_core::{Appended, Position, Update};

use super::cell::Cell;
use super::fault::Fault;
use super::item::Row;
use super::reader::{Reader, Seal, Step};
use super::table::Table;
use super::{LogError, random};

/// How patient a reader becomes at most while it is throttled: then publishers may be, too, and a
/// number that is sealed costs its publisher three more writes.
const LONGEST_PATIENCE: Duration = Duration::from_secs(8);

/// How many calls are made for missing numbers, of which each takes up to two, before what is ready
/// is handed over.
const CALLS_AT_ONCE: usize = 16;

/// Follows the log from a position on.
#[derive(Debug)]
pub struct Tail {
    table: Table,
    reader: Reader<Row>,
    patience: Duration,
    /// What was read and not handed over, where a poll was dropped half-way.
    ready: Vec<Appended>,
}

/// What a poll brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The updates that may now be delivered, in order.
    pub updates: Vec<Appended>,
    /// How far the log was read: numbers without an update count.
    pub reached: Position,
    /// Whether a number is missing before one that exists: poll again soon.
    pub hole: bool,
    /// Whether there is more to read at once.
    pub more: bool,
}

impl Tail {
    pub(super) fn new(table: Table, from: Position) -> Self {
        let patience = table.timing.patience;
        Self { table, reader: Reader::new(from), patience, ready: Vec::new() }
    }

    /// Asks once for what is new.
    ///
    /// # Errors
    ///
    /// See [`LogError`]; nothing is lost, poll again later.
    pub async fn poll(&mut self) -> Result<Read, LogError> {
        let read = self.read().await;
        if let Err(Fault::Throttled(_)) = read {
            self.patience = (self.patience * 2).min(LONGEST_PATIENCE);
        } else {
            self.patience = self.table.timing.patience;
        }
        let more = match read {
            Ok(more) => more,
            Err(fault) if self.ready.is_empty() => return Err(fault.into()),
            Err(fault) => {
                tracing::warn!("a hole could not be looked at: {fault}");
                false
            }
        };
        Ok(Read {
            updates: mem::take(&mut self.ready),
            reached: self.reader.reached(),
            hole: self.reader.waits(),
            more,
        })
    }

    /// Reads on; whether there is more.
    async fn read(&mut self) -> Result<bool, Fault> {
        let page = self.table.cells(self.reader.reached(), None, None, false).await?;
        let known = page.cells.last().map_or(self.reader.reached(), |last| last.position);
        let patience = || spread(self.patience);
        self.reader.handle_page(page.cells, known, self.table.now(), patience);
        let mut calls = 0;
        while calls < CALLS_AT_ONCE {
            match self.reader.step(self.table.now()) {
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
                Step::Poll => return Ok(page.cut && !self.reader.waits()),
            }
        }
        Ok(true)
    }
}

/// How long a hole must last: up to twice as long, at random, so that of the many environments that
/// see a hole one seals it, and the others find the tombstone.
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

/// Seals a missing number, or learns what was first.
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
