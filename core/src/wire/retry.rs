//! When a reader should come back: what `retry:` tells it, and how long it is kept until then.
//!
//! At random, so that readers whose streams end together do not come back together.

use std::time::Duration;

/// How long the reader of a stream should wait: between these.
const STREAMS: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(8));

/// The same for a reader that polls.
const POLLS: (Duration, Duration) = (Duration::from_secs(4), Duration::from_secs(6));

/// How long an answer that asks a reader to come back is held: some readers come at once,
/// whatever `retry:` tells them.
const HOLDS: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(5));

/// The least that an update's `retry` makes the readers of streams wait.
const LEAST: Duration = Duration::from_secs(1);

/// How long a reader should wait, if it `polls` or not.
pub(crate) fn wait(polls: bool, random: [u8; 4]) -> Duration {
    let (low, high) = if polls { POLLS } else { STREAMS };
    between(low, high, u32::from_be_bytes(random).into())
}

/// The least that an update's `retry` makes readers wait. They obey a zero, too, and would come
/// back without a pause, for ever; to a hub that they poll, no sooner than it says itself.
pub(crate) fn least(polls: bool) -> Duration {
    if polls { POLLS.0 } else { LEAST }
}

/// How long an answer that asks its reader to come back is held.
pub(crate) fn hold(random: [u8; 4]) -> Duration {
    let (low, high) = HOLDS;
    between(low, high, u32::from_be_bytes(random).into())
}

/// A duration between two, at random.
pub(crate) fn between(low: Duration, high: Duration, random: u64) -> Duration {
    let span = u64::try_from((high - low).as_millis()).unwrap_or(u64::MAX - 1);
    low + Duration::from_millis(random % (span + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_bounds_can_be_drawn_and_nothing_beyond() {
        let (low, high) = HOLDS;
        let drawn: Vec<Duration> = (0..=3_001).map(|random| between(low, high, random)).collect();
        assert_eq!((drawn[0], drawn[3_000], drawn[3_001]), (low, high, low));
        assert_eq!(between(low, low, u64::MAX), low);
    }

    #[test]
    fn no_update_brings_readers_back_sooner_than_the_hub_does() {
        assert_eq!([least(true), least(false)], [4, 1].map(Duration::from_secs));
        for polls in [true, false] {
            assert!(wait(polls, [0; 4]) >= least(polls));
        }
    }
}
