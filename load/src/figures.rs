//! What was measured.

use hdrhistogram::Histogram;
use serde::Serialize;

/// Latencies of deliveries, in microseconds.
pub(crate) struct Latencies(Histogram<u64>);

/// The longest that is told apart from longer ones: an hour.
const LONGEST: u64 = 3_600_000_000;

/// What a hub did under a load.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// How many publications were acknowledged.
    pub publications: u64,
    /// How many that is a second, until the last of them.
    pub publications_per_second: f64,
    /// How many were refused, or not answered.
    pub refused: u64,
    /// How many updates arrived at streams.
    pub deliveries: u64,
    /// How many that is a second, until the last of them, or of the publications.
    pub deliveries_per_second: f64,
    /// From publication to delivery; nothing if there was no delivery. Where publications have a rate,
    /// one that its publisher could not make in time, since the hub had not answered the last, counts
    /// from when it was due.
    pub latency: Option<Latency>,
    /// How many deliveries are missing of what was acknowledged.
    pub lost: u64,
    /// How many came after a later update of the same publisher.
    pub out_of_order: u64,
    /// How many came again.
    pub twice: u64,
    /// What went wrong before it was measured, of which nothing else here says anything.
    pub warm_up: Faults,
    /// How many streams did not stay open.
    pub ended: u64,
    /// What became of those that arrived meanwhile, if any were to.
    pub arrivals: Option<Arrivals>,
    /// What the hub's process took, if it was observed.
    pub process: Option<Taken>,
    /// Which part of a processor the reading took; near 1, it is the reader that was measured.
    pub reader_busy: f64,
}

/// What went wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Faults {
    /// How many publications were refused, or not answered.
    pub refused: u64,
    /// How many deliveries are missing of what was acknowledged.
    pub lost: u64,
    /// How many came after a later update of the same publisher.
    pub out_of_order: u64,
    /// How many came again.
    pub twice: u64,
}

/// How long deliveries take, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Latency {
    /// Half of them take no longer.
    pub p50: f64,
    /// 99 of 100 take no longer.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

/// What became of subscribers that came and went.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Arrivals {
    /// How many streams were opened.
    pub opened: u64,
    /// How many that is a second.
    pub per_second: f64,
    /// How many were refused, or not answered.
    pub refused: u64,
    /// From connecting to the head of the answer; nothing if none was opened.
    pub opening: Option<Latency>,
}

/// What a process took of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Taken {
    /// Microseconds of processor time a delivery; without streams, a publication.
    pub microseconds: f64,
    /// MB of memory before there were streams.
    pub memory_empty: f64,
    /// MB once all were open.
    pub memory_open: f64,
    /// MB once everything had been delivered.
    pub memory_loaded: f64,
}

impl Latencies {
    /// Three digits, which are exact enough to tell hubs apart.
    pub(crate) fn new() -> Self {
        #[expect(clippy::expect_used, reason = "only other bounds could be refused")]
        Self(Histogram::new_with_bounds(1, LONGEST, 3).expect("the bounds are allowed"))
    }

    pub(crate) fn record(&mut self, nanoseconds: u64) {
        self.0.saturating_record(nanoseconds / 1000);
    }

    pub(crate) fn clear(&mut self) {
        self.0.reset();
    }

    pub(crate) fn summary(&self) -> Option<Latency> {
        let at = |quantile| milliseconds(self.0.value_at_quantile(quantile));
        (!self.0.is_empty()).then(|| Latency {
            p50: at(0.5),
            p99: at(0.99),
            max: milliseconds(self.0.max()),
        })
    }
}

fn milliseconds(microseconds: u64) -> f64 {
    microseconds as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles() {
        let mut latencies = Latencies::new();
        assert_eq!(latencies.summary(), None);
        (1..=1000).for_each(|milliseconds| latencies.record(milliseconds * 1_000_000));
        let latency = latencies.summary().unwrap();
        for (measured, exact) in [(latency.p50, 500.0), (latency.p99, 990.0), (latency.max, 1000.0)]
        {
            assert!((measured - exact).abs() <= exact / 1000.0, "{measured} for {exact}");
        }
    }
}
