//! The bodies of responses, as hyper and axum take them.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

/// The body of a response.
#[derive(Debug)]
pub struct Body(pub(crate) cinnabar_runtime::Body);

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
        match ready!(self.0.poll_chunk(context)) {
            Some(chunk) => Poll::Ready(Some(Ok(Frame::data(chunk)))),
            None if self.0.was_cut() => Poll::Ready(Some(Err(Cut))),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.length() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.length().map(SizeHint::with_exact).unwrap_or_default()
    }
}
