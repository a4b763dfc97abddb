//! The bodies of responses, as hyper and axum take them.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

/// How long a body waits before it breaks off. hyper drops what it has not yet sent when that happens,
/// be it the head of the response, and tells nobody when that has left. In HTTP/1.1 it would be
/// enough to give way once; in HTTP/2 another task sends.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// How old a body is whose head has certainly left, if it ever will: it need not wait.
const SETTLING: Duration = Duration::from_secs(5);

/// The body of a response.
#[derive(Debug)]
pub struct Body {
    body: cinnabar_runtime::Body,
    began: Instant,
    /// Set once it is about to break off.
    breaks_off: Option<Pin<Box<Sleep>>>,
}

impl Body {
    pub(crate) fn new(body: cinnabar_runtime::Body) -> Self {
        Self { body, began: Instant::now(), breaks_off: None }
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
            None => {
                let settles = self.began.elapsed() < SETTLING;
                let pause = if settles { LAST_WORDS } else { Duration::ZERO };
                let wait = self.breaks_off.get_or_insert_with(|| Box::pin(sleep(pause)));
                wait.as_mut().poll(context).map(|()| Some(Err(Cut)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.length() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.length().map(SizeHint::with_exact).unwrap_or_default()
    }
}
