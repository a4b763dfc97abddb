//! Loads as people ask for them: one by options, or several in a file.
//!
//! ```toml
//! [[load]]
//! streams = 500
//! rate = 20
//! ```
//!
//! Both have the same names, and what is not asked for is as in [`Load::default`].

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use cinnabar_load::{Case, LEAST_SIZE, Load, MOST_PUBLISHERS};
use clap::Args;
use serde::Deserialize;

/// What is asked of a load.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[group(id = "asked")]
#[serde(default, deny_unknown_fields)]
pub(super) struct Asked {
    /// How many streams are open [default: 100]
    #[arg(long)]
    streams: Option<usize>,

    /// How many publishers there are; each waits for its answer before it publishes again [default:
    /// 1]
    #[arg(long)]
    publishers: Option<u16>,

    /// How many updates are published a second [default: as many as are acknowledged]
    #[arg(long, value_name = "UPDATES")]
    rate: Option<f64>,

    /// How many bytes of data an update has [default: 64]
    #[arg(long, value_name = "BYTES")]
    size: Option<usize>,

    /// How many topics there are: the streams are spread over them, and the updates as well
    /// [default: 1]
    #[arg(long)]
    topics: Option<u16>,

    /// Publish private updates
    #[arg(long)]
    private: bool,

    /// How many more subscribers arrive a second meanwhile, of whom each leaves after a second [default:
    /// none]
    #[arg(long, value_name = "SUBSCRIBERS")]
    arrivals: Option<f64>,

    /// How long is published; whatever is still on its way then is waited for [default: 10]
    #[arg(long)]
    seconds: Option<u64>,

    /// How long is published before, without being measured [default: 2]
    #[arg(long, value_name = "SECONDS")]
    warm_up: Option<u64>,
}

/// A file of loads, which are put on a hub one after another.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    #[serde(default)]
    load: Vec<Asked>,
}

impl Asked {
    /// The load.
    ///
    /// # Errors
    ///
    /// It asks for what cannot be.
    pub(super) fn load(&self) -> Result<Load> {
        let default = Load::default();
        let load = Load {
            streams: self.streams.unwrap_or(default.streams),
            publishers: self.publishers.unwrap_or(default.publishers),
            rate: self.rate,
            size: self.size.unwrap_or(default.size),
            topics: self.topics.map_or(default.topics, usize::from),
            private: self.private,
            arrivals: self.arrivals,
            duration: self.seconds.map_or(default.duration, Duration::from_secs),
            warm_up: self.warm_up.map_or(default.warm_up, Duration::from_secs),
            ..default
        };
        let is_rate = |rate: Option<f64>| rate.is_none_or(|rate| rate.is_finite() && rate > 0.0);
        ensure!(
            (1..=MOST_PUBLISHERS).contains(&load.publishers),
            "publishers: give 1 to {MOST_PUBLISHERS}"
        );
        ensure!(is_rate(load.rate), "rate: give a number above 0");
        ensure!(is_rate(load.arrivals), "arrivals: give a number above 0");
        ensure!(
            load.size >= LEAST_SIZE,
            "size: give {LEAST_SIZE} or more, since an update says when it was sent"
        );
        ensure!(load.topics > 0, "topics: give 1 or more");
        Ok(load)
    }

    /// The load with this number, and in all else what is asked.
    ///
    /// # Errors
    ///
    /// As [`Asked::load`].
    pub(super) fn of_case(&self, case: Case) -> Result<Load> {
        let Case { streams, publishers, rate } = case;
        let (streams, publishers) = (Some(streams), Some(publishers));
        Self { streams, publishers, rate, ..self.clone() }.load()
    }
}

/// The loads in a file.
///
/// # Errors
///
/// It cannot be read, or says where it is wrong.
pub(super) fn read(file: &Path) -> Result<Vec<Load>> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    loads(&text).with_context(|| file.display().to_string())
}

fn loads(text: &str) -> Result<Vec<Load>> {
    let Scenario { load } = toml::from_str(text)?;
    ensure!(!load.is_empty(), "it has no load: write [[load]], and below it `streams = 100`");
    let number = |index: usize| move || format!("load {}", index + 1);
    let each = load.iter().enumerate();
    each.map(|(index, asked)| asked.load().with_context(number(index))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told of a file.
    fn told(text: &str) -> String {
        format!("{:#}", loads(text).unwrap_err())
    }

    #[test]
    fn a_file_has_loads_and_what_it_does_not_say_is_the_default() {
        let text =
            "[[load]]\nstreams = 3\nrate = 2\nprivate = true\n[[load]]\nwarm_up = 0\nsize = 100";
        let first = Load { streams: 3, rate: Some(2.0), private: true, ..Load::default() };
        let second = Load { warm_up: Duration::ZERO, size: 100, ..Load::default() };
        assert_eq!(loads(text).unwrap(), [first, second]);
    }

    #[test]
    fn the_example_asks_for_what_can_be() {
        let example = include_str!("../../../../load/scenario.toml");
        assert!(loads(example).unwrap().len() > 1);
    }

    #[test]
    fn a_mistake_is_told_with_its_place() {
        for (text, place, reason) in [
            ("[[load]]\nstrems = 3", "line 2", "unknown field `strems`, expected one of `streams`"),
            ("[load]\nstreams = 3", "line 1", "expected a sequence"),
            ("[[load]]\nrate = \"20\"", "line 2", "expected f64"),
            ("[[load]]\nstreams = -1", "line 2", "integer `-1`"),
            ("[[load]]\n[[load]]\nrate = 0", "load 2", "rate: give a number above 0"),
            ("[[load]]\narrivals = nan", "load 1", "arrivals: give a number above 0"),
            ("[[load]]\nsize = 3", "load 1", "size: give 36 or more"),
            ("[[load]]\npublishers = 0", "load 1", "publishers: give 1 to 9999"),
            ("[[load]]\ntopics = 0", "load 1", "topics: give 1 or more"),
            ("# nothing", "", "it has no load: write [[load]]"),
        ] {
            let told = told(text);
            assert!(told.contains(place) && told.contains(reason), "{text}: {told}");
        }
    }
}
