//! The bodies of responses, chunk by chunk.
//!
//! A body never fails: on some platforms what a failing one says ends up in the stream, as text.

use std::convert::Infallible;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use tokio::time::{Sleep, sleep};

use crate::outlet::Reader;

/// The body of a response.
///
/// Its sender asks for a chunk once the one before has left, so a chunk counts as taken when the
/// next is asked for. Dropping the body tells its stream that the reader is gone.
#[derive(Debug)]
pub struct Body(Kind);

#[derive(Debug)]
enum Kind {
    /// One chunk, and the end.
    Whole(Option<Bytes>),
    /// One chunk, and the end some time later.
    Held(Option<Bytes>, Duration, Option<Pin<Box<Sleep>>>),
    /// A stream's.
    Stream(Reader),
    /// Another, whose end waits for something.
    Lasting(Box<Body>, Last),
}

/// What an end waits for.
struct Last(Pin<Box<dyn Future<Output = ()> + Send>>);

impl fmt::Debug for Last {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Last")
    }
}

impl Body {
    /// A body that is sent at once.
    #[must_use]
    pub fn whole(bytes: Vec<u8>) -> Self {
        Self(Kind::Whole(Some(Bytes::from(bytes)).filter(|bytes| !bytes.is_empty())))
    }

    /// A body that is sent at once, and ends after a while.
    #[must_use]
    pub fn held(bytes: Vec<u8>, hold: Duration) -> Self {
        if hold == Duration::ZERO {
            return Self::whole(bytes);
        }
        Self(Kind::Held(Some(bytes.into()), hold, None))
    }

    /// The same body, which ends only once this is done: where a process may be frozen as soon as its
    /// responses have ended, whatever has to be done at their end comes before.
    #[must_use]
    pub fn lasting(self, last: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(Kind::Lasting(Box::new(self), Last(Box::pin(last))))
    }

    pub(crate) fn stream(reader: Reader) -> Self {
        Self(Kind::Stream(reader))
    }

    /// How many bytes it has from its beginning to its end, if they are not a stream's.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        match &self.0 {
            Kind::Whole(bytes) => Some(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Kind::Held(..) | Kind::Stream(_) | Kind::Lasting(..) => None,
        }
    }

    /// Whether it is a stream that was cut. Where a body can break off, it should, since a clean end
    /// tells some readers that there is nothing to resume.
    #[must_use]
    pub fn was_cut(&self) -> bool {
        match &self.0 {
            Kind::Stream(reader) => reader.was_cut(),
            Kind::Lasting(body, _) => body.was_cut(),
            Kind::Whole(_) | Kind::Held(..) => false,
        }
    }

    /// The next chunk, or the end.
    pub fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        match &mut self.0 {
            Kind::Whole(bytes) => Poll::Ready(bytes.take()),
            Kind::Held(bytes, hold, end) => {
                if let Some(bytes) = bytes.take() {
                    return Poll::Ready(Some(bytes));
                }
                let end = end.get_or_insert_with(|| Box::pin(sleep(*hold)));
                ready!(end.as_mut().poll(context));
                Poll::Ready(None)
            }
            Kind::Stream(reader) => reader.poll_chunk(context),
            Kind::Lasting(body, last) => match ready!(body.poll_chunk(context)) {
                Some(chunk) => Poll::Ready(Some(chunk)),
                None => last.0.as_mut().poll(context).map(|()| None),
            },
        }
    }

    /// The next chunk; `None` at the end.
    pub async fn next(&mut self) -> Option<Bytes> {
        poll_fn(|context| self.poll_chunk(context)).await
    }
}

impl Stream for Body {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_chunk(context).map(|chunk| chunk.map(Ok))
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_end_may_be_held() {
        let mut body = Body::held(b"wait".to_vec(), Duration::from_secs(1));
        let begin = Instant::now();
        assert_eq!(body.next().await.unwrap(), "wait");
        assert_eq!(begin.elapsed(), Duration::ZERO);
        assert_eq!(body.next().await, None);
        assert_eq!(begin.elapsed(), Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn an_end_may_wait_for_something() {
        let mut body = Body::whole(b"a".to_vec()).lasting(sleep(Duration::from_secs(1)));
        let begin = Instant::now();
        assert_eq!(body.next().await.unwrap(), "a");
        assert_eq!(begin.elapsed(), Duration::ZERO);
        assert_eq!(body.next().await, None);
        assert_eq!(begin.elapsed(), Duration::from_secs(1));
    }

    #[tokio::test]
    async fn a_body_without_bytes_has_no_chunk() {
        assert_eq!(Body::whole(Vec::new()).next().await, None);
        assert_eq!(Body::held(Vec::new(), Duration::ZERO).next().await, None);
    }
}
