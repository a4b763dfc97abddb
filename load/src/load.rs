//! What is asked of a hub, and the six cases by which hubs are compared.

use std::time::Duration;

use serde::{Serialize, Serializer};

/// A load.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Load {
    /// How many streams are open, spread evenly over the topics.
    pub streams: usize,
    /// How many publishers there are, each of which waits for its answer before it goes on.
    pub publishers: u16,
    /// How many updates they publish a second, all together; `None` if as fast as they can.
    pub rate: Option<f64>,
    /// How many bytes of data an update has.
    pub size: usize,
    /// How many topics there are. Every publisher publishes to each in turn.
    pub topics: usize,
    /// Whether the updates are private.
    pub private: bool,
    /// How many more subscribers arrive a second while there is publishing; each leaves after a
    /// second.
    pub arrivals: Option<f64>,
    /// How long is published; what is still on its way then is waited for.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub duration: Duration,
    /// How long is published before, which does not count.
    #[serde(rename = "warm_up_seconds", serialize_with = "seconds")]
    pub warm_up: Duration,
    /// How long nothing may arrive before the rest is given up for lost.
    #[serde(rename = "patience_seconds", serialize_with = "seconds")]
    pub patience: Duration,
}

fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

/// The least that an update's data takes, which is the stamp by which it is known again.
pub const LEAST_SIZE: usize = crate::stamp::LENGTH;

/// The most publishers, whose numbers have four digits.
pub const MOST_PUBLISHERS: u16 = 9_999;

impl Default for Load {
    fn default() -> Self {
        Self {
            streams: 100,
            publishers: 1,
            rate: None,
            size: 64,
            topics: 1,
            private: false,
            arrivals: None,
            duration: Duration::from_secs(10),
            warm_up: Duration::from_secs(2),
            patience: Duration::from_secs(15),
        }
    }
}

/// A load with a number, by which people speak of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Case {
    /// How many streams.
    pub streams: usize,
    /// How many publishers.
    pub publishers: u16,
    /// How many updates a second, if not as many as possible.
    pub rate: Option<f64>,
}

/// The cases, the first of which has number 1.
pub const CASES: [Case; 7] = [
    Case { streams: 100, publishers: 1, rate: None },
    Case { streams: 100, publishers: 8, rate: None },
    Case { streams: 1_000, publishers: 4, rate: None },
    Case { streams: 1_000, publishers: 1, rate: Some(10.0) },
    Case { streams: 1_000, publishers: 4, rate: Some(100.0) },
    Case { streams: 9_000, publishers: 1, rate: Some(1.0) },
    Case { streams: 0, publishers: 8, rate: None },
];
