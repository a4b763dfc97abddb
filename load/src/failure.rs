//! Why a load could not be put on a hub.

use std::io;

use thiserror::Error;

use crate::http::Malformed;

/// Why there are no figures.
#[derive(Debug, Error)]
pub enum Failure {
    /// It could not be reached.
    #[error("the hub cannot be reached")]
    Unreachable(#[source] io::Error),
    /// It did not let a publisher or a subscriber in.
    #[error("the hub answers {status} to {what}: {reason}")]
    Refused {
        /// The request.
        what: &'static str,
        /// The status of its answer.
        status: u16,
        /// What the answer says.
        reason: String,
    },
    /// The connection ended before there was an answer.
    #[error("the hub ended the connection of {0} without an answer")]
    NoAnswer(&'static str),
    /// What came is not HTTP.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Its process cannot be observed.
    #[error("the hub's process has ended, or cannot be observed on this system")]
    Process(#[source] io::Error),
    /// This machine lacks something.
    #[error("this machine cannot carry the load")]
    Machine(#[source] io::Error),
}
