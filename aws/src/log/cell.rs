//! A cell of the log: written once, by the publisher of its number or by a reader that seals it.
//!
//! What a cell means is decided here and in the modules beside it, whatever `U` is: an update in
//! the hub, something small in the model that explores these decisions.

use cinnabar_core::{Position, Timestamp};

/// What a number holds, once it holds something.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Cell<U> {
    /// An update.
    Update {
        /// When it expires, by its publisher's clock.
        expires: Timestamp,
        /// When its publisher got its number, by the same clock.
        allotted: Timestamp,
        /// The update.
        update: U,
    },
    /// Nothing, forever: a reader found the number missing, and sealed it.
    Tombstone {
        /// When, by that reader's clock.
        sealed: Timestamp,
    },
}

/// A cell and its number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Numbered<U> {
    /// The number, as the place after it.
    pub position: Position,
    /// What it holds.
    pub cell: Cell<U>,
}

impl<U> Cell<U> {
    /// A moment by which its number, and so every lower one, had been given away, by its writer's
    /// clock.
    #[must_use]
    pub fn written(&self) -> Timestamp {
        match self {
            Self::Update { allotted, .. } => *allotted,
            Self::Tombstone { sealed } => *sealed,
        }
    }

    /// Its update, unless that had expired by `moment`. An update that lands on a number whose
    /// tombstone was deleted had expired long before (rules 4 and 7).
    #[must_use]
    pub fn deliverable(self, moment: Timestamp) -> Option<U> {
        match self {
            Self::Update { expires, update, .. } if expires > moment => Some(update),
            _ => None,
        }
    }
}
