//! What a holder wants done.

use bytes::Bytes;

use crate::streams::history::Location;
use crate::streams::stream_id::StreamId;
use crate::wire::answer::Answer;

/// What a holder wants done, in the order in which [`Holder::poll_output`] returns it.
///
/// [`Holder::poll_output`]: crate::Holder::poll_output
#[derive(Clone, Debug)]
pub enum Output {
    /// Begin the response of a stream. Its body follows in `Write`s.
    Open {
        /// The stream.
        stream: StreamId,
        /// Status and header fields.
        response: http::Response<()>,
        /// Whether chunks that wait for its reader may be sent as one; otherwise each is sent
        /// alone.
        joins: bool,
    },
    /// Send this answer instead of a stream.
    Answer {
        /// The stream that will not begin.
        stream: StreamId,
        /// The answer.
        answer: Answer,
    },
    /// Write these bytes to each of these streams.
    Write {
        /// The streams.
        streams: Vec<StreamId>,
        /// The bytes.
        bytes: Bytes,
    },
    /// Look this up in the log, and hand the answer to
    /// [`Holder::handle_located`](crate::Holder::handle_located).
    Locate {
        /// The stream that asks.
        stream: StreamId,
        /// What it asks for.
        location: Location,
    },
    /// End a stream whose reader has taken everything that was written.
    Close {
        /// The stream.
        stream: StreamId,
    },
    /// End a stream at once, and drop whatever its reader has not taken.
    Cut {
        /// The stream.
        stream: StreamId,
    },
}
