//! An invocation: an event on its way to a function, and bytes on their way back.
//!
//! Client and function are joined by channels, so that neither needs to know what becomes of the
//! other. When a client goes, its receiver is dropped and the function is not told. When a function
//! dies, its sender is dropped: before an answer, the client gets 502; during one, a stream that
//! ends without [`Piece::End`], and so is broken off.

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

/// A request to a function.
pub(crate) struct Invocation {
    /// The request ID.
    pub(crate) id: String,
    /// X-Ray's header, which requests in AWS carry whether or not they are traced.
    pub(crate) trace: String,
    /// The payload.
    pub(crate) event: Bytes,
    /// Where the answer goes.
    pub(crate) reply: oneshot::Sender<Reply>,
    /// Its share of the reserved concurrency.
    pub(crate) permit: OwnedSemaphorePermit,
}

/// What the function answers.
pub(crate) struct Reply {
    pub(crate) mode: Mode,
    pub(crate) body: mpsc::Receiver<Piece>,
}

/// How to read the bytes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// All at once, as JSON.
    Buffered,
    /// Streamed: a prelude, then the body.
    Integration,
    /// Streamed: only the body.
    Raw,
}

/// A part of an answer.
pub(crate) enum Piece {
    Bytes(Bytes),
    /// It is complete.
    End,
}
