//! How streams follow the log: its writer hands them what is durable, in order.

use std::sync::mpsc::Sender;

use cinnabar_core::Position;
use cinnabar_runtime::{self as runtime, Read};
use tokio::sync::mpsc::{self, Receiver};

use crate::log::error::LogError;
use crate::log::writer::Job;

/// How many transactions may wait for the streams before publishers wait for them, too.
const AHEAD: usize = 2;

/// Follows the log. After an error, nothing more comes.
#[derive(Debug)]
pub struct Tail(Receiver<Result<Read, LogError>>);

impl Tail {
    /// Follows the log from a position on, which was its end a moment ago.
    pub(crate) fn begin(jobs: &Sender<Job>, after: Position) -> Self {
        let (follower, reads) = mpsc::channel(AHEAD);
        // If the log is closed, the follower learns that it will never get anything.
        let _ = jobs.send(Job::Follow(after, follower));
        Self(reads)
    }
}

impl runtime::Tail for Tail {
    type Error = LogError;

    async fn next(&mut self) -> Result<Read, LogError> {
        self.0.recv().await.unwrap_or(Err(LogError::Closed))
    }
}
