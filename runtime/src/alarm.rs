//! One timer for a machine of the core.

use std::pin::Pin;
use std::time::Duration;

use cinnabar_core::Timestamp;
use tokio::time::{Instant, Sleep, sleep_until};

/// What a timer may be off.
const TICK: Duration = Duration::from_millis(1);

/// When a machine of the core wants to be woken. One timer for all turns, since a new one would cost more than
/// most turns do.
#[derive(Debug, Default)]
pub struct Alarm {
    is_set: bool,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Alarm {
    /// Sets it to a moment, or to none.
    pub fn set(&mut self, at: Option<Timestamp>, now: Timestamp) {
        self.is_set = at.is_some();
        let Some(at) = at else { return };
        let at = Instant::now() + at.since(now);
        match &mut self.timer {
            None => self.timer = Some(Box::pin(sleep_until(at))),
            // The clocks do not agree to the microsecond. One that has rung a little early would ring
            // without a pause until the moment has come.
            Some(timer) => {
                let set = timer.deadline();
                if timer.is_elapsed() || at.max(set) - at.min(set) > TICK {
                    timer.as_mut().reset(at);
                }
            }
        }
    }

    /// Waits until that moment; without one, forever.
    pub async fn ring(&mut self) {
        match &mut self.timer {
            Some(timer) if self.is_set => timer.await,
            _ => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{advance, timeout};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_alarm_that_rang_early_rests_until_the_moment_has_come() {
        let begin = Timestamp::from_millis(1_767_225_600_000);
        let moment = begin.plus(Duration::from_millis(100));
        let mut alarm = Alarm::default();
        alarm.set(Some(moment), begin);
        advance(Duration::from_millis(100)).await;
        alarm.ring().await;
        // The clock of the log lags a little behind the timer's.
        let now = begin.plus(Duration::from_millis(99));
        alarm.set(Some(moment), now);
        assert!(timeout(Duration::ZERO, alarm.ring()).await.is_err(), "it rings again at once");
        alarm.ring().await;
    }
}
