//! A tail for logs that have to be asked.
//!
//! It stands here rather than beside one such log because none of it is that log's own: another
//! table, or a database that several processes write to, needs the same pace, the same patience
//! after failures, and the same care with time.

use std::time::Duration;

use cinnabar_core::{Appended, Place, Position, Timestamp};
use tokio::time::sleep;

use crate::machine::{self, Now};
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
    /// As in [`Read`].
    pub updates: Vec<Appended>,
    /// As in [`Read`].
    pub reached: Position,
    /// What lies ahead of that place.
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
    now: Now,
    /// How long to wait before the next look.
    wait: Duration,
    /// When the log was last seen to end where the tail stands.
    as_of: Timestamp,
}

impl<T: PolledTail> Paced<T> {
    /// Asks through `tail`, which stands at this place.
    #[must_use]
    pub fn new(tail: T, from: Place, pace: Pace, now: Now) -> Self {
        Self { tail, wait: pace.first(), pace, now, as_of: from.since }
    }

    fn read(&mut self, polled: Polled, asked: Timestamp) -> Read {
        let Polled { updates, reached, ahead } = polled;
        // What lies ahead may have been published long before this look. The older time stays
        // true: whatever is ahead of this place was ahead of the one before it, too.
        if ahead == Ahead::Nothing {
            self.as_of = asked;
        }
        let found = match ahead {
            Ahead::More => Found::More,
            Ahead::Hole => Found::Something,
            Ahead::Nothing if updates.is_empty() => Found::Nothing,
            Ahead::Nothing => Found::Something,
        };
        self.wait = self.pace.after(found);
        Read { updates, reached, as_of: self.as_of }
    }
}

impl<T: PolledTail> Tail for Paced<T> {
    type Error = T::Error;

    async fn next(&mut self) -> Result<Read, T::Error> {
        sleep(self.wait).await;
        let asked = (self.now)();
        match self.tail.poll().await {
            Ok(polled) => Ok(self.read(polled, asked)),
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

    use tokio::time::Instant;

    use super::*;

    const FAST: Duration = Duration::from_millis(100);
    const SLOW: Duration = Duration::from_secs(1);

    #[derive(Debug, PartialEq, thiserror::Error)]
    #[error("as told")]
    struct Failure;

    impl SourceError for Failure {
        fn is_passing(&self) -> bool {
            true
        }
    }

    /// What it answers, in turn.
    struct Script(VecDeque<Result<Polled, Failure>>);

    impl PolledTail for Script {
        type Error = Failure;

        async fn poll(&mut self) -> Result<Polled, Failure> {
            self.0.pop_front().unwrap()
        }
    }

    fn found(reached: u64, ahead: Ahead) -> Result<Polled, Failure> {
        Ok(Polled { updates: Vec::new(), reached: Position::new(reached), ahead })
    }

    thread_local! {
        /// Each test has a thread and a simulated clock of its own.
        static BEGIN: Instant = Instant::now();
    }

    fn now() -> Timestamp {
        Timestamp::from_millis(1_000_000).plus(BEGIN.with(Instant::elapsed))
    }

    fn follow<const N: usize>(answers: [Result<Polled, Failure>; N]) -> Paced<Script> {
        let from = Place { position: Position::START, since: now() };
        Paced::new(Script(answers.into()), from, Pace::new(FAST, SLOW), now)
    }

    #[tokio::test(start_paused = true)]
    async fn failures_in_a_row_wait_longer_and_longer_and_success_ends_that() {
        let failures = [Err(Failure), Err(Failure), Err(Failure), Err(Failure)];
        let mut tail = follow::<4>(failures);
        tail.tail.0.extend([found(1, Ahead::Hole), found(2, Ahead::Nothing)]);
        let mut waits = Vec::new();
        for _ in 0..6 {
            let begin = Instant::now();
            let _ = tail.next().await;
            waits.push(begin.elapsed());
        }
        assert_eq!(waits[0], FAST);
        for (wait, longest) in waits[1..5].iter().zip([2, 4, 8, 8].map(|times| times * SLOW)) {
            assert!((longest / 2..=longest + FAST).contains(wait), "{waits:?}");
        }
        assert!(waits[5] <= FAST + Duration::from_millis(1), "{waits:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_is_as_fresh_as_the_last_look_that_found_the_end() {
        let begin = now();
        let mut tail = follow([
            Err(Failure),
            found(1, Ahead::More),
            found(2, Ahead::Hole),
            found(3, Ahead::Nothing),
            found(3, Ahead::Nothing),
        ]);
        assert_eq!(tail.next().await, Err(Failure));
        for _ in ["more", "a hole"] {
            assert_eq!(tail.next().await.unwrap().as_of, begin);
        }
        for _ in ["updates", "nothing new"] {
            assert_eq!(tail.next().await.unwrap().as_of, now());
        }
        assert!(now() > begin);
    }
}
