//! What a stream asks of the log, and what the log answers.
//!
//! The core decides what to read; a shell reads it, from SQLite at once or from a table over the
//! network, and fills pages with a [`Pager`](crate::Pager).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Location {
    /// The first update with the first of these ids that is known (draft-08, "Reconciliation": a
    /// repeated id names the earliest). Answered by [`Located::Found`] or [`Located::Unknown`].
    Ids {
        /// The ids, at least one.
        ids: Vec<EventId>,
        /// Where the longest replay begins: an id whose update is before it counts as unknown.
        floor: Position,
    },
    /// Whether everything after this place, which a reader was told is its own, is kept. Answered
    /// by [`Located::Kept`] or [`Located::Unknown`].
    Told(Place),
    /// The update at the floor, whose id the answer needs; if it is not kept, the oldest update
    /// after it. Answered by [`Located::Found`] or [`Located::Oldest`].
    Floor {
        /// Where the longest replay begins.
        floor: Position,
        /// Where the log ends, as far as the holder knows.
        end: Position,
    },
    /// The newest update up to and including this position. Answered by [`Located::Found`] or
    /// [`Located::Unknown`].
    Newest(Position),
}

/// The log's answer to a [`Location`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Located {
    /// The update is kept, and so is everything after it: its place and its id.
    Found(Place, EventId),
    /// Everything after the place is kept.
    Kept,
    /// The update is not kept. The oldest that is, or if none is, the position of the next one.
    Oldest(Position),
    /// The log keeps no such update, or not everything after it.
    Unknown,
}

/// A stream asks for a page: the updates after one position up to and including another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// the page, even if it has expired since: otherwise its reader would miss it silently.
    pub as_of: Timestamp,
}

/// How much may be read for one page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageLimit {
    /// At most this many updates, wanted or not.
    pub updates: usize,
    /// At most this many bytes of what is read of the updates, or one update of any size.
    pub bytes: usize,
}

/// A stretch of history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The updates in the stretch that the stream wants, in order, as its [`Pager`](crate::Pager)
    /// told: they are written as they are.
    pub updates: Vec<Appended>,
    /// Where the stretch ends: if a limit cut it, the position of the last update that was looked
    /// at, else the position that was asked for.
    pub reached: Position,
    /// As in [`Place`], for where it ends; `None` if nothing in it has a time.
    pub since: Option<Timestamp>,
    /// The oldest update kept, or if none is, the position of the next one. A stream that has yet
    /// to read older ones is cut, and its reader learns of the loss when it resumes.
    pub oldest: Position,
}
