//! Where a replay begins, and what the answer field says about it (draft-08, "Reconciliation").
//!
//! A cursor names a place; the log says whether it still keeps what followed. One or two questions
//! lead from one to the other, and a few more where fragments stand between the ids of a list:
//!
//! | the cursor | the log is asked for | the replay begins | the answer field |
//! |---|---|---|---|
//! | empty | the newest id | nowhere: live | that id, or `earliest` |
//! | an id, a fragment | its place | after it | the cursor itself |
//! | a list | the place of each | after the first that is known, in the order of [`Cursor::names`] | that one |
//! | unknown, too far back, `earliest` | the floor | after the floor | the floor's id |
//! | the same, with the floor not kept | | at the oldest kept | `earliest` |
//!
//! The floor is the place after which the longest replay begins.

use crate::streams::history::{Located, Location};
use crate::terms::cursor::{Cursor, CursorKey, Name, Place, Position};
use crate::terms::event_id::EARLIEST;

/// What a stream has asked the log, and is waiting to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// The newest id. The stream begins at this place, whatever is appended meanwhile.
    Newest(Place),
    /// The place that its cursor names. Once this is answered, so many of its names were tried.
    Named(usize),
    /// What is kept at this position, after which the longest replay begins, or after it.
    Floor(Position),
}

/// What follows from the log's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Ask the log once more.
    Ask(Question, Location),
    /// Begin at this place, with this answer field.
    Begin(Place, String),
}

/// How far a stream can look back.
pub(crate) struct Horizon<'a> {
    pub(crate) key: &'a CursorKey,
    /// Where the log ends: after its newest durable update.
    pub(crate) end: Place,
    /// How many updates are replayed at most.
    pub(crate) replay_max: u64,
}

impl Horizon<'_> {
    /// The first question for a cursor.
    pub(crate) fn first(&self, cursor: &Cursor) -> (Question, Location) {
        match cursor {
            Cursor::Empty => (Question::Newest(self.end), Location::Newest(self.end.position)),
            Cursor::Names(names) => self.ask(names, 0),
        }
    }

    /// What follows from the log's answer to a question about a cursor.
    pub(crate) fn next(&self, question: Question, cursor: &Cursor, located: &Located) -> Next {
        match question {
            // This may be the id of an update that the subscriber may not read. Nothing is
            // replayed, and an id reveals nothing about its update.
            Question::Newest(here) => Next::Begin(
                here,
                match located {
                    Located::Found(_, id) => id.as_str().to_owned(),
                    _ => EARLIEST.to_owned(),
                },
            ),
            Question::Named(tried) => match self.named(cursor.names(), tried, located) {
                // The answer field repeats the cursor byte for byte, which tells the reader that
                // nothing was lost. Of a list it repeats what was found: the list would not say
                // which of its places the replay follows.
                Some((place, name)) => Next::Begin(place, name.to_owned()),
                None => {
                    let (question, location) = self.ask(cursor.names(), tried);
                    Next::Ask(question, location)
                }
            },
            Question::Floor(floor) => match located {
                // The update at the floor, or the newest before it. Positions between the two never
                // got an update, so beginning at the floor is beginning after that one.
                Located::Found(place, id) => {
                    Next::Begin(Place { position: floor, ..*place }, id.as_str().to_owned())
                }
                Located::Oldest(oldest) => {
                    // If nothing is kept, the oldest is the next to come, and the holder may not
                    // have heard of the one before it yet.
                    let before = oldest.back(1).min(self.end.position).max(floor);
                    Next::Begin(Place::undated(before), EARLIEST.to_owned())
                }
                Located::Kept | Located::Unknown => {
                    Next::Begin(Place::undated(floor), EARLIEST.to_owned())
                }
            },
        }
    }

    /// The next question about these names, of which so many were tried. Ids that follow each other
    /// are one question, since a log may have to search its newest updates for all that it does not
    /// know.
    fn ask(&self, names: &[Name], mut tried: usize) -> (Question, Location) {
        let mut ids = Vec::new();
        for name in names.get(tried..).unwrap_or_default() {
            match name {
                Name::After(id) => ids.push(id.clone()),
                Name::Fragment(fragment) => match self.told(fragment) {
                    Some(place) if ids.is_empty() => {
                        return (Question::Named(tried + 1), Location::Told(place));
                    }
                    Some(_) => break,
                    None => {}
                },
                Name::Earliest => break,
            }
            tried += 1;
        }
        if ids.is_empty() {
            return self.ask_for_floor();
        }
        (Question::Named(tried), Location::Ids { ids, floor: self.floor() })
    }

    /// The place that a fragment names, if this log told it.
    fn told(&self, fragment: &str) -> Option<Place> {
        // Fragments are encrypted with this log's own key, and only durable positions are told. So
        // one beyond the end was told before the log lost its end (a database was restored), and the
        // updates that led up to it are gone.
        self.key.place(fragment).filter(|place| place.position <= self.end.position)
    }

    /// The place that was found, and its name, if everything after it is kept and may be replayed.
    /// It may be past the holder's: a publisher knows an id a moment before the holder does.
    fn named<'a>(
        &self,
        names: &'a [Name],
        tried: usize,
        located: &'a Located,
    ) -> Option<(Place, &'a str)> {
        let (place, name) = match (located, names.get(tried.checked_sub(1)?)?) {
            (Located::Found(place, id), _) => (*place, id.as_str()),
            (Located::Kept, Name::Fragment(fragment)) => (self.key.place(fragment)?, &**fragment),
            _ => return None,
        };
        (place.position >= self.floor()).then_some((place, name))
    }

    fn ask_for_floor(&self) -> (Question, Location) {
        let floor = self.floor();
        (Question::Floor(floor), Location::Floor { floor, end: self.end.position })
    }

    fn floor(&self) -> Position {
        self.end.position.back(self.replay_max)
    }
}
