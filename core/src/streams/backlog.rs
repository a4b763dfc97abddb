//! What was appended to a log and is on its way to the holder of streams.
//!
//! ```text
//!            sync                 a portion at a time
//!  appended ──────▶ durable ─────────────────────────▶ holder
//! ```
//!
//! A publisher may be answered as soon as its update is durable, before any stream has it. So
//! updates wait here, in the order of the log. How much may wait is bounded, counting whole updates
//! rather than their data: a publication may consist of topics alone. And they leave in portions,
//! so that readers can take some before more comes.

use std::collections::VecDeque;

use crate::streams::history::Appended;
use crate::terms::cursor::Position;

/// How many bytes of updates may wait.
const MAX_SIZE: usize = 16 * 1024 * 1024;

/// How many bytes of updates are handed over at a time.
const PORTION: usize = 128 * 1024;

/// Updates between a log and its holder.
///
/// ```
/// use cinnabar_core::{Appended, Backlog, Position, StoredUpdate, Update};
///
/// # let stored = StoredUpdate {
/// #     id: "urn:a".into(), topics: "a".into(), targets: "".into(), data: "".into(),
/// #     private: false, event_type: None, retry: None,
/// # };
/// let update = Update::restore(stored).into();
/// let mut backlog = Backlog::new(Position::START);
/// backlog.push(Appended { position: Position::new(1), update });
/// assert!(backlog.take_portion().is_empty(), "nobody may see it before it is durable");
///
/// let newest = backlog.newest_pending().unwrap();
/// // Here the storage syncs.
/// backlog.handle_durable(newest);
/// assert_eq!(backlog.take_portion().len(), 1);
/// ```
#[derive(Debug)]
pub struct Backlog {
    /// In the order of the log: those up to `durable`, then those that are pending; each with its
    /// size, which takes a look at all of its topics.
    waiting: VecDeque<(Appended, usize)>,
    size: usize,
    durable: Position,
}

impl Backlog {
    /// An empty one, for a log whose newest update is at `newest` and durable.
    #[must_use]
    pub fn new(newest: Position) -> Self {
        Self { waiting: VecDeque::new(), size: 0, durable: newest }
    }

