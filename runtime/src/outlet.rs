//! Between the task and the reader of a stream: what was written and not taken.
//!
//! A chunk counts as taken when the next is asked for. That is all that is known of a reader: how
//! fast it reads, and never whether it is still there.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use cinnabar_core::StreamId;
use tokio::sync::mpsc::UnboundedSender;

/// How much is joined at most. Joining saves what a chunk costs on its way, and a copy of more
/// would cost more than that.
const JOINED: usize = 64 * 1024;

/// What a stream's reader did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// It took this many bytes.
    Taken(StreamId, usize),
    /// The reader is gone.
    Gone(StreamId),
}

/// Where to write a new stream, and its reader.
///
/// Notices need no bound of their own: there is at most one for each chunk, and the core bounds
/// those.
pub(crate) fn open(stream: StreamId, notices: UnboundedSender<Notice>) -> (Outlet, Reader) {
    let queue = Arc::new(Mutex::new(Queue::default()));
    let outlet = Outlet { queue: Arc::clone(&queue) };
    (outlet, Reader { queue, stream, in_flight: 0, notices })
}

/// What was written and not taken. Its bounds are the core's: see `OUTBOX_SIZE`.
#[derive(Debug, Default)]
struct Queue {
    chunks: VecDeque<Bytes>,
    /// Whether the first chunk has been taken.
    begun: bool,
    ended: bool,
    /// Whether it was ended before its reader had taken all.
    cut: bool,
    reader: Option<Waker>,
}

impl Queue {
    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    /// What comes next: the first chunk alone, and then whatever waits, as one chunk. Some readers
    /// pass over a whole chunk that begins with a comment, as a response does.
    fn take(&mut self) -> Option<Bytes> {
        let mut count = 1;
        let mut length = self.chunks.front()?.len();
        if std::mem::replace(&mut self.begun, true) {
            for chunk in self.chunks.iter().skip(1) {
                if length + chunk.len() > JOINED {
                    break;
                }
                length += chunk.len();
                count += 1;
            }
        }
        if count == 1 {
            return self.chunks.pop_front();
        }
        let mut joined = BytesMut::with_capacity(length);
        for chunk in self.chunks.drain(..count) {
            joined.extend_from_slice(&chunk);
        }
        Some(joined.freeze())
    }
}

