//! What was measured.

use hdrhistogram::Histogram;
use serde::Serialize;

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
    /// From publication to delivery; nothing if there was no delivery.
    pub latency: Option<Latency>,
    /// How many deliveries are missing of what was acknowledged.
    pub lost: u64,
    /// How many came after a later update of the same publisher.
    pub out_of_order: u64,
    /// How many came again.
    pub twice: u64,
    /// How many streams did not stay open.
    pub ended: u64,
    /// What the hub's process took, if it was observed.
    pub process: Option<Taken>,
    /// Which part of a processor the reading took; near 1, it is the reader that was measured.
    pub reader_busy: f64,
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

impl Latency {
    /// Of microseconds.
    pub(crate) fn of(microseconds: &Histogram<u64>) -> Option<Self> {
        let at = |quantile| milliseconds(microseconds.value_at_quantile(quantile));
        (!microseconds.is_empty()).then(|| Self {
            p50: at(0.5),
            p99: at(0.99),
            max: milliseconds(microseconds.max()),
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
        let mut latencies = Histogram::new(3).unwrap();
        assert_eq!(Latency::of(&latencies), None);
        (1..=1000).for_each(|milliseconds| latencies.record(milliseconds * 1000).unwrap());
        let latency = Latency::of(&latencies).unwrap();
        // Three digits are exact enough to tell systems apart.
        for (measured, exact) in [(latency.p50, 500.0), (latency.p99, 990.0), (latency.max, 1000.0)]
        {
            assert!((measured - exact).abs() <= exact / 1000.0, "{measured} for {exact}");
        }
    }
}
