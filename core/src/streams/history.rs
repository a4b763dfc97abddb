//! What a stream asks of the log, and what the log answers.
//!
//! The core decides what to read; a shell reads it, from SQLite at once or from a table over the
//! network, and fills pages with a [`Pager`](crate::Pager).

use std::sync::Arc;

use crate::streams::stream_id::StreamId;
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

/// What a stream asks of the log before it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// The first update with this id (draft-08, "Reconciliation": a repeated id is its earliest).
    /// [`Located::Found`] or [`Located::Unknown`].
    Id {
        /// The id.
        id: EventId,
        /// Where the longest replay begins: an update before it need not be found.
        floor: Position,
    },
    /// Whether all that followed this place is kept, which some reader was told as its own.
    /// [`Located::Kept`] or [`Located::Unknown`].
    Told(Place),
    /// The update at the floor, so that its id can be told; and where it is not kept, the oldest
    /// update after it. [`Located::Found`] or [`Located::Oldest`].
    Floor {
        /// Where the longest replay begins.
        floor: Position,
        /// Where the log ends, as far as the holder knows.
        end: Position,
    },
    /// The newest update up to and including this position. [`Located::Found`] or
    /// [`Located::Unknown`].
    Newest(Position),
}

/// The log's answer to a [`Location`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Located {
    /// The update is kept, and so is all that followed it: its place and its id.
    Found(Place, EventId),
    /// All that followed the place is kept.
    Kept,
    /// The update is not kept. The oldest that is, or the position of the next one where none is.
    Oldest(Position),
    /// The log keeps no such update, or not all that followed it.
    Unknown,
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
    /// When the stream was promised what it replays. An update that had not expired then is part of
    /// the page, though it may have expired since: or its reader would miss it without a word.
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
    /// The oldest update kept; where none is, the position of the next one. A stream that has yet
    /// to read older ones is cut, and its reader learns what it missed when it resumes.
    pub oldest: Position,
}
