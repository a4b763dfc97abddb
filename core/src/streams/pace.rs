//! The settings that all sessions of a holder live by.

use std::time::Duration;

use bytes::Bytes;

use crate::config::Config;
use crate::terms::update::Update;
use crate::wire::{retry, sse};

/// The settings that all sessions of a holder live by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) heartbeat: Duration,
    /// A native reader's last id is renewed when the log has moved this far since.
    pub(crate) stale_after_updates: u64,
    /// Or when the log has moved at all, and the reader was given it this long ago.
    pub(crate) stale_after: Duration,
    /// How much may wait in an outbox that already holds something.
    pub(crate) outbox_size: usize,
    /// How much one response may carry; the rest is left to the next.
    pub(crate) response_size: u64,
    /// The least that an update's `retry` makes readers wait.
    least_retry: Duration,
}

impl Pace {
    pub(crate) fn of(config: &Config) -> Self {
        Self {
            heartbeat: config.heartbeat,
            stale_after_updates: (config.history_size.min(config.replay_max) / 4).max(1),
            stale_after: config.history_age / 4,
            outbox_size: config.outbox_size,
            response_size: config.response_size,
            least_retry: retry::least(config.polls()),
        }
    }

    /// The frame of an update, for all streams that take it.
    pub(crate) fn frame(&self, update: &Update) -> Bytes {
        sse::update(update, self.least_retry)
    }
}
