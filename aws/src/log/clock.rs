//! Time: one clock for everything that the log decides, which tests can move.
//!
//! A lease is measured by the wall clock and by a monotonic clock, and the longer of the two times
//! counts: while Lambda freezes an environment, some clocks stand still and others may be set.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use cinnabar_core::Timestamp;

/// A moment, by both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment {
    /// The wall clock: what other machines understand, within the skew.
    pub wall: Timestamp,
    /// The time since some moment of this process, never set back.
    pub monotonic: Duration,
}

impl Moment {
    /// How long ago `earlier` was, by whichever clock says it was longer.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        let monotonic = self.monotonic.saturating_sub(earlier.monotonic);
        self.wall.since(earlier.wall).max(monotonic)
    }
}

/// Tells the time, and lets it pass.
pub trait Clock: fmt::Debug + Send + Sync {
    /// Now.
    fn now(&self) -> Moment;
    /// Waits.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// The clocks of the machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    began: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { began: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = u64::try_from(wall.as_millis()).unwrap_or(u64::MAX);
        Moment { wall: Timestamp::from_millis(millis), monotonic: self.began.elapsed() }
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(duration))
    }
}
