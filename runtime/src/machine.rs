//! What the machine offers: its clock, and its randomness.

use std::time::{SystemTime, UNIX_EPOCH};

use cinnabar_core::Timestamp;

/// A clock: [`now`], or one that a test moves.
pub type Now = fn() -> Timestamp;

/// The current time.
#[must_use]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Fresh random bytes.
///
/// # Errors
///
/// The system has none to give.
pub fn entropy<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
