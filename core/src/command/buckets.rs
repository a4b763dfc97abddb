//! How fast each account publishes: a token bucket for each (by the generic cell rate algorithm,
//! ITU-T I.371), which needs to know of a bucket no more than when it will be full.
//!
//! A bucket holds as many publications as an account may make in a second, and fills in that time.
//! So one that nothing was taken from for a second is like one that was never used, and is
//! forgotten.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::command::quota::{Account, Quota};
use crate::time::Timestamp;

/// How long a bucket takes to fill, in nanoseconds.
const FILL: u64 = 1_000_000_000;

/// How many buckets are kept at most: those of accounts that published within a second or two. Past
/// it, an account that has none has to wait. It takes as many valid tokens, or rather the key, to
/// get there.
const MOST: usize = 64 * 1024;

/// What each account may still publish, and when.
///
/// [`Publish::exceeds`](crate::Publish::exceeds) takes from it.
#[derive(Debug, Default)]
pub struct Buckets {
    /// When each bucket will be full, in nanoseconds since the Unix epoch.
    full: BTreeMap<Account, u64>,
    swept: Timestamp,
}

impl Buckets {
    /// Takes a publication from a bucket.
    ///
    /// # Errors
    ///
    /// The bucket is empty: when to come back.
    pub(crate) fn take(&mut self, quota: &Quota, now: Timestamp) -> Result<(), Duration> {
        self.sweep(now);
        if self.full.len() >= MOST && !self.full.contains_key(&quota.account) {
            return Err(Duration::from_nanos(FILL));
        }
        let now = nanos(now);
        // A clock that was set back must not empty a bucket for longer than it takes to fill.
        let full = self.full.get(&quota.account).map_or(now, |&full| full.clamp(now, now + FILL));
        let taken = full + FILL / u64::from(quota.most.max(1));
        match taken.checked_sub(now + FILL) {
            None | Some(0) => {
                self.full.insert(quota.account, taken);
                Ok(())
            }
            Some(wait) => Err(Duration::from_nanos(wait)),
        }
    }

    /// Forgets buckets that are full, once in the time that it takes to fill one.
    fn sweep(&mut self, now: Timestamp) {
        if !now.is_within(Duration::from_nanos(FILL), self.swept) {
            self.swept = now;
            let now = nanos(now);
            self.full.retain(|_, full| (now + 1..=now + FILL).contains(full));
        }
    }
}

fn nanos(now: Timestamp) -> u64 {
    // Until the year 2500 or so.
    now.as_millis().saturating_mul(1_000_000).min(u64::MAX - 3 * FILL)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: Timestamp = Timestamp::from_millis(1_767_225_600_000);

    fn quota(number: usize, most: u32) -> Quota {
        Quota { account: Account::of_token(&number.to_string()), most }
    }

    /// How many of these publications, which come at once, are let through.
    fn passed(buckets: &mut Buckets, quota: &Quota, now: Timestamp, publications: usize) -> usize {
        (0..publications).filter(|_| buckets.take(quota, now).is_ok()).count()
    }

    #[test]
    fn a_second_has_room_for_as_many_as_are_allowed() {
        for most in [1, 3, 7, 1_000, 3_000_000] {
            let (mut buckets, quota) = (Buckets::default(), quota(1, most));
            let many = most.min(10_000) as usize;
            assert_eq!(passed(&mut buckets, &quota, BEGIN, many), many);
            if most <= 10_000 {
                let wait = buckets.take(&quota, BEGIN).unwrap_err();
                assert!(wait <= Duration::from_secs(1) / most, "{most}: {wait:?}");
            }
        }
    }

    #[test]
    fn whoever_waits_as_told_is_let_through_and_nobody_sooner() {
        let (mut buckets, quota) = (Buckets::default(), quota(1, 4));
        assert_eq!(passed(&mut buckets, &quota, BEGIN, 10), 4);
        assert_eq!(buckets.take(&quota, BEGIN), Err(Duration::from_millis(250)));
        let later = |millis| BEGIN.plus(Duration::from_millis(millis));
        assert_eq!(buckets.take(&quota, later(249)), Err(Duration::from_millis(1)));
        assert_eq!(passed(&mut buckets, &quota, later(250), 10), 1);
        // In the long run, four a second.
        let seconds = 60;
        let through: usize = (0..seconds * 100)
            .map(|turn| passed(&mut buckets, &quota, later(250 + turn * 10), 1))
            .sum();
        assert_eq!(through as u64, seconds * 4 - 1);
    }

    #[test]
    fn accounts_do_not_wait_for_one_another() {
        let mut buckets = Buckets::default();
        assert_eq!(passed(&mut buckets, &quota(1, 2), BEGIN, 9), 2);
        assert_eq!(passed(&mut buckets, &quota(2, 2), BEGIN, 9), 2);
    }

    #[test]
    fn full_buckets_are_forgotten_and_there_are_never_too_many() {
        let mut buckets = Buckets::default();
        for number in 0..MOST {
            assert_eq!(buckets.take(&quota(number, 1), BEGIN), Ok(()));
        }
        assert_eq!(buckets.take(&quota(MOST, 1), BEGIN), Err(Duration::from_secs(1)));
        assert_eq!(buckets.full.len(), MOST);
        assert_eq!(buckets.take(&quota(MOST, 1), BEGIN.plus(Duration::from_secs(1))), Ok(()));
        assert_eq!(buckets.full.len(), 1);
    }

    #[test]
    fn a_clock_that_is_set_back_holds_nobody_up() {
        let (mut buckets, quota) = (Buckets::default(), quota(1, 1));
        assert_eq!(buckets.take(&quota, BEGIN), Ok(()));
        let before = BEGIN.minus(Duration::from_secs(3_600));
        assert_eq!(buckets.take(&quota, before), Ok(()));
        assert_eq!(buckets.take(&quota, before), Err(Duration::from_secs(1)));
        assert_eq!(buckets.take(&quota, before.plus(Duration::from_secs(1))), Ok(()));
    }
}
