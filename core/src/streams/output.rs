//! What a holder wants done.

use bytes::Bytes;

use crate::command::subscriptions::Subscriptions;
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
    },
    /// Send this answer instead of a stream.
    Answer {
        /// The stream that will not begin.
        stream: StreamId,
        /// The answer.
        answer: Answer,
    },
    /// Write these bytes to each of these streams: updates in a row that go to the same streams come
    /// in one write. What waits for a reader may be sent to it as one chunk, but for the first bytes
    /// of a response, which are sent alone and at once.
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
    /// Append the events of these subscriptions' beginnings, and note that they are active: all of it
    /// or nothing, in one transaction. The stream begins once the holder is handed the first of these
    /// events, or [told](crate::Holder::handle_registered). If it fails, call
    /// [`Holder::handle_failure`](crate::Holder::handle_failure).
    Register {
        /// The stream that waits for it.
        stream: StreamId,
        /// Its subscriptions.
        subscriptions: Subscriptions,
    },
    /// Append the events of these subscriptions' ends, and note that they are active no longer. One
    /// that is not noted as active has no end to tell: its event must not be appended.
    Unregister {
        /// The subscriptions of a stream that has ended.
        subscriptions: Subscriptions,
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

/// What carries out the outputs of a holder: the bodies of responses, and a way to the log.
///
/// Nothing here may call the holder, which is in use; what has to be reported is reported later.
pub trait Shell {
    /// See [`Output::Open`].
    fn open(&mut self, stream: StreamId, response: http::Response<()>);
    /// See [`Output::Answer`].
    fn answer(&mut self, stream: StreamId, answer: Answer);
    /// See [`Output::Write`].
    fn write(&mut self, streams: &[StreamId], bytes: &Bytes);
    /// See [`Output::Locate`].
    fn locate(&mut self, stream: StreamId, location: Location);
    /// See [`Output::Register`].
    fn register(&mut self, stream: StreamId, subscriptions: Subscriptions);
    /// See [`Output::Unregister`].
    fn unregister(&mut self, subscriptions: Subscriptions);
    /// See [`Output::Close`].
    fn close(&mut self, stream: StreamId);
    /// See [`Output::Cut`].
    fn cut(&mut self, stream: StreamId);
}

impl Output {
    /// Has a shell carry it out.
    pub(crate) fn carry_out(self, shell: &mut impl Shell) {
        match self {
            Self::Open { stream, response } => shell.open(stream, response),
            Self::Answer { stream, answer } => shell.answer(stream, answer),
            Self::Write { streams, bytes } => shell.write(&streams, &bytes),
            Self::Locate { stream, location } => shell.locate(stream, location),
            Self::Register { stream, subscriptions } => shell.register(stream, subscriptions),
            Self::Unregister { subscriptions } => shell.unregister(subscriptions),
            Self::Close { stream } => shell.close(stream),
            Self::Cut { stream } => shell.cut(stream),
        }
    }
}
