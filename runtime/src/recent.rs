//! What came last over a link: streams that are about to begin may lack some of it.
//!
//! A stream begins where the log ended when it was asked for that. Until it begins, more may have come.

use std::collections::VecDeque;

use cinnabar_core::Position;

use crate::source::Read;

/// How many bytes are kept, unless it is one read.
const KEPT: usize = 1024 * 1024;

/// What a read takes besides its updates.
const EACH: usize = 64;

/// The last reads.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    /// Everything after this is here.
    after: Position,
    reads: VecDeque<Read>,
    size: usize,
}

impl Recent {
    /// Begins anew, where the log ends.
    pub(crate) fn begin(&mut self, end: Position) {
        *self = Self { after: end, ..Self::default() };
    }

    pub(crate) fn push(&mut self, read: Read) {
        self.size += size(&read);
        self.reads.push_back(read);
        while self.size > KEPT
            && self.reads.len() > 1
            && let Some(oldest) = self.reads.pop_front()
        {
            self.size -= size(&oldest);
            self.after = oldest.reached.position;
        }
    }

    /// What follows this position; `None` if not all of it is here.
    pub(crate) fn after(&self, position: Position) -> Option<VecDeque<Read>> {
        let reads = || self.reads.iter().filter_map(|read| behind(read, position)).collect();
        (position >= self.after).then(reads)
    }
}

/// What of a read is behind this position, if anything is.
pub(crate) fn behind(read: &Read, position: Position) -> Option<Read> {
    let mut updates = read.updates.clone();
    updates.retain(|next| next.position > position);
    (read.reached.position >= position).then_some(Read { updates, reached: read.reached })
}

fn size(read: &Read) -> usize {
    EACH + read.updates.iter().map(|next| next.update.size()).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use cinnabar_core::testing::update;
    use cinnabar_core::{Appended, Place};

    use super::*;

    fn read(positions: std::ops::RangeInclusive<u64>, data: &str) -> Read {
        let reached = Place::undated(Position::new(*positions.end()));
        let updates = positions.map(|position| Appended {
            position: Position::new(position),
            update: update("urn:1", "a", data).into(),
        });
        Read { updates: updates.collect(), reached }
    }

    fn found(recent: &Recent, after: u64) -> Option<Vec<u64>> {
        let reads = recent.after(Position::new(after))?;
        Some(reads.iter().flat_map(|read| &read.updates).map(|next| next.position.get()).collect())
    }

    #[test]
    fn what_follows_a_position_is_found_as_long_as_all_of_it_is_kept() {
        let mut recent = Recent::default();
        recent.begin(Position::new(5));
        recent.push(read(6..=8, ""));
        recent.push(read(9..=9, ""));
        assert_eq!(found(&recent, 4), None);
        assert_eq!(found(&recent, 5), Some(vec![6, 7, 8, 9]));
        assert_eq!(found(&recent, 7), Some(vec![8, 9]));
        assert_eq!(found(&recent, 9), Some(vec![]));
        recent.push(read(10..=10, &"x".repeat(KEPT + 1)));
        assert_eq!(found(&recent, 8), None, "it was too much");
        assert_eq!(found(&recent, 9), Some(vec![10]));
    }
}
