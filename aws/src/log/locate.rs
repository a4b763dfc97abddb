//! Finding the place that a reader resumes from: the calls; [`lookup`](super::lookup) decides.

use std::time::Duration;

use cinnabar_core::{EventId, Located, Location, Place, Position};

use super::LogError;
use super::cell::{Cell, Numbered};
use super::fault::Fault;
use super::item::Row;
use super::lookup::{self, Earliest, Hit, Newest};
use super::table::Table;

/// How many of the newest cells are read at first: more than one, because there may be tombstones
/// among them.
const NEWEST: i32 = 8;

/// How long to wait before `earliest` is read again.
const AGAIN: Duration = Duration::from_secs(1);

/// What was found.
enum Answer {
    /// An update.
    Found(Place, EventId),
    /// All that followed the place is kept.
    Kept,
    /// Nothing that could be named; all that is kept follows this place.
    Oldest(Position),
    /// Nothing, or nothing that may be followed.
    Unknown,
}

impl Answer {
    /// The same as the core takes it, where the log ends at `end` or later. A place at the end may
    /// be followed even if it is unknown: nothing did follow.
    fn located(self, end: Position) -> Located {
        match self {
            Self::Found(place, id) => {
                Located { found: Some((place, id)), oldest: place.position.next() }
            }
            Self::Kept => Located { found: None, oldest: Position::START.next() },
            Self::Oldest(place) => Located { found: None, oldest: place.next() },
            Self::Unknown => Located { found: None, oldest: end.next() },
        }
    }
}

impl From<Option<(Place, EventId)>> for Answer {
    fn from(found: Option<(Place, EventId)>) -> Self {
        found.map_or(Self::Unknown, |(place, id)| Self::Found(place, id))
    }
}

/// `floor` is the place from which the longest replay begins; the log ends at `end`, or later.
pub(super) async fn locate(
    table: &Table,
    location: Location,
    floor: Position,
    end: Position,
) -> Result<Located, LogError> {
    let answer = match location {
        Location::Id(id) => by_id(table, id, floor).await?,
        Location::Told(place) => told(table, place),
        Location::At(floor) => earliest(table, floor).await?,
        Location::Newest(newest) => {
            let now = table.now().wall;
            let is_there = |row: &Row| row.expires > now;
            newest_update(table, newest, is_there).await?.into()
        }
    };
    Ok(answer.located(end))
}

/// Rule 10: a position is good for as long as its date allows.
fn told(table: &Table, place: Place) -> Answer {
    match table.timing.keeps_since(place.since, table.now().wall) {
        true => Answer::Kept,
        false => Answer::Unknown,
    }
}

/// Rule 9.
async fn by_id(table: &Table, id: EventId, floor: Position) -> Result<Answer, Fault> {
    let index = table.indexed(id.as_str()).await?;
    let newest = match lookup::reads_newest(index) {
        true => Some(newest_hit(table, &id, floor).await?),
        false => None,
    };
    let Some(hit) = lookup::find(&table.timing, index, newest, table.now().wall) else {
        return Ok(Answer::Unknown);
    };
    let since = table.timing.began(hit.expires);
    Ok(Answer::Found(Place { position: hit.position, since }, id))
}

/// Looks for an id among the newest cells: as far back as the index may lag, but not past the place
/// from which the longest replay would begin anyway.
async fn newest_hit(table: &Table, id: &EventId, floor: Position) -> Result<Newest, Fault> {
    let mut newest = Newest { first: None, complete: false };
    let mut from = Position::new(u64::MAX);
    // A quiet log is old after a few cells, and what is read is paid for.
    let mut limit = NEWEST;
    loop {
        let read = table.cells_back(from, limit).await?;
        limit = limit.saturating_mul(4);
        for Numbered { position, cell } in &read.cells {
            if let Cell::Update { expires, update, .. } = cell
                && update.stored.id == id.as_str()
            {
                let hit = Hit { position: *position, expires: *expires, own: update.own };
                newest.first = Some(hit);
                if !update.own {
                    return Ok(Newest { complete: true, ..newest });
                }
            }
            if lookup::is_indexed_below(&table.timing, cell.written(), table.now().wall) {
                return Ok(Newest { complete: true, ..newest });
            }
            if *position <= floor {
                return Ok(newest);
            }
        }
        match read.cells.last() {
            Some(last) if read.cut => from = last.position.back(1),
            _ => return Ok(Newest { complete: true, ..newest }),
        }
    }
}

/// The place after which the longest replay begins. If an update up to there is kept, its id can be
/// told; otherwise the replay begins as early as there is something (rule 11).
async fn earliest(table: &Table, floor: Position) -> Result<Answer, Fault> {
    if floor > Position::START {
        let now = table.now().wall;
        let may_follow = |row: &Row| table.timing.may_follow(row.expires, now);
        if let Some((place, id)) = newest_update(table, floor, may_follow).await? {
            return Ok(Answer::Found(place, id));
        }
    }
    // Read before the cells: where there are none, no lower number had been written by then.
    let head = table.last().await?;
    loop {
        let asked = table.now().wall;
        let read = table.cells(floor, None, Some(1), true).await?;
        let first = read.cells.first().map(|first| (first.position, first.cell.written()));
        match lookup::earliest(&table.timing, floor, head, first, asked) {
            Earliest::After(place) => return Ok(Answer::Oldest(place)),
            Earliest::Ask => table.clock.sleep(AGAIN).await,
        }
    }
}

/// The newest update up to a place, if it is `good`: older ones would be no better.
async fn newest_update(
    table: &Table,
    mut from: Position,
    good: impl Fn(&Row) -> bool,
) -> Result<Option<(Place, EventId)>, Fault> {
    loop {
        let read = table.cells_back(from, NEWEST).await?;
        let (last, cut) = (read.cells.last().map(|last| last.position), read.cut);
        for Numbered { position, cell } in read.cells {
            if let Cell::Update { update, .. } = cell {
                let since = table.timing.began(update.expires);
                let id = EventId::restored(&update.stored.id);
                return Ok(good(&update).then_some((Place { position, since }, id)));
            }
        }
        match last {
            Some(last) if cut => from = last.back(1),
            _ => return Ok(None),
        }
    }
}
