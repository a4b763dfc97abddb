//! How often to ask a log that does not call: often while updates flow, ever more rarely while none
//! come.
//!
//! A look costs money and finds an update late by half the time between two looks, on average. So
//! the pace decides both what a quiet hub costs and how late its first update is.

use std::time::Duration;

/// The longest wait after looks that failed: the log asks for less haste.
const LONGEST: Duration = Duration::from_secs(8);

/// The time between two looks at a log.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    fast: Duration,
    slow: Duration,
    wait: Duration,
}

/// What a look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// There is more to read at once.
    More,
    /// Updates, or a number whose update is still to come.
    Something,
    /// Nothing new.
    Nothing,
}

impl Pace {
    /// A pace between two bounds, fast at first.
    #[must_use]
    pub fn new(fast: Duration, slow: Duration) -> Self {
        Self { fast, slow: slow.max(fast), wait: fast }
    }

    /// How long to wait before the first look, which comes soon after the end was looked up.
    pub(crate) fn first(&self) -> Duration {
        self.fast
    }

    /// How long to wait after a look.
    pub(crate) fn after(&mut self, found: Found) -> Duration {
        self.wait = match found {
            Found::More => return Duration::ZERO,
            Found::Something => self.fast,
            Found::Nothing => (self.wait * 5 / 4).clamp(self.fast, self.slow),
        };
        self.wait
    }

    /// How long to wait after a look that failed: twice as long each time. `random` spreads out
    /// those that failed together.
    pub(crate) fn after_failure(&mut self, random: u8) -> Duration {
        self.wait = (self.wait.max(self.slow) * 2).min(LONGEST);
        self.wait / 2 + self.wait / 2 * u32::from(random) / 255
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAST: Duration = Duration::from_millis(100);
    const SLOW: Duration = Duration::from_secs(1);

    #[test]
    fn it_slows_down_bit_by_bit_and_speeds_up_at_once() {
        let mut pace = Pace::new(FAST, SLOW);
        let waits: Vec<Duration> = (0..12).map(|_| pace.after(Found::Nothing)).collect();
        assert_eq!(waits[0], Duration::from_millis(125));
        assert!(waits.is_sorted() && waits[4] < SLOW);
        assert_eq!(waits[11], SLOW);
        assert_eq!(pace.after(Found::Something), FAST);
        assert_eq!(pace.after(Found::More), Duration::ZERO);
    }

    #[test]
    fn failures_slow_it_down_to_a_bound() {
        let mut pace = Pace::new(FAST, SLOW);
        assert_eq!(pace.after_failure(255), 2 * SLOW);
        assert_eq!(pace.after_failure(0), 2 * SLOW);
        assert_eq!(pace.after_failure(255), LONGEST);
        assert_eq!(pace.after_failure(255), LONGEST);
        assert_eq!(pace.after(Found::Nothing), SLOW);
    }
}
