//! Where a reader that resumes begins.
//!
//! A place must not be followed if something after it may already be gone: the reader would lose
//! that without being told. So everything here errs on one side: a place that is not known to be
//! good counts as unknown, and the reader is given everything, and told so.
//!
//! - *Rule 9.* An id stands for the smallest number that has it. The index lags behind the table,
//!   so the newest cells are read consistently as well. Reading them only if the index has nothing
//!   could resume after a later update with the same id, and lose what lies between. An id that the
//!   hub made occurs only once, so a hit in the index is enough.
//! - *Rule 11.* `earliest` begins at the first cell there is. Expired or not, that cell proves
//!   nothing by itself: a publisher with a lower number may still be about to write. Either no
//!   number lies between, or the cell must be so old that the leases of all lower numbers have
//!   ended.

use cinnabar_core::{Position, Timestamp};

use super::timing::Timing;

/// A cell with the id that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hit {
    /// Its number.
    pub position: Position,
    /// When its update expires.
    pub expires: Timestamp,
    /// Whether a publisher chose the id, so that other updates may have it.
    pub own: bool,
}

/// What the newest cells, read consistently, say about an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Newest {
    /// The first of them with the id.
    pub first: Option<Hit>,
    /// Whether the cells go back further than the index may lag.
    pub complete: bool,
}

/// Whether the newest cells must be read as well, after the index.
#[must_use]
pub fn reads_newest(index: Option<Hit>) -> bool {
    index.is_none_or(|hit| hit.own)
}

/// Whether all cells below this one must be in the index: those that may be acknowledged were written
/// no later than a lease after this one's number was given away.
#[must_use]
pub fn is_indexed_below(timing: &Timing, written: Timestamp, now: Timestamp) -> bool {
    timing.settled(written).plus(timing.index_lag) < now
}

/// The update with an id, if it may be followed. `newest` is what was read if [`reads_newest`]
/// asked for it.
#[must_use]
pub fn find(
    timing: &Timing,
    index: Option<Hit>,
    newest: Option<Newest>,
    now: Timestamp,
) -> Option<Hit> {
    let read = newest.and_then(|newest| newest.first);
    let first = index.into_iter().chain(read).min_by_key(|hit| hit.position)?;
    // An earlier one may be hidden between the index and the newest cells.
    let hidden = first.own && newest.is_none_or(|newest| !newest.complete);
    (!hidden && timing.may_follow(first.expires, now)).then_some(first)
}

/// How far below the head `earliest` begins if there is no cell: these numbers may still be
/// written, and are sealed otherwise.
pub const UNDER_WAY: u64 = 64;

/// Where `earliest` begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Earliest {
    /// After this place, number by number.
    After(Position),
    /// Not known yet: read again.
    Ask,
}

/// Where `earliest` begins. `first` is the first cell past `from`, and when it was written, from a
/// consistent query; `asked` is the time before that query.
#[must_use]
pub fn earliest(
    timing: &Timing,
    from: Position,
    head: Position,
    first: Option<(Position, Timestamp)>,
    asked: Timestamp,
) -> Earliest {
    match first {
        Some((first, _)) if first == from.next() => Earliest::After(from),
        Some((first, written)) if timing.settled(written) < asked => Earliest::After(first.back(1)),
        Some(_) => Earliest::Ask,
        // Everything expired long ago, or is yet to be written.
        None => Earliest::After(head.back(UNDER_WAY).max(from)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    fn timing() -> Timing {
        Timing::new(Duration::from_secs(1_000))
    }

    fn hit(number: u64, own: bool) -> Hit {
        Hit { position: Position::new(number), expires: at(1_000), own }
    }

    #[test]
    fn the_first_of_a_repeated_id_counts_wherever_it_is_found() {
        let complete = |first| Some(Newest { first, complete: true });
        let (first, second) = (hit(1, true), hit(2, true));
        for (index, newest) in
            [(Some(second), complete(Some(first))), (Some(first), complete(Some(second)))]
        {
            assert_eq!(find(&timing(), index, newest, at(0)), Some(first));
        }
        assert_eq!(find(&timing(), None, complete(Some(first)), at(0)), Some(first));
        assert_eq!(find(&timing(), None, complete(None), at(0)), None);
    }

    #[test]
    fn the_index_will_do_for_an_id_of_the_hubs() {
        assert!(!reads_newest(Some(hit(1, false))));
        assert!(reads_newest(Some(hit(1, true))) && reads_newest(None));
        assert_eq!(find(&timing(), Some(hit(1, false)), None, at(0)), Some(hit(1, false)));
    }

    #[test]
    fn where_an_earlier_one_may_hide_the_id_is_unknown() {
        let cut = Some(Newest { first: None, complete: false });
        assert_eq!(find(&timing(), Some(hit(9, true)), cut, at(0)), None);
    }

    #[test]
    fn an_update_is_not_followed_when_a_later_one_may_be_gone() {
        let found = |now| find(&timing(), Some(hit(1, false)), None, at(now)).is_some();
        assert!(found(984) && !found(985));
    }

    #[test]
    fn the_newest_cells_go_back_past_the_lag_of_the_index() {
        assert!(!is_indexed_below(&timing(), at(0), at(75)));
        assert!(is_indexed_below(&timing(), at(0), at(76)));
    }

    #[test]
    fn earliest_begins_where_no_lower_number_may_be_under_way() {
        let begin = |from: u64, first: Option<(u64, u64)>, asked: u64| {
            let first = first.map(|(number, written)| (Position::new(number), at(written)));
            earliest(&timing(), Position::new(from), Position::new(100), first, at(asked))
        };
        let after = |number| Earliest::After(Position::new(number));
        assert_eq!(begin(0, Some((1, 50)), 50), after(0));
        assert_eq!(begin(0, Some((2, 50)), 65), Earliest::Ask);
        assert_eq!(begin(0, Some((2, 50)), 66), after(1));
        assert_eq!(begin(0, None, 66), after(36));
        assert_eq!(begin(99, None, 66), after(99));
    }
}
