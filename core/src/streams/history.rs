//! What a stream asks of the log, and what the log answers.
//!
//! The core decides what to read; a shell reads it, from SQLite at once or from a table over the
//! network. `oldest`, which comes with each answer, tells what the log no longer keeps.

use std::sync::Arc;

use crate::matching::index::StreamId;
use crate::terms::cursor::{Place, Position};
use crate::terms::event_id::EventId;
use crate::terms::update::Update;
use crate::time::Timestamp;

/// An update, and its place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The place after it.
    pub position: Position,
    /// The update.
    pub update: Arc<Update>,
}

/// Which update's place and id a stream asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// The first with this id (draft-08, "Reconciliation": a repeated id is its earliest).
    Id(EventId),
    /// The one at this position.
    At(Position),
    /// The one at this place, which some reader was told as its own: it may be followed where
    /// `oldest` says that all that followed it is kept.
    Told(Place),
    /// The newest up to and including this position.
    Newest(Position),
}

/// The answer to a [`Location`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The update's place and id; `None` where the log does not keep it.
    pub found: Option<(Place, EventId)>,
    /// The oldest update kept; where none is, the place of the next one. A log that cannot tell
    /// says what it knows of the place that was asked for: from here on all is kept.
    pub oldest: Position,
}

/// A stream asks for a page: the updates after one position up to and including another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// The stream that asks.
    pub stream: StreamId,
    /// The updates after this one,
    pub after: Position,
    /// up to and including this one,
    pub through: Position,
    /// as far as this allows.
    pub limit: PageLimit,
    /// When the stream arrived, or fell behind: no later than the log judged its cursor. A log that
    /// expires updates still owes the stream those that had not expired at this moment.
    pub as_of: Timestamp,
}

/// How much may be read for one page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageLimit {
    /// At most this many updates, wanted or not.
    pub updates: usize,
    /// At most this many bytes, of whatever is read of the updates; but one update of any size.
    pub bytes: usize,
}

/// A stretch of history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The updates of the stretch, in order; those that the stream does not want may be left out.
    pub updates: Vec<Appended>,
    /// Where the stretch ends: the position of the last update that was looked at when a limit cut
    /// it, else the position that was asked for.
    pub reached: Position,
    /// As in [`Place`], for where it ends; `None` where nothing in it tells the time.
    pub since: Option<Timestamp>,
    /// As in [`Located`].
    pub oldest: Position,
}
