//! What the tests of this crate and of the shells around it share (feature `testing`).
//!
//! - [`MemoryLog`]: a log in memory, for tests of code that holds streams.
//! - [`contract`]: what every log must do, as tests that each log runs: this one, and those of the
//!   shells on their real databases.

pub mod contract;
mod memory;

pub use memory::MemoryLog;

use crate::{StoredUpdate, Update, limits};

/// The longest topic, in bytes.
pub const MAX_TOPIC_LENGTH: usize = limits::MAX_TOPIC_LENGTH;

/// A public update of one topic.
#[must_use]
pub fn update(id: &str, topic: &str, data: &str) -> Update {
    Update::restore(stored(id, topic, data))
}

/// A private update of one topic.
#[must_use]
pub fn private_update(id: &str, topic: &str, data: &str) -> Update {
    Update::restore(StoredUpdate { private: true, ..stored(id, topic, data) })
}

/// A public update of one topic, as a log keeps it.
#[must_use]
pub fn stored(id: &str, topic: &str, data: &str) -> StoredUpdate {
    StoredUpdate {
        id: id.to_owned(),
        topics: topic.to_owned(),
        targets: String::new(),
        data: data.to_owned(),
        private: false,
        event_type: None,
        retry: None,
    }
}
