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

use crate::cursor::{Cursor, CursorKey, Position};
use crate::event_id::EARLIEST;
use crate::history::{Located, Location};

/// What a stream has asked the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The newest id; it begins after this position, whatever comes meanwhile.
    Newest(Position),
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
    Begin(Position, String),
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
    pub(crate) fn first(&self, cursor: &Cursor) -> (Step, Location) {
        match cursor {
            Cursor::Empty => (Step::Newest(self.position), Location::Newest(self.position)),
            Cursor::After(id) => (Step::Named, Location::Id(id.clone())),
            Cursor::Fragment(fragment) => match self.key.position(fragment) {
                // Positions are given away when they are durable: one beyond is another log's.
                Some(position) if position <= self.position => {
                    (Step::Named, Location::At(position))
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
            Step::Newest(position) => Next::Begin(position, id.unwrap_or(EARLIEST).to_owned()),
            Step::Named => match (self.place(cursor, located), cursor.as_str()) {
                (Some(position), Some(cursor)) => Next::Begin(position, cursor.to_owned()),
                _ => {
                    let (step, location) = self.floor();
                    Next::Ask(step, location)
                }
            },
            Step::Floor(floor) => match id {
                Some(id) => Next::Begin(floor, id.to_owned()),
                None => {
                    let before_oldest = located.oldest.back(1).min(self.position);
                    Next::Begin(before_oldest.max(floor), EARLIEST.to_owned())
                }
            },
        }
    }

    /// The place that a cursor names, where all that followed is kept and may be replayed. It may
    /// be past the holder's: a publisher knows an id a moment before the holder does.
    fn place(&self, cursor: &Cursor, located: &Located) -> Option<Position> {
        let position = match cursor {
            Cursor::Fragment(fragment) => {
                self.key.position(fragment).filter(|position| located.oldest <= position.next())
            }
            _ => located.found.as_ref().map(|(position, _)| *position),
        };
        position.filter(|position| *position >= self.position.back(self.replay_max))
    }

    fn floor(&self) -> (Step, Location) {
        let floor = self.position.back(self.replay_max);
        (Step::Floor(floor), Location::At(floor))
    }
}
