//! The names of streams.

use std::collections::hash_map;
use std::hash::{BuildHasherDefault, Hasher};

use serde::{Deserialize, Serialize};

/// The name of a stream: chosen by the shell, and never used twice in the life of a holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StreamId(u64);

/// Values by stream. Each delivery looks a few of them up, which takes a fraction of the time here
/// that it takes in an ordered map.
#[expect(
    clippy::disallowed_types,
    reason = "its hasher has no seed, and what needs an order sorts"
)]
pub type ByStream<V> = hash_map::HashMap<StreamId, V, BuildHasherDefault<Spread>>;

/// Spreads the numbers of streams.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spread(u64);

impl Hasher for Spread {
    fn write_u64(&mut self, number: u64) {
        // The golden ratio, by Knuth's multiplicative method.
        self.0 = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(self.0 ^ u64::from(*byte));
        }
    }

    fn finish(&self) -> u64 {
        // A product's high bits are well spread, and a table looks at the low ones: of clients that
        // keep every thousandth of their streams, these would all be the same.
        self.0.rotate_left(32)
    }
}

impl StreamId {
    /// The stream with this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}
