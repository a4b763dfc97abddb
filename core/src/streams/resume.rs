//! Where a replay begins, and what the answer says of it (draft-08, "Reconciliation").
//!
//! A cursor names a place; the log says whether it still keeps what followed. At most two
//! questions lead from one to the other:
//!
//! | the cursor | is asked for | the replay begins | the answer field |
//! |---|---|---|---|
//! | empty | the newest id | nowhere: live | that id, or `earliest` |
//! | an id, a fragment | its place | after it | the cursor itself |
//! | unknown, too far back, `earliest` | the floor | after the floor | the floor's id |
//! | the same, and the floor is not kept | | at the oldest kept | `earliest` |
//!
//! The floor is the place after which the longest replay begins.

use crate::streams::history::{Located, Location};
use crate::terms::cursor::{Cursor, CursorKey, Place, Position};
use crate::terms::event_id::EARLIEST;
use crate::time::Timestamp;

/// What a stream has asked the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The newest id; it begins at this place, whatever comes meanwhile.
    Newest(Place),
    /// The place that its cursor names.
    Named,
    /// The update at this position, after which the longest replay begins.
    Floor(Position),
}

/// What follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Ask the log.
    Ask(Step, Location),
    /// Begin after this position, with this answer field.
    Begin(Place, String),
}

/// What resuming depends on.
pub(crate) struct Log<'a> {
    pub(crate) key: &'a CursorKey,
    /// The newest durable update.
    pub(crate) position: Position,
    /// How many updates are replayed at most.
    pub(crate) replay_max: u64,
}

impl Log<'_> {
    /// The first question for a cursor.
    pub(crate) fn first(&self, cursor: &Cursor, now: Timestamp) -> (Step, Location) {
        match cursor {
            Cursor::Empty => {
                let here = Place { position: self.position, since: now };
                (Step::Newest(here), Location::Newest(self.position))
            }
            Cursor::After(id) => (Step::Named, Location::Id(id.clone())),
            Cursor::Fragment(fragment) => match self.key.place(fragment) {
                // Positions are given away when they are durable: one beyond is another log's.
                Some(place) if place.position <= self.position => {
                    (Step::Named, Location::Told(place))
                }
                _ => self.floor(),
            },
            Cursor::Earliest | Cursor::Unknown => self.floor(),
        }
    }

    /// What follows from the log's answer.
    pub(crate) fn next(&self, step: Step, cursor: &Cursor, located: &Located) -> Next {
        let id = located.found.as_ref().map(|(_, id)| id.as_str());
        match step {
            Step::Newest(here) => Next::Begin(here, id.unwrap_or(EARLIEST).to_owned()),
            Step::Named => match (self.place(cursor, located), cursor.as_str()) {
                (Some(place), Some(cursor)) => Next::Begin(place, cursor.to_owned()),
                _ => {
                    let (step, location) = self.floor();
                    Next::Ask(step, location)
                }
            },
            Step::Floor(floor) => match &located.found {
                Some((place, id)) => {
                    let place = Place { position: floor, ..*place };
                    Next::Begin(place, id.as_str().to_owned())
                }
                None => {
                    let before_oldest = located.oldest.back(1).min(self.position).max(floor);
                    Next::Begin(Place::undated(before_oldest), EARLIEST.to_owned())
                }
            },
        }
    }

    /// The place that a cursor names, where all that followed is kept and may be replayed. It may
    /// be past the holder's: a publisher knows an id a moment before the holder does.
    fn place(&self, cursor: &Cursor, located: &Located) -> Option<Place> {
        let place = match cursor {
            Cursor::Fragment(fragment) => {
                let told = self.key.place(fragment);
                told.filter(|place| located.oldest <= place.position.next())
            }
            _ => located.found.as_ref().map(|(place, _)| *place),
        };
        place.filter(|place| place.position >= self.position.back(self.replay_max))
    }

    fn floor(&self) -> (Step, Location) {
        let floor = self.position.back(self.replay_max);
        (Step::Floor(floor), Location::At(floor))
    }
}
