//! How long cases wait.

use std::time::Duration;

/// How long the next thing may take to happen. Only a broken hub takes this long.
pub(super) const PATIENCE: Duration = Duration::from_secs(90);
