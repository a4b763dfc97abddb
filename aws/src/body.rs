//! The bodies of responses, and what their readers have taken of them.
//!
//! The runtime asks a body for a chunk when it has passed on the one before. So a chunk counts as
//! taken when the next is asked for, and that is all that is known of a reader: how fast it reads,
//! and never whether it is still there.
//!
//! A body never fails. What a failing one would say ends up in the stream, as text.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::Bytes;
use cinnabar_core::StreamId;
use futures_core::Stream;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{Sleep, sleep};

/// What a stream's reader did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// It took this many bytes.
    Taken(StreamId, usize),
    /// There is nobody to read any more.
    Gone(StreamId),
}

/// The body of a response.
#[derive(Debug)]
pub enum Body {
    /// All of it.
    Whole(Option<Bytes>),
    /// All of it, with its end after a while.
    Held(Option<Bytes>, Duration, Option<Pin<Box<Sleep>>>),
    /// A stream's.
    Stream(Reader),
}

impl Stream for Body {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(Ok)),
            Self::Held(bytes, hold, end) => {
                if let Some(bytes) = bytes.take() {
                    return Poll::Ready(Some(Ok(bytes)));
                }
                let end = end.get_or_insert_with(|| Box::pin(sleep(*hold)));
                ready!(end.as_mut().poll(context));
                Poll::Ready(None)
            }
            Self::Stream(reader) => reader.poll_chunk(context).map(|chunk| chunk.map(Ok)),
        }
    }
}

/// A new stream's body, which may join chunks that wait, and where to write it.
pub fn stream(stream: StreamId, joins: bool, notices: UnboundedSender<Notice>) -> (Outlet, Reader) {
    let queue = Arc::new(Mutex::new(Queue::default()));
    let outlet = Outlet { queue: Arc::clone(&queue) };
    (outlet, Reader { queue, stream, joins, in_flight: 0, notices })
}

/// What was written and not taken. Its bounds are the core's: see `OUTBOX_SIZE`.
#[derive(Debug, Default)]
struct Queue {
    chunks: VecDeque<Bytes>,
    ended: bool,
    reader: Option<Waker>,
}

impl Queue {
    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

/// A queue is whole between any two of its changes, so a panic elsewhere does not spoil it.
fn lock(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where a stream's bytes are written. Dropped, it cuts the stream: it ends, and what its reader
/// did not take is dropped.
#[derive(Debug)]
pub struct Outlet {
    queue: Arc<Mutex<Queue>>,
}

impl Outlet {
    /// Writes a chunk.
    pub fn write(&self, bytes: Bytes) {
        let mut queue = lock(&self.queue);
        queue.chunks.push_back(bytes);
        queue.wake();
    }

    /// Ends the stream, when its reader has taken all.
    pub fn close(self) {
        lock(&self.queue).ended = true;
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        let mut queue = lock(&self.queue);
        if !queue.ended {
            queue.chunks.clear();
            queue.ended = true;
        }
        queue.wake();
    }
}

/// A stream's reader.
#[derive(Debug)]
pub struct Reader {
    queue: Arc<Mutex<Queue>>,
    stream: StreamId,
    joins: bool,
    /// The length of the chunk that was asked for last.
    in_flight: usize,
    notices: UnboundedSender<Notice>,
}

impl Reader {
    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let taken = std::mem::take(&mut self.in_flight);
        if taken > 0 {
            // Where nobody listens, nobody writes either.
            let _ = self.notices.send(Notice::Taken(self.stream, taken));
        }
        let mut queue = lock(&self.queue);
        let chunk = match queue.chunks.len() {
            0 if queue.ended => return Poll::Ready(None),
            0 => {
                queue.reader = Some(context.waker().clone());
                return Poll::Pending;
            }
            1 => queue.chunks.pop_front(),
            _ if self.joins => Some(queue.chunks.drain(..).flatten().collect()),
            _ => queue.chunks.pop_front(),
        };
        self.in_flight = chunk.as_ref().map_or(0, Bytes::len);
        Poll::Ready(chunk)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.notices.send(Notice::Gone(self.stream));
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    use super::*;

    const STREAM: StreamId = StreamId::new(1);

    fn open(joins: bool) -> (Outlet, Body, UnboundedReceiver<Notice>) {
        let (sender, notices) = unbounded_channel();
        let (outlet, reader) = stream(STREAM, joins, sender);
        (outlet, Body::Stream(reader), notices)
    }

    async fn next(body: &mut Body) -> Option<Bytes> {
        let item = poll_fn(|context| Pin::new(&mut *body).poll_next(context)).await;
        item.map(|Ok(bytes)| bytes)
    }

    #[tokio::test]
    async fn a_chunk_is_taken_when_the_next_is_asked_for() {
        let (outlet, mut body, mut notices) = open(false);
        outlet.write("one".into());
        outlet.write("three".into());
        assert_eq!(next(&mut body).await.unwrap(), "one");
        assert!(notices.try_recv().is_err());
        assert_eq!(next(&mut body).await.unwrap(), "three");
        assert_eq!(notices.try_recv(), Ok(Notice::Taken(STREAM, 3)));
        outlet.close();
        assert_eq!(next(&mut body).await, None);
        assert_eq!(notices.try_recv(), Ok(Notice::Taken(STREAM, 5)));
        drop(body);
        assert_eq!(notices.try_recv(), Ok(Notice::Gone(STREAM)));
    }

    #[tokio::test]
    async fn chunks_that_wait_leave_as_one_where_they_may() {
        let (outlet, mut body, _notices) = open(true);
        outlet.write("a".into());
        outlet.write("b".into());
        outlet.close();
        assert_eq!(next(&mut body).await.unwrap(), "ab");
        assert_eq!(next(&mut body).await, None);
    }

    #[tokio::test]
    async fn a_cut_drops_what_waits() {
        let (outlet, mut body, _notices) = open(false);
        outlet.write("a".into());
        drop(outlet);
        assert_eq!(next(&mut body).await, None);
    }

    #[tokio::test]
    async fn a_reader_that_waits_is_woken() {
        let (outlet, mut body, _notices) = open(false);
        let reading = tokio::spawn(async move { (next(&mut body).await, next(&mut body).await) });
        tokio::task::yield_now().await;
        outlet.write("a".into());
        tokio::task::yield_now().await;
        drop(outlet);
        assert_eq!(reading.await.unwrap(), (Some("a".into()), None));
    }

    #[tokio::test(start_paused = true)]
    async fn an_end_may_be_held() {
        let mut body = Body::Held(Some("wait".into()), Duration::from_secs(1), None);
        let begin = tokio::time::Instant::now();
        assert_eq!(next(&mut body).await.unwrap(), "wait");
        assert_eq!(next(&mut body).await, None);
        assert_eq!(begin.elapsed(), Duration::from_secs(1));
    }
}