/// A queue is whole between any two of its changes, so a panic elsewhere does not spoil it.
fn lock(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where a stream's bytes are written. Dropped, it cuts the stream: it ends, and what its reader
/// did not take is dropped.
#[derive(Debug)]
pub(crate) struct Outlet {
    queue: Arc<Mutex<Queue>>,
}

impl Outlet {
    /// Writes a chunk. Returns whether it is the first that waits: then its reader has to be woken.
    pub(crate) fn write(&self, bytes: Bytes) -> bool {
        let mut queue = lock(&self.queue);
        queue.chunks.push_back(bytes);
        queue.chunks.len() == 1
    }

    /// Wakes the reader, if it waits.
    pub(crate) fn wake(&self) {
        lock(&self.queue).wake();
    }

    /// Ends the stream once its reader has taken all.
    pub(crate) fn close(self) {
        lock(&self.queue).ended = true;
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        let mut queue = lock(&self.queue);
        if !queue.ended {
            queue.chunks.clear();
            queue.ended = true;
            queue.cut = true;
        }
        queue.wake();
    }
}

/// A stream's reader.
#[derive(Debug)]
pub(crate) struct Reader {
    queue: Arc<Mutex<Queue>>,
    stream: StreamId,
    /// The length of the chunk that was asked for last.
    in_flight: usize,
    notices: UnboundedSender<Notice>,
}

impl Reader {
    /// Whether the stream was cut.
    pub(crate) fn was_cut(&self) -> bool {
        lock(&self.queue).cut
    }

    /// The next chunk, or the end.
    pub(crate) fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let taken = std::mem::take(&mut self.in_flight);
        if taken > 0 {
            // If nobody listens, nobody writes either.
            let _ = self.notices.send(Notice::Taken(self.stream, taken));
        }
        let mut queue = lock(&self.queue);
        match queue.take() {
            Some(chunk) => {
                self.in_flight = chunk.len();
                Poll::Ready(Some(chunk))
            }
            None if queue.ended => Poll::Ready(None),
            None => {
                queue.reader = Some(context.waker().clone());
                Poll::Pending
            }
        }
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

    fn open() -> (Outlet, Reader, UnboundedReceiver<Notice>) {
        let (sender, notices) = unbounded_channel();
        let (outlet, reader) = super::open(STREAM, sender);
        (outlet, reader, notices)
    }

    async fn next(reader: &mut Reader) -> Option<Bytes> {
        poll_fn(|context| reader.poll_chunk(context)).await
    }

    #[tokio::test]
    async fn a_chunk_is_taken_when_the_next_is_asked_for() {
        let (outlet, mut reader, mut notices) = open();
        outlet.write("one".into());
        outlet.write("three".into());
        assert_eq!(next(&mut reader).await.unwrap(), "one");
        assert!(notices.try_recv().is_err());
        assert_eq!(next(&mut reader).await.unwrap(), "three");
        assert_eq!(notices.try_recv(), Ok(Notice::Taken(STREAM, 3)));
        outlet.close();
        assert_eq!(next(&mut reader).await, None);
        assert_eq!(notices.try_recv(), Ok(Notice::Taken(STREAM, 5)));
        drop(reader);
        assert_eq!(notices.try_recv(), Ok(Notice::Gone(STREAM)));
    }

    #[tokio::test]
    async fn chunks_that_wait_leave_as_one_behind_the_first() {
        let (outlet, mut reader, _notices) = open();
        for chunk in [":\n", "a", "b"] {
            outlet.write(chunk.into());
        }
        outlet.close();
        assert_eq!(next(&mut reader).await.unwrap(), ":\n");
        assert_eq!(next(&mut reader).await.unwrap(), "ab");
        assert_eq!(next(&mut reader).await, None);
        assert!(!reader.was_cut());
    }

    #[tokio::test]
    async fn what_is_joined_is_bounded_and_keeps_its_order_and_its_bytes() {
        let (outlet, mut reader, mut notices) = open();
        let lengths = [2, 1, JOINED - 1, 1, 3, JOINED + 5, 2, JOINED / 2, JOINED / 2, 7];
        let chunks: Vec<Bytes> =
            (b'a'..).zip(lengths).map(|(letter, length)| vec![letter; length].into()).collect();
        for chunk in &chunks {
            outlet.write(chunk.clone());
        }
        outlet.close();
        let mut left = Vec::new();
        while let Some(chunk) = next(&mut reader).await {
            assert_eq!(notices.try_recv().ok(), left.last().map(taken));
            left.push(chunk);
        }
        let expected = [2, JOINED, 4, JOINED + 5, 2 + JOINED / 2, JOINED / 2 + 7];
        assert_eq!(left.iter().map(Bytes::len).collect::<Vec<_>>(), expected);
        assert!(left.concat() == chunks.concat());
    }

    fn taken(chunk: &Bytes) -> Notice {
        Notice::Taken(STREAM, chunk.len())
    }

    #[tokio::test]
    async fn a_cut_drops_what_waits() {
        let (outlet, mut reader, _notices) = open();
        outlet.write("a".into());
        assert!(!reader.was_cut());
        drop(outlet);
        assert_eq!(next(&mut reader).await, None);
        assert!(reader.was_cut());
    }

    #[tokio::test]
    async fn a_reader_that_waits_is_woken() {
        let (outlet, mut reader, _notices) = open();
        let reading =
            tokio::spawn(async move { (next(&mut reader).await, next(&mut reader).await) });
        tokio::task::yield_now().await;
        assert!(outlet.write("a".into()));
        outlet.wake();
        tokio::task::yield_now().await;
        drop(outlet);
        assert_eq!(reading.await.unwrap(), (Some("a".into()), None));
    }
}
