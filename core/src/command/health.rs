//! The hub's health: whether its log can be written and read.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;
use crate::wire::answer::{Answer, plain};
use crate::wire::cors::Cors;
use crate::wire::unavailable;

/// How long what a check found is taken to be so.
const INTERVAL: Duration = Duration::from_secs(10);

/// A question after the hub's health.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckHealth {
    pub(crate) cors: Cors,
}

impl CheckHealth {
    /// The answer when a row could be written and read.
    #[must_use]
    pub fn healthy(&self) -> Answer {
        plain("ok\n", &self.cors)
    }

    /// The answer when it could not.
    #[must_use]
    pub fn unavailable(&self) -> Answer {
        unavailable::unavailable(&self.cors)
    }
}

/// What the last check of a log found. Anybody may ask for the hub's health, and each check costs
/// a write; so what it found is the answer to all who ask in the next seconds.
///
/// ```
/// use cinnabar_core::{Health, Timestamp};
///
/// let (mut health, now) = (Health::default(), Timestamp::from_millis(1_767_225_600_000));
/// let is_healthy = health.known(now).unwrap_or_else(|| {
///     let wrote_and_read = true;
///     health.found(wrote_and_read, now);
///     wrote_and_read
/// });
/// assert!(is_healthy);
/// assert_eq!(health.known(now), Some(true));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Health {
    found: Option<(Timestamp, bool)>,
}

impl Health {
    /// Whether the log is healthy, if it was checked a moment ago; else check it.
    #[must_use]
    pub fn known(&self, now: Timestamp) -> Option<bool> {
        let found = self.found.filter(|(at, _)| now.is_within(INTERVAL, *at));
        found.map(|(_, is_healthy)| is_healthy)
    }

    /// A check has ended.
    pub fn found(&mut self, is_healthy: bool, now: Timestamp) {
        self.found = Some((now, is_healthy));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

    #[test]
    fn what_a_check_found_is_known_for_a_while() {
        let mut health = Health::default();
        assert_eq!(health.known(NOW), None);
        for is_healthy in [true, false] {
            health.found(is_healthy, NOW);
            assert_eq!(health.known(NOW), Some(is_healthy));
            assert_eq!(health.known(NOW.plus(Duration::from_millis(9_999))), Some(is_healthy));
            assert_eq!(health.known(NOW.plus(Duration::from_secs(10))), None);
            assert_eq!(health.known(NOW.minus(Duration::from_millis(1))), None);
        }
    }
}
