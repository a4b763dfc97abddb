//! Passing failures: the holder of the log is full, restarting, or out of reach.
//!
//! A browser's `EventSource` never comes back after a status other than 200. So it is given a 200
//! whose stream asks it to come back, and ends; all others are told the truth, 503.

use std::time::Duration;

use crate::answer::Response;
use crate::cors::Cors;
use crate::error::Refusal;

/// How long a stream that asks its reader to come back stays open: some readers reconnect at
/// once, whatever they are told.
const HOLD: Duration = Duration::from_secs(1);

/// The answer to a request that cannot be served just now.
#[derive(Clone, Debug)]
pub struct Unavailable {
    /// The answer; its body is to be sent at once.
    pub response: Response,
    /// How long to wait between the body and its end.
    pub hold: Duration,
}

impl Unavailable {
    /// 503 with `Retry-After`.
    pub(crate) fn refused(cors: &Cors) -> Self {
        Self { response: Refusal::Unavailable.into_answer(cors).response, hold: Duration::ZERO }
    }

    /// A stream that asks its reader to come back.
    pub(crate) fn come_back(response: Response) -> Self {
        Self { response, hold: HOLD }
    }
}
