//! What a ring leaves to the next one, where processes come and go.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// The version of the encoding.
const VERSION: u32 = 1;

/// A set as it was fetched, and when.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kept {
    version: u32,
    /// When it was asked for.
    pub(super) fetched: Timestamp,
    /// For how long it is good, in seconds.
    lifetime: u64,
    /// When it was last fetched for the sake of a key that it did not hold.
    pub(super) sought: Option<Timestamp>,
    pub(super) body: String,
}

impl Kept {
    pub(super) fn new(
        fetched: Timestamp,
        lifetime: Duration,
        sought: Option<Timestamp>,
        body: String,
    ) -> Self {
        Self { version: VERSION, fetched, lifetime: lifetime.as_secs(), sought, body }
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().filter(|kept: &Self| kept.version == VERSION)
    }

    pub(super) fn to_bytes(&self) -> Option<Vec<u8>> {
        serde_json::to_vec(self).ok()
    }

    pub(super) fn lifetime(&self) -> Duration {
        Duration::from_secs(self.lifetime)
    }
}
