//! A clock that tests move.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cinnabar_core::Timestamp;

static MILLIS: AtomicU64 = AtomicU64::new(1_000_000_000_000);

/// The time, which only [`advance`] moves.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(MILLIS.load(Ordering::Relaxed))
}

/// Moves the time for all tests. None may depend on its standing still.
pub(crate) fn advance(by: Duration) {
    MILLIS.fetch_add(u64::try_from(by.as_millis()).unwrap(), Ordering::Relaxed);
}
