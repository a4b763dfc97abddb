//! How often streams look at the log: fast while updates flow, ever slower while none come.
//!
//! A look costs half a read unit and finds an update late by half the time between two looks, so
//! the pace is what a quiet hub costs and how late its first update is.

use std::time::Duration;

use cinnabar_core::Config;

/// The longest wait after looks that failed: DynamoDB asks for less haste.
const LONGEST: Duration = Duration::from_secs(8);

/// The time between two looks at the log.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    fast: Duration,
    slow: Duration,
    wait: Duration,
}

/// What a look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// There is more to read at once.
    More,
    /// Something, or a number whose update is still to come.
    Something,
    /// Nothing.
    Nothing,
    /// The log did not answer.
    Failure,
}

impl Pace {
    /// A pace, fast at first.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let (fast, slow) = (config.poll_fast(), config.poll_slow().max(config.poll_fast()));
        Self { fast, slow, wait: fast }
    }

    /// How long to wait before the first look.
    #[must_use]
    pub fn first(&self) -> Duration {
        self.fast
    }

    /// How long to wait before the next look. `random` keeps those that failed together apart.
    #[must_use]
    pub fn after(&mut self, found: Found, random: u8) -> Duration {
        self.wait = match found {
            Found::More => return Duration::ZERO,
            Found::Something => self.fast,
            Found::Nothing => (self.wait * 5 / 4).clamp(self.fast, self.slow),
            Found::Failure => {
                let wait = (self.wait.max(self.slow) * 2).min(LONGEST);
                self.wait = wait;
                return wait / 2 + wait / 2 * u32::from(random) / 255;
            }
        };
        self.wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAST: Duration = Duration::from_millis(100);
    const SLOW: Duration = Duration::from_secs(1);

    #[test]
    fn it_slows_down_by_and_by_and_speeds_up_at_once() {
        let mut pace = Pace { fast: FAST, slow: SLOW, wait: FAST };
        let waits: Vec<Duration> = (0..12).map(|_| pace.after(Found::Nothing, 0)).collect();
        assert_eq!(waits[0], Duration::from_millis(125));
        assert!(waits.is_sorted() && waits[4] < SLOW);
        assert_eq!(waits[11], SLOW);
        assert_eq!(pace.after(Found::Something, 0), FAST);
        assert_eq!(pace.after(Found::More, 0), Duration::ZERO);
    }

    #[test]
    fn failures_slow_it_down_to_a_bound() {
        let mut pace = Pace { fast: FAST, slow: SLOW, wait: FAST };
        assert_eq!(pace.after(Found::Failure, 255), 2 * SLOW);
        assert_eq!(pace.after(Found::Failure, 0), 2 * SLOW);
        for _ in 0..10 {
            assert!(pace.after(Found::Failure, 255) <= LONGEST);
        }
        assert_eq!(pace.after(Found::Failure, 255), LONGEST);
        assert_eq!(pace.after(Found::Nothing, 0), SLOW);
    }
}
