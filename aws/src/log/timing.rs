//! The bounds that the log's rules are made of.
//!
//! The clocks of two machines are compared in four places only: whether an update has expired,
//! whether a cursor is too old to follow, whether a reader is too far behind what the table
//! deletes, and whether a publisher can still be under way. Each allows for the skew. Everything
//! else is measured by one process's own clock.

use std::time::Duration;

use cinnabar_core::Timestamp;

use crate::deployment::PLATFORM;

/// The bounds; [`Timing::new`] gives the real ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Timing {
    /// For how long after a publication began its update may be written and acknowledged.
    pub lease: Duration,
    /// How far apart the clocks of two machines may be.
    pub skew: Duration,
    /// How long an update is kept, from the moment its publication began.
    pub retention: Duration,
    /// For how long after it expired a cell is safe from deletion. A reader that falls further
    /// behind than that stops.
    pub grace: Duration,
    /// How long a number must be missing, at least, before it is sealed.
    pub patience: Duration,
    /// How long after its write a cell may be missing from the index.
    pub index_lag: Duration,
    /// How stale an eventually consistent read may be: cells older than this are shown.
    pub reading_lag: Duration,
}

impl Timing {
    /// The bounds of a log that keeps updates for this long, or for as long as [`PLATFORM`] requires.
    #[must_use]
    pub fn new(retention: Duration) -> Self {
        Self {
            lease: Duration::from_secs(10),
            skew: Duration::from_secs(5),
            retention: retention.max(PLATFORM.shortest_history_age),
            grace: Duration::from_secs(3_600),
            patience: Duration::from_secs(1),
            index_lag: Duration::from_secs(60),
            reading_lag: Duration::from_secs(30),
        }
    }

    /// When no publication that had a number by `moment`, on some machine's clock, can be
    /// acknowledged any more.
    #[must_use]
    pub fn settled(&self, moment: Timestamp) -> Timestamp {
        moment.plus(self.lease + self.skew)
    }

    /// Whether everything after an update that expires at `expires` is still kept. A later one may
    /// expire earlier, by up to a lease and the skew: its publication may have begun before.
    #[must_use]
    pub fn may_follow(&self, expires: Timestamp, now: Timestamp) -> bool {
        expires > self.settled(now)
    }

    /// The same for a place after which nothing was published before `since`, as far as the polls
    /// that dated it could show.
    #[must_use]
    pub fn keeps_since(&self, since: Timestamp, now: Timestamp) -> bool {
        self.may_follow(since.minus(self.reading_lag).plus(self.retention), now)
    }

    /// When the publication of an update that expires at `expires` began: whatever follows the
    /// update got its number after that.
    #[must_use]
    pub fn began(&self, expires: Timestamp) -> Timestamp {
        expires.minus(self.retention)
    }

    /// Whether a reader that owes everything that had not expired at `behind_since` can still rely
    /// on what it finds. If so, the table has deleted none of that. Nor can a late write have
    /// landed on a deleted tombstone with an update that looks owed: the tombstone outlived the
    /// update by the grace, less the skew between the publisher and the reader that sealed it, and
    /// was deleted by a third clock.
    #[must_use]
    pub fn remembers(&self, behind_since: Timestamp, now: Timestamp) -> bool {
        behind_since.plus(self.grace) >= now.plus(self.skew * 2)
    }

    /// When the table may forget a cell that ends at `end`.
    #[must_use]
    pub fn forgotten(&self, end: Timestamp) -> Timestamp {
        end.plus(self.grace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_retention_is_raised() {
        assert_eq!(Timing::new(Duration::ZERO).retention, Duration::from_secs(600));
        assert_eq!(Timing::new(Duration::from_secs(86_400)).retention.as_secs(), 86_400);
    }

    #[test]
    fn an_update_may_be_followed_until_a_lease_and_the_skew_before_it_expires() {
        let timing = Timing::new(Duration::from_secs(600));
        let began = Timestamp::from_millis(1_000_000);
        let expires = began.plus(timing.retention);
        let last = Timestamp::from_millis(1_000_000 + 585_000 - 1);
        for (now, follows) in [(began, true), (last, true), (last.plus(timing.skew), false)] {
            assert_eq!(timing.may_follow(expires, now), follows);
            assert_eq!(timing.keeps_since(began.plus(timing.reading_lag), now), follows);
        }
        assert_eq!(timing.began(expires), began);
    }

    #[test]
    fn a_reader_may_be_behind_for_the_grace_less_the_skew_twice() {
        let timing = Timing::new(Duration::ZERO);
        let behind_since = Timestamp::from_millis(1_000_000);
        let last = behind_since.plus(Duration::from_secs(3_600 - 10));
        assert!(timing.remembers(behind_since, last));
        assert!(!timing.remembers(behind_since, last.plus(Duration::from_millis(1))));
    }
}
