//! The last messages of updates, for followers that are a moment behind.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::feed::limits::RECENT;
use crate::terms::cursor::Position;

/// Updates in a row, as the message that carries them.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) after: Position,
    pub(crate) reached: Position,
    pub(crate) bytes: Bytes,
}

/// The last of them. When a leader wakes, or is back, its followers come one after another, most of them
/// from the same place: the log is read for the first one.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    by_place: BTreeMap<Position, Frame>,
    size: usize,
}

impl Recent {
    /// What follows this place.
    pub(crate) fn after(&self, place: Position) -> Option<&Frame> {
        self.by_place.get(&place)
    }

    /// Keeps one, and forgets the oldest.
    pub(crate) fn push(&mut self, frame: Frame) {
        self.size += frame.bytes.len();
        if let Some(same) = self.by_place.insert(frame.after, frame) {
            self.size -= same.bytes.len();
        }
        while self.size > RECENT
            && let Some((_, oldest)) = self.by_place.pop_first()
        {
            self.size -= oldest.bytes.len();
        }
    }

    /// How many bytes are kept.
    pub(crate) fn size(&self) -> usize {
        self.size
    }
}
