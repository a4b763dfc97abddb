//! A tail for logs that have to be asked.
//!
//! It stands here rather than beside one such log because none of it is that log's own: another
//! table, or a database that several processes write to, needs the same pace, and the same patience
//! after failures.

use std::time::Duration;

use tokio::time::sleep;

use crate::machine;
use crate::pace::{Found, Pace};
use crate::source::{Read, SourceError, Tail};

/// Follows a log that has to be asked.
pub trait PolledTail: Send + 'static {
    /// Why the log did not answer.
    type Error: SourceError;

    /// Asks once for what is new. Where that fails nothing is lost: it is asked again.
    fn poll(&mut self) -> impl Future<Output = Result<Polled, Self::Error>> + Send;
}

/// What one look at a log brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Polled {
    /// What was read. Where something lies ahead of the place it reached, that may have been
    /// published long before this look: then the place keeps the time of an earlier one.
    pub read: Read,
    /// What lies ahead of the place it reached.
    pub ahead: Ahead,
}

/// What lies ahead of the place that a look reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ahead {
    /// Nothing: the log ended there.
    Nothing,
    /// A number whose update is still to come, and whatever has followed it.
    Hole,
    /// Updates that can be read at once.
    More,
}

/// Asks a log at a [`Pace`].
#[derive(Debug)]
pub struct Paced<T> {
    tail: T,
    pace: Pace,
    /// How long to wait before the next look.
    wait: Duration,
}

impl<T: PolledTail> Paced<T> {
    /// Asks through `tail`.
    #[must_use]
    pub fn new(tail: T, pace: Pace) -> Self {
        Self { tail, wait: pace.first(), pace }
    }
}

impl<T: PolledTail> Tail for Paced<T> {
    type Error = T::Error;

    async fn next(&mut self) -> Result<Read, T::Error> {
        sleep(self.wait).await;
        match self.tail.poll().await {
            Ok(Polled { read, ahead }) => {
                self.wait = self.pace.after(match ahead {
                    Ahead::More => Found::More,
                    Ahead::Hole => Found::Something,
                    Ahead::Nothing if read.updates.is_empty() => Found::Nothing,
                    Ahead::Nothing => Found::Something,
                });
                Ok(read)
            }
            Err(error) => {
                // Without randomness the wait is the shortest.
                let [random] = machine::entropy().unwrap_or_default();
                self.wait = self.pace.after_failure(random);
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use cinnabar_core::{Place, Position};
    use tokio::time::Instant;

    use super::*;
    use crate::source::Fault;

    const FAST: Duration = Duration::from_millis(100);
    const SLOW: Duration = Duration::from_secs(1);

    #[derive(Debug, thiserror::Error)]
    #[error("as told")]
    struct Failure;

    impl SourceError for Failure {
        fn fault(&self) -> Fault {
            Fault::Passing
        }
    }

    /// What it answers, in turn: what lies ahead, or nothing.
    struct Script(VecDeque<Option<Ahead>>);

    impl PolledTail for Script {
        type Error = Failure;

        async fn poll(&mut self) -> Result<Polled, Failure> {
            let ahead = self.0.pop_front().flatten().ok_or(Failure)?;
            let reached = Place::undated(Position::START);
            Ok(Polled { read: Read { updates: Vec::new(), reached }, ahead })
        }
    }

    /// How long each look was waited for.
    async fn waits(answers: impl IntoIterator<Item = Option<Ahead>>) -> Vec<Duration> {
        let script = Script(answers.into_iter().collect());
        let mut waits = Vec::new();
        let looks = script.0.len() + 1;
        let mut tail = Paced::new(script, Pace::new(FAST, SLOW));
        for _ in 0..looks {
            let begin = Instant::now();
            let _ = tail.next().await;
            // The timer's own grain.
            waits.push(begin.elapsed().saturating_sub(Duration::from_millis(1)));
        }
        waits
    }

    #[tokio::test(start_paused = true)]
    async fn failures_in_a_row_wait_longer_and_longer_and_success_ends_that() {
        let waits = waits([None, None, None, None, Some(Ahead::Hole)]).await;
        assert!(waits[0] <= FAST);
        let bounds = [2, 4, 8, 8].map(|times| times * SLOW);
        for (wait, longest) in waits[1..5].iter().zip(bounds) {
            let shortest = longest / 2 - Duration::from_millis(1);
            assert!((shortest..=longest).contains(wait), "{waits:?}");
        }
        assert!(waits[5] <= FAST, "{waits:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_lies_ahead_says_how_soon_to_look_again() {
        let waits =
            waits([Ahead::Nothing, Ahead::Nothing, Ahead::Hole, Ahead::More].map(Some)).await;
        let slower = Duration::from_millis(125);
        assert!(waits[0] <= FAST && waits[1] > FAST && waits[2] > slower, "{waits:?}");
        assert!(waits[3] <= FAST && waits[4] == Duration::ZERO, "{waits:?}");
    }
}
