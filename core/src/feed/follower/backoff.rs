//! When a follower tries to connect again.

use std::time::Duration;

use crate::feed::limits::BACKOFF;
use crate::time::Timestamp;

/// How long to wait, twice as long each time, and less by up to a half at random: the followers of a
/// leader that was lost must not come back together.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
    seed: u64,
}

impl Backoff {
    pub(crate) fn new(seed: u64) -> Self {
        Self { next: BACKOFF.0, seed }
    }

    /// When to try again after a link that said hello at `since`, if it did, has ended. One that lasted
    /// was no failure.
    pub(crate) fn again(&mut self, since: Option<Timestamp>, now: Timestamp) -> Timestamp {
        if since.is_some_and(|since| now.since(since) >= BACKOFF.1) {
            self.next = BACKOFF.0;
        }
        let longest = self.next;
        self.next = (longest * 2).min(BACKOFF.1);
        let half = u64::try_from(longest.as_millis() / 2).unwrap_or(u64::MAX).max(1);
        now.plus(longest - Duration::from_millis(self.random() % half))
    }

    /// Sebastiano Vigna's SplitMix64: spread, and that is enough.
    fn random(&mut self) -> u64 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.seed;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

    #[test]
    fn it_waits_ever_longer_until_a_link_has_lasted() {
        let mut backoff = Backoff::new(1);
        for longest in [20, 40, 80, 160, 320, 640, 1_000, 1_000] {
            let wait = backoff.again(None, NOW).since(NOW).as_millis();
            assert!((longest / 2..=longest).contains(&wait), "{wait} of {longest}");
        }
        let lately = NOW.minus(Duration::from_millis(999));
        assert!(backoff.again(Some(lately), NOW) >= NOW.plus(Duration::from_millis(500)));
        let lasted = NOW.minus(Duration::from_secs(1));
        assert!(backoff.again(Some(lasted), NOW) <= NOW.plus(Duration::from_millis(20)));
    }

    #[test]
    fn those_with_other_seeds_wait_otherwise() {
        let waits = |seed| {
            let mut backoff = Backoff::new(seed);
            [(); 8].map(|()| backoff.again(None, NOW))
        };
        assert_eq!(waits(1), waits(1));
        assert_ne!(waits(1), waits(2));
    }
}
