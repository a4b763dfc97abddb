//! The bodies of responses, as hyper and axum take them.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

/// The body of a response.
#[derive(Debug)]
pub struct Body {
    body: cinnabar_runtime::Body,
    /// Whether it is about to break off.
    breaks_off: bool,
}

impl Body {
    pub(crate) fn new(body: cinnabar_runtime::Body) -> Self {
        Self { body, breaks_off: false }
    }
}

/// A stream was cut. The connection has to break off, so that its reader can tell this from an end.
#[derive(Debug, thiserror::Error)]
#[error("the stream was cut, and its reader resumes")]
pub struct Cut;

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        match ready!(self.body.poll_chunk(context)) {
            Some(chunk) => Poll::Ready(Some(Ok(Frame::data(chunk)))),
            None if !self.body.was_cut() => Poll::Ready(None),
            // hyper drops what it has not yet sent when a body breaks off, be it the head of the
            // response; while it waits for a body, it sends.
            None if !std::mem::replace(&mut self.breaks_off, true) => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            None => Poll::Ready(Some(Err(Cut))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.length() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.length().map(SizeHint::with_exact).unwrap_or_default()
    }
}
