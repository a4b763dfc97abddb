//! Log lines that anybody can cause, and that somebody pays for.
//!
//! A bad token is worth a line: its text is how an owner learns why a client is turned away. Ten
//! thousand bad tokens are worth no more than a count, and a platform bills each line. So of lines
//! of one kind, a few are written a minute, enough for somebody who mends a token step by step, and
//! the next says how many were left out. Lines are of one kind if they differ in nothing but what is in double quotes: that is what a token says of itself,
//! and whoever made ten thousand tokens chose it.
//!
//! ```
//! use std::time::Duration;
//! use cinnabar_core::{Sampler, Timestamp};
//!
//! let (mut sampler, begin) = (Sampler::default(), Timestamp::from_millis(1_767_225_600_000));
//! let mut sample = |seconds| {
//!     sampler.sample("no such key".to_owned(), begin.plus(Duration::from_secs(seconds)))
//! };
//! for second in 0..5 {
//!     assert_eq!(sample(second).as_deref(), Some("no such key"));
//! }
//! assert_eq!(sample(5), None);
//! assert_eq!(sample(6), None);
//! assert_eq!(
//!     sample(60).as_deref(),
//!     Some("no such key (left out 2 lines like this one in the last 60 s)")
//! );
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use crate::time::Timestamp;

/// In each such time, a few lines of a kind may be written,
const INTERVAL: Duration = Duration::from_secs(60);

/// this many.
const FEW: u64 = 5;

/// How many kinds are told apart. There are fewer reasons to refuse a token; should there ever be
/// more, all further ones count as one kind, so that memory stays bounded.
const MOST_KINDS: usize = 64;

/// Lets through a few log lines of a kind a minute, and counts the others.
#[derive(Debug, Default)]
pub struct Sampler {
    kinds: BTreeMap<String, Kind>,
}

/// Lines with the same text, outside double quotes.
#[derive(Debug)]
struct Kind {
    /// When the first of these was written.
    since: Timestamp,
    /// How many came since.
    came: u64,
}

impl Sampler {
    /// The line to write, if any: with the count of those of its kind that were left out before.
    #[must_use]
    pub fn sample(&mut self, line: String, now: Timestamp) -> Option<String> {
        let kind: String = line.split('"').step_by(2).collect();
        let is_told_apart = self.kinds.len() < MOST_KINDS || self.kinds.contains_key(&kind);
        let name = if is_told_apart { kind } else { String::new() };
        let Some(kind) = self.kinds.get_mut(&name) else {
            self.kinds.insert(name, Kind { since: now, came: 1 });
            return Some(line);
        };
        if now.is_within(INTERVAL, kind.since) {
            kind.came = kind.came.saturating_add(1);
            return (kind.came <= FEW).then_some(line);
        }
        let (left_out, passed) = (kind.came.saturating_sub(FEW), now.since(kind.since).as_secs());
        *kind = Kind { since: now, came: 1 };
        Some(match left_out {
            0 => line,
            1 => format!("{line} (left out 1 line like this one in the last {passed} s)"),
            _ => format!("{line} (left out {left_out} lines like this one in the last {passed} s)"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: Timestamp = Timestamp::from_millis(1_767_225_600_000);

    /// A sampler, and its clock.
    #[derive(Default)]
    struct Simulation {
        sampler: Sampler,
        passed: Duration,
    }

    impl Simulation {
        fn log(&mut self, line: &str) -> Option<String> {
            self.sampler.sample(line.to_owned(), BEGIN.plus(self.passed))
        }

        fn pass(&mut self, seconds: u64) {
            self.passed += Duration::from_secs(seconds);
        }
    }

    #[test]
    fn a_flood_is_a_few_lines_a_minute_and_a_count_of_the_rest() {
        let mut hub = Simulation::default();
        let mut written = Vec::new();
        for _ in 0..180 {
            written.extend(hub.log("bad"));
            hub.pass(1);
        }
        let counted = "bad (left out 55 lines like this one in the last 60 s)";
        let mut expected = vec!["bad"; 15];
        (expected[5], expected[10]) = (counted, counted);
        assert_eq!(written, expected);
    }

    #[test]
    fn what_was_left_out_is_told_however_late() {
        let mut hub = Simulation::default();
        assert_eq!((0..6).filter_map(|_| hub.log("bad")).count(), 5);
        hub.pass(3_600);
        let told = "bad (left out 1 line like this one in the last 3600 s)";
        assert_eq!(hub.log("bad").as_deref(), Some(told));
        // And only once.
        hub.pass(60);
        assert_eq!(hub.log("bad").as_deref(), Some("bad"));
    }

    #[test]
    fn kinds_do_not_hide_one_another() {
        let mut hub = Simulation::default();
        assert_eq!((0..9).filter_map(|_| hub.log("expired")).count(), 5);
        assert_eq!(hub.log("forged").as_deref(), Some("forged"));
        assert_eq!(hub.log("expired"), None);
    }

    #[test]
    fn what_a_token_says_makes_no_kind_of_line() {
        let mut hub = Simulation::default();
        let line = |value: usize| format!("its `alg` is \"{value}\", and the key is for HS256");
        let written = (0..1_000).filter_map(|value| hub.log(&line(value))).count();
        assert_eq!((written, hub.sampler.kinds.len()), (5, 1));
        assert!(hub.log("its `iss` is \"x\", and the key is for HS256").is_some());
        hub.pass(60);
        let told = format!("{} (left out 995 lines like this one in the last 60 s)", line(7));
        assert_eq!(hub.log(&line(7)), Some(told));
    }

    #[test]
    fn more_kinds_than_there_can_be_share_one() {
        let mut hub = Simulation::default();
        let lines: Vec<String> = (0..1_000).map(|number| number.to_string()).collect();
        let written = lines.iter().filter_map(|line| hub.log(line)).count();
        assert_eq!(written, MOST_KINDS + 5);
        assert_eq!(hub.sampler.kinds.len(), MOST_KINDS + 1);
    }

    #[test]
    fn a_clock_that_is_set_back_silences_nothing() {
        let mut sampler = Sampler::default();
        let mut sample = |now| sampler.sample("bad".to_owned(), now).is_some();
        assert_eq!((0..6).filter(|_| sample(BEGIN)).count(), 5);
        assert!(sample(BEGIN.minus(INTERVAL)));
    }
}