    /// Whether nothing more may be appended until some of it has left. Publishers must then be told
    /// that the hub is unavailable.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.size >= MAX_SIZE
    }

    /// The newest durable update.
    #[must_use]
    pub fn durable(&self) -> Position {
        self.durable
    }

    /// The newest durable update, if the holder has been handed everything that was ever appended.
    #[must_use]
    pub fn handed_over(&self) -> Option<Position> {
        self.waiting.is_empty().then_some(self.durable)
    }

    /// The newest update that is not known to be durable, if there is one. A sync that begins now
    /// covers it, and everything before it.
    #[must_use]
    pub fn newest_pending(&self) -> Option<Position> {
        let newest = self.waiting.back().map(|(newest, _)| newest.position);
        newest.filter(|newest| *newest > self.durable)
    }

    /// An update was appended to the log, after all those that were pushed before.
    pub fn push(&mut self, appended: Appended) {
        let size = appended.update.size();
        self.size += size;
        self.waiting.push_back((appended, size));
    }

    /// Everything up to this position is durable.
    pub fn handle_durable(&mut self, position: Position) {
        self.durable = self.durable.max(position);
    }

    /// Whether there is something to hand over.
    #[must_use]
    pub fn has_portion(&self) -> bool {
        self.waiting.front().is_some_and(|(first, _)| first.position <= self.durable)
    }

    /// The next durable updates for the holder: at least one if there are any, and no more once they
    /// fill a portion.
    #[must_use]
    pub fn take_portion(&mut self) -> Vec<Appended> {
        let mut portion = Vec::new();
        let mut size = 0;
        while size < PORTION && self.has_portion() {
            let Some((next, next_size)) = self.waiting.pop_front() else { break };
            size += next_size;
            portion.push(next);
        }
        self.size -= size;
        portion
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::update::{StoredUpdate, Update};

    fn appended(position: u64, topics: &str, data: &str) -> Appended {
        let update = Update::restore(StoredUpdate {
            id: format!("urn:{position}"),
            topics: topics.into(),
            targets: String::new(),
            data: data.into(),
            private: false,
            event_type: None,
            retry: None,
        });
        Appended { position: Position::new(position), update: update.into() }
    }

    /// The positions of a portion.
    fn portion(backlog: &mut Backlog) -> Vec<u64> {
        backlog.take_portion().iter().map(|next| next.position.get()).collect()
    }

    #[test]
    fn updates_leave_in_order_and_only_when_they_are_durable() {
        let mut backlog = Backlog::new(Position::new(4));
        assert_eq!(backlog.handed_over(), Some(Position::new(4)));
        assert_eq!(backlog.newest_pending(), None);
        backlog.push(appended(5, "a", ""));
        backlog.push(appended(6, "a", ""));
        let covered = backlog.newest_pending().unwrap();
        // Pushed during the sync, which does not cover it.
        backlog.push(appended(7, "a", ""));
        assert!(!backlog.has_portion());
        backlog.handle_durable(covered);

        assert_eq!((backlog.durable(), backlog.handed_over()), (Position::new(6), None));
        assert_eq!(portion(&mut backlog), [5, 6]);
        assert!(!backlog.has_portion());
        assert_eq!((portion(&mut backlog), backlog.handed_over()), (vec![], None));
        assert_eq!(backlog.newest_pending(), Some(Position::new(7)));

        backlog.handle_durable(Position::new(7));
        assert_eq!(backlog.newest_pending(), None);
        assert_eq!(portion(&mut backlog), [7]);
        assert_eq!(backlog.handed_over(), Some(Position::new(7)));
    }

    #[test]
    fn a_portion_ends_once_it_is_full_and_takes_one_update_of_any_size() {
        let mut backlog = Backlog::new(Position::START);
        let half = "x".repeat(PORTION / 2);
        for position in 1..=4 {
            backlog.push(appended(position, "a", &half));
        }
        backlog.push(appended(5, "a", &half.repeat(8)));
        backlog.push(appended(6, "a", ""));
        backlog.handle_durable(Position::new(6));
        let portions: Vec<Vec<u64>> = (0..5).map(|_| portion(&mut backlog)).collect();
        assert_eq!(portions, [vec![1, 2], vec![3, 4], vec![5], vec![6], vec![]]);
    }

    #[test]
    fn topics_of_one_letter_fill_it_too() {
        let topics = vec!["x"; 1_000].join("\n");
        let mut backlog = Backlog::new(Position::START);
        let mut position = 0;
        while !backlog.is_full() {
            position += 1;
            backlog.push(appended(position, &topics, ""));
        }
        assert!(position < 1_000, "{position} updates of 1,000 topics each");
    }

    #[test]
    fn topics_fill_it_as_data_does() {
        let long = "x".repeat(4 * 1024);
        let topics = vec![long.as_str(); 256].join("\n");
        let fill = |topics: &str, data: &str| {
            let mut backlog = Backlog::new(Position::START);
            let mut position = 0;
            while !backlog.is_full() {
                position += 1;
                assert!(position <= 16, "16 updates of 1 MiB are 16 MiB");
                backlog.push(appended(position, topics, data));
            }
            backlog.handle_durable(Position::new(position));
            // They leave in portions, too: each of these updates fills one.
            assert_eq!(portion(&mut backlog), [1]);
            assert!(!backlog.is_full());
            while backlog.has_portion() {
                assert_eq!(portion(&mut backlog).len(), 1);
            }
            assert_eq!(backlog.size, 0);
        };
        fill(&topics, "");
        fill("a", &topics);
    }
}
