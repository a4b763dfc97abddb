//! What was written to streams but not yet taken by their readers.
//!
//! The same bytes are written to many streams but kept once. So each stream's [`Outbox`] bounds how
//! far its reader may fall behind, and [`Waiting`] counts what all of them keep alive.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};

use crate::time::Timestamp;

/// How many chunks may wait for one reader. To remember one takes some room here and some in the shell,
/// for each of its readers, which no bound of bytes counts: thousands of readers that stall, and have
/// thousands of small updates to take, would fill the memory.
const MOST_CHUNKS: usize = 512;

/// Bytes that were written to one or more streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Chunk {
    number: u64,
    length: usize,
}

impl Chunk {
    pub(crate) fn length(self) -> usize {
        self.length
    }
}

/// The chunks that at least one stream has yet to take.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    /// How many streams have yet to take a chunk.
    readers: BTreeMap<u64, usize>,
    written: u64,
    bytes: usize,
}

impl Waiting {
    /// How many bytes are kept, each chunk counted once.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// A new chunk of this length: push it to outboxes, then call [`Waiting::keep`].
    pub(crate) fn chunk(&mut self, length: usize) -> Chunk {
        self.written += 1;
        Chunk { number: self.written, length }
    }

    /// Keeps a chunk until this many outboxes, at least one, have released it.
    pub(crate) fn keep(&mut self, chunk: Chunk, readers: usize) {
        self.readers.insert(chunk.number, readers);
        self.bytes += chunk.length;
    }

    /// Notes that one stream no longer needs a chunk.
    fn release(&mut self, chunk: Chunk) {
        if let Some(readers) = self.readers.get_mut(&chunk.number) {
            *readers -= 1;
            if *readers == 0 {
                self.readers.remove(&chunk.number);
                self.bytes -= chunk.length;
            }
        }
    }
}

/// What one stream's reader has yet to take.
#[derive(Debug)]
pub(crate) struct Outbox {
    chunks: VecDeque<Chunk>,
    bytes: usize,
    /// How many bytes of the first chunk were taken.
    taken: usize,
    /// When its reader began to wait, or last took something.
    since: Timestamp,
    /// Its turn among the waiting: see [`Waiters`](super::waiters::Waiters).
    pub(super) turn: Cell<Option<Timestamp>>,
}

impl Outbox {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self { chunks: VecDeque::new(), bytes: 0, taken: 0, since: now, turn: Cell::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Whether it takes one more chunk, if that is not too long.
    pub(crate) fn has_place(&self) -> bool {
        self.chunks.len() < MOST_CHUNKS
    }

    /// How many bytes wait.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Since when its reader has taken nothing; `None` if nothing waits.
    pub(crate) fn waits_since(&self) -> Option<Timestamp> {
        (!self.is_empty()).then_some(self.since)
    }

    /// Notes that a chunk was written.
    pub(crate) fn push(&mut self, chunk: Chunk, now: Timestamp) {
        if self.is_empty() {
            self.since = now;
        }
        self.bytes += chunk.length;
        self.chunks.push_back(chunk);
    }

    /// Notes that the reader took this many bytes.
    pub(crate) fn take(&mut self, bytes: usize, waiting: &mut Waiting, now: Timestamp) {
        self.since = now;
        self.taken += bytes;
        while let Some(&first) = self.chunks.front() {
            if self.taken < first.length {
                return;
            }
            self.taken -= first.length;
            self.bytes -= first.length;
            self.chunks.pop_front();
            waiting.release(first);
        }
        self.taken = 0;
    }

    /// Drops whatever was not taken.
    pub(crate) fn drop_all(&mut self, waiting: &mut Waiting) {
        for chunk in self.chunks.drain(..) {
            waiting.release(chunk);
        }
        self.bytes = 0;
        self.taken = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1);

    fn write(waiting: &mut Waiting, outboxes: &mut [Outbox], length: usize, now: Timestamp) {
        let chunk = waiting.chunk(length);
        for outbox in &mut *outboxes {
            outbox.push(chunk, now);
        }
        waiting.keep(chunk, outboxes.len());
    }

    #[test]
    fn shared_bytes_count_once() {
        let mut waiting = Waiting::default();
        let mut outboxes = [Outbox::new(NOW), Outbox::new(NOW)];
        write(&mut waiting, &mut outboxes, 100, NOW);
        write(&mut waiting, &mut outboxes[..1], 10, NOW);
        assert_eq!((waiting.bytes(), outboxes[0].bytes(), outboxes[1].bytes()), (110, 110, 100));

        outboxes[0].take(105, &mut waiting, NOW);
        assert_eq!((waiting.bytes(), outboxes[0].bytes()), (110, 10));
        outboxes[0].take(5, &mut waiting, NOW);
        assert!(outboxes[0].is_empty());
        assert_eq!(waiting.bytes(), 100);

        outboxes[1].drop_all(&mut waiting);
        assert_eq!(waiting.bytes(), 0);
        assert!(waiting.readers.is_empty());
    }

    #[test]
    fn waiting_begins_again_with_each_take() {
        let mut waiting = Waiting::default();
        let mut outbox = Outbox::new(NOW);
        assert_eq!(outbox.waits_since(), None);
        let (second, third) = (Timestamp::from_millis(2), Timestamp::from_millis(3));
        write(&mut waiting, std::slice::from_mut(&mut outbox), 10, second);
        assert_eq!(outbox.waits_since(), Some(second));
        outbox.take(1, &mut waiting, third);
        assert_eq!(outbox.waits_since(), Some(third));
    }
}
