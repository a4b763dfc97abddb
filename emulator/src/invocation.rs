//! An invocation on its way: an event to a function, and bytes back.
//!
//! The two ends meet in channels, so that neither needs to know what becomes of the other. A
//! client that has gone is a receiver that is dropped, and the function is not told. A function
//! that has died is a sender that is dropped: before it has answered, the client gets 502; after,
//! a stream without [`Piece::End`], which is broken off.

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

/// What a function is asked.
pub(crate) struct Invocation {
    /// The request ID.
    pub(crate) id: String,
    /// X-Ray's header, which requests carry through AWS whether traced or not.
    pub(crate) trace: String,
    /// The payload.
    pub(crate) event: Bytes,
    /// Where the answer goes.
    pub(crate) reply: oneshot::Sender<Reply>,
    /// Its part of the reserved concurrency.
    pub(crate) permit: OwnedSemaphorePermit,
}

/// What the function answers.
pub(crate) struct Reply {
    pub(crate) mode: Mode,
    pub(crate) body: mpsc::Receiver<Piece>,
}

/// How the bytes of an answer are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// All at once: the answer as JSON.
    Buffered,
    /// Streamed: a prelude, and then the body.
    Integration,
    /// Streamed: the body alone.
    Raw,
}

/// A part of an answer.
pub(crate) enum Piece {
    Bytes(Bytes),
    /// It is complete.
    End,
}
