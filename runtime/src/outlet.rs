//! Between the task and the reader of a stream: what was written and not taken.
//!
//! A chunk counts as taken when the next is asked for. That is all that is known of a reader: how
//! fast it reads, and never whether it is still there.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use cinnabar_core::StreamId;
use tokio::sync::mpsc::UnboundedSender;

/// What a stream's reader did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// It took something: [`Outlet::taken`] says how much.
    Taken(StreamId),
    /// The reader is gone.
    Gone(StreamId),
}

/// Where to write a new stream, and its reader.
///
/// Notices need no bound of their own: of each reader, there are at most two.
pub(crate) fn open(stream: StreamId, notices: UnboundedSender<Notice>) -> (Outlet, Reader) {
    let queue = Arc::new(Mutex::new(Queue::default()));
    let outlet = Outlet { queue: Arc::clone(&queue) };
    (outlet, Reader { queue, stream, in_flight: 0, notices })
}

/// What was written and not taken. Its bounds are the core's: see `OUTBOX_SIZE`.
#[derive(Debug, Default)]
struct Queue {
    chunks: VecDeque<Bytes>,
    /// How much was taken since the task asked last. Above zero, it has been told to ask.
    taken: usize,
    ended: bool,
    /// Whether it was ended before its reader had taken all.
    cut: bool,
    reader: Option<Waker>,
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
    /// Writes a chunk. If the reader was waiting, it has to be woken.
    #[must_use]
    pub(crate) fn write(&self, bytes: Bytes) -> Option<Waker> {
        let mut queue = lock(&self.queue);
        queue.chunks.push_back(bytes);
        queue.reader.take()
    }

    /// How much the reader has taken since this was asked last.
    pub(crate) fn taken(&self) -> usize {
        std::mem::take(&mut lock(&self.queue).taken)
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
        if let Some(reader) = queue.reader.take() {
            reader.wake();
        }
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
        let mut queue = lock(&self.queue);
        if taken > 0 && queue.taken == 0 {
            // If nobody listens, nobody writes either.
            let _ = self.notices.send(Notice::Taken(self.stream));
        }
        queue.taken += taken;
        match queue.chunks.pop_front() {
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

    /// Writes while the reader does not wait.
    fn write(outlet: &Outlet, chunk: &'static str) {
        assert!(outlet.write(chunk.into()).is_none());
    }

    #[tokio::test]
    async fn a_chunk_is_taken_when_the_next_is_asked_for() {
        let (outlet, mut reader, mut notices) = open();
        write(&outlet, "one");
        write(&outlet, "three");
        assert_eq!(next(&mut reader).await.unwrap(), "one");
        assert!(notices.try_recv().is_err());
        assert_eq!(outlet.taken(), 0);
        assert_eq!(next(&mut reader).await.unwrap(), "three");
        assert_eq!(notices.try_recv(), Ok(Notice::Taken(STREAM)));
        assert_eq!(outlet.taken(), 3);
        outlet.close();
        assert_eq!(next(&mut reader).await, None);
        assert_eq!(notices.try_recv(), Ok(Notice::Taken(STREAM)));
        drop(reader);
        assert_eq!(notices.try_recv(), Ok(Notice::Gone(STREAM)));
    }

    #[tokio::test]
    async fn there_is_one_notice_until_the_task_has_asked() {
        let (outlet, mut reader, mut notices) = open();
        for chunk in ["a", "bb", "ccc", "dddd", "e"] {
            write(&outlet, chunk);
        }
        for _ in 0..4 {
            next(&mut reader).await.unwrap();
        }
        assert_eq!(notices.try_recv(), Ok(Notice::Taken(STREAM)));
        assert!(notices.try_recv().is_err());
        assert_eq!(outlet.taken(), 6);
        next(&mut reader).await.unwrap();
        assert_eq!(notices.try_recv(), Ok(Notice::Taken(STREAM)));
        assert_eq!(outlet.taken(), 4);
    }

    #[tokio::test]
    async fn a_cut_drops_what_waits() {
        let (outlet, mut reader, _notices) = open();
        write(&outlet, "a");
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
        outlet.write("a".into()).expect("the reader waits").wake();
        tokio::task::yield_now().await;
        drop(outlet);
        assert_eq!(reading.await.unwrap(), (Some("a".into()), None));
    }
}
