//! Finding the place that a reader resumes from: the calls; [`lookup`](super::lookup) decides.

use std::time::Duration;

use cinnabar_core::{EventId, Located, Location, Place, Position};

use super::cell::{Cell, Numbered};
use super::fault::Fault;
use super::item::Row;
use super::lookup::{self, Earliest, Hit, Newest};
use super::table::Table;

/// How many of the newest cells are read at first: more than one, because some may be tombstones.
const NEWEST: i32 = 8;

/// How long to wait before `earliest` is read again.
const AGAIN: Duration = Duration::from_secs(1);

pub(super) async fn locate(table: &Table, location: Location) -> Result<Located, Fault> {
    match location {
        Location::Ids { ids, floor } => by_ids(table, ids, floor).await,
        Location::Told(place) => told(table, place).await,
        Location::Floor { floor, end } => longest_replay(table, floor, end).await,
        Location::Newest(newest) => {
            let now = table.now().wall;
            let is_there = |row: &Row| row.expires > now;
            Ok(found(newest_update(table, newest, is_there).await?))
        }
    }
}

fn found(update: Option<(Place, EventId)>) -> Located {
    update.map_or(Located::Unknown, |(place, id)| Located::Found(place, id))
}

/// Rule 10: a position is good as long as its date allows, or as long as nothing follows it.
async fn told(table: &Table, place: Place) -> Result<Located, Fault> {
    let is_kept = table.timing.keeps_since(place.since, table.now().wall)
        || table.last().await? <= place.position;
    Ok(if is_kept { Located::Kept } else { Located::Unknown })
}

/// Rule 9, for each of these ids.
async fn by_ids(table: &Table, ids: Vec<EventId>, floor: Position) -> Result<Located, Fault> {
    let mut indexed = Vec::with_capacity(ids.len());
    for id in &ids {
        indexed.push(table.indexed(id.as_str()).await?);
    }
    let newest = match indexed.iter().copied().any(lookup::reads_newest) {
        true => newest_hits(table, &ids, floor).await?.into_iter().map(Some).collect(),
        false => vec![None; ids.len()],
    };
    let now = table.now().wall;
    for ((id, index), newest) in ids.into_iter().zip(indexed).zip(newest) {
        match lookup::find(&table.timing, index, newest, now) {
            Some(hit) if hit.position >= floor => {
                let since = table.timing.began(hit.expires);
                return Ok(Located::Found(Place { position: hit.position, since }, id));
            }
            _ => {}
        }
    }
    Ok(Located::Unknown)
}

/// Looks for ids among the newest cells: as far back as the index may lag, but not past the place
/// from which the longest replay would begin anyway. The cells are read once for all of them, since
/// every cell read is paid for.
async fn newest_hits(
    table: &Table,
    ids: &[EventId],
    floor: Position,
) -> Result<Vec<Newest>, Fault> {
    let mut newest = vec![Newest { first: None, complete: false }; ids.len()];
    let mut from = Position::new(u64::MAX);
    // In a quiet log a few cells go back far enough.
    let mut limit = NEWEST;
    loop {
        let read = table.cells_back(from, limit).await?;
        limit = limit.saturating_mul(4);
        for Numbered { position, cell } in &read.cells {
            if let Cell::Update { expires, update, .. } = cell {
                let hit = Hit { position: *position, expires: *expires, own: update.own };
                for (id, newest) in ids.iter().zip(&mut newest) {
                    if update.stored.id == id.as_str() {
                        newest.first = Some(hit);
                    }
                }
                // An id that the hub made occurs once, so there is no more to find.
                if newest.iter().all(|newest| newest.first.is_some_and(|hit| !hit.own)) {
                    return Ok(newest);
                }
            }
            if lookup::is_indexed_below(&table.timing, cell.written(), table.now().wall) {
                return Ok(complete(newest));
            }
            if *position <= floor {
                return Ok(newest);
            }
        }
        match read.cells.last() {
            Some(last) if read.cut => from = last.position.back(1),
            _ => return Ok(complete(newest)),
        }
    }
}

fn complete(newest: Vec<Newest>) -> Vec<Newest> {
    newest.into_iter().map(|newest| Newest { complete: true, ..newest }).collect()
}

/// The longest replay begins at the floor. If an update up to there is kept, its id can be told;
/// otherwise the replay begins at the first cell there is (rule 11).
async fn longest_replay(table: &Table, floor: Position, end: Position) -> Result<Located, Fault> {
    if floor > Position::START {
        let now = table.now().wall;
        let may_follow = |row: &Row| table.timing.may_follow(row.expires, now);
        if let Some((place, id)) = newest_update(table, floor, may_follow).await? {
            return Ok(Located::Found(place, id));
        }
    }
    loop {
        let asked = table.now().wall;
        let read = table.cells(floor, None, Some(1), true).await?;
        let first = read.cells.first().map(|first| (first.position, first.cell.written()));
        match lookup::earliest(&table.timing, floor, end, first, asked) {
            Earliest::After(place) => return Ok(Located::Oldest(place.next())),
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
