//! The time that a test sees pass.

use cinnabar_core::Timestamp;
use tokio::time::Instant;

thread_local! {
    /// Each test has a thread and a simulated clock of its own.
    static BEGIN: Instant = Instant::now();
}

/// Now, in simulated time.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000).plus(BEGIN.with(Instant::elapsed))
}
