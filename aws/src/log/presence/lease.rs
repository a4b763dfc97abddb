//! What a process knows of its lease.

use std::time::Duration;

use cinnabar_core::Timestamp;

use crate::log::clock::Moment;

/// How long a lease lasts. Renewals may fail twice in a row, and clocks may differ by the skew.
pub(super) const LIFE: Duration = Duration::from_secs(30);

/// How often it is renewed.
pub(crate) const RENEWAL: Duration = Duration::from_secs(10);

/// The lease of this process.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) number: u64,
    pub(super) ends: Timestamp,
    /// When it was renewed last, or that was tried.
    pub(super) tried: Moment,
    /// How long to wait after that.
    pub(super) wait: Duration,
}
