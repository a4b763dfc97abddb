//! Random bytes: for tokens, which no two publications may share, and to spread out what many
//! environments would otherwise do at the same moment.

use std::time::Duration;

/// Random bytes; `None` if the system has none.
pub(super) fn bytes<const LENGTH: usize>() -> Option<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes)
}

/// A duration up to `longest`; without random bytes, the longest.
pub(super) fn up_to(longest: Duration) -> Duration {
    match bytes() {
        Some(bytes) => longest.mul_f64(f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX)),
        None => longest,
    }
}
