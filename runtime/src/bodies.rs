//! The responses of all streams: what the holder writes finds its reader here.

use std::task::Waker;

use bytes::Bytes;
use cinnabar_core::{Answer, ByStream, StreamId};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use crate::body::Body;
use crate::opened::Opened;
use crate::outlet::{self, Notice, Outlet};

/// The responses of all streams.
#[derive(Debug)]
pub(crate) struct Bodies {
    /// Subscribers whose response has not begun.
    opening: ByStream<oneshot::Sender<Opened>>,
    outlets: ByStream<Outlet>,
    /// Readers that have waited, and have something to take now.
    woken: Vec<Waker>,
    /// For readers.
    notices: UnboundedSender<Notice>,
}

impl Bodies {
    /// None yet; their readers will send these notices.
    pub(crate) fn new(notices: UnboundedSender<Notice>) -> Self {
        Self {
            opening: ByStream::default(),
            outlets: ByStream::default(),
            woken: Vec::new(),
            notices,
        }
    }

    /// A subscriber waits for its response.
    pub(crate) fn expect(&mut self, stream: StreamId, opened: oneshot::Sender<Opened>) {
        self.opening.insert(stream, opened);
    }

    pub(crate) fn open(&mut self, stream: StreamId, head: http::Response<()>) {
        let (outlet, reader) = outlet::open(stream, self.notices.clone());
        self.outlets.insert(stream, outlet);
        let response = head.map(|()| Body::stream(reader));
        self.respond(stream, Opened::Stream(response));
    }

    pub(crate) fn answer(&mut self, stream: StreamId, answer: Answer) {
        self.respond(stream, Opened::Answer(answer));
    }

    /// If the subscriber has gone, its body is dropped here, and says so.
    fn respond(&mut self, stream: StreamId, opened: Opened) {
        if let Some(subscriber) = self.opening.remove(&stream) {
            let _ = subscriber.send(opened);
        }
    }

    pub(crate) fn write(&mut self, streams: &[StreamId], bytes: &Bytes) {
        for stream in streams {
            let outlet = self.outlets.get(stream);
            self.woken.extend(outlet.and_then(|outlet| outlet.write(bytes.clone())));
        }
    }

    /// How much a stream's reader has taken since this was asked last.
    pub(crate) fn taken(&self, stream: StreamId) -> usize {
        self.outlets.get(&stream).map_or(0, Outlet::taken)
    }

    /// Wakes those readers, at the end of a turn: so what is written in it leaves together.
    pub(crate) fn wake(&mut self) {
        self.woken.drain(..).for_each(Waker::wake);
    }

    /// Ends a stream once its reader has taken all.
    pub(crate) fn close(&mut self, stream: StreamId) {
        if let Some(outlet) = self.outlets.remove(&stream) {
            outlet.close();
        }
    }

    /// Ends a stream; what its reader has not taken is dropped.
    pub(crate) fn cut(&mut self, stream: StreamId) {
        self.outlets.remove(&stream);
    }

    /// Cuts all streams. Subscribers without a response learn it from their dropped senders.
    pub(crate) fn cut_all(&mut self) {
        self.opening.clear();
        self.outlets.clear();
        // A turn that broke off did not come to its end, and those it wrote to wait for that.
        self.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::{Context, Poll, Wake};

    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_reader_that_was_written_to_in_a_turn_that_broke_off_learns_of_its_end() {
        let (notices, _received) = unbounded_channel();
        let mut bodies = Bodies::new(notices);
        let stream = StreamId::new(1);
        let (outlet, mut reader) = outlet::open(stream, bodies.notices.clone());
        bodies.outlets.insert(stream, outlet);
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut context = Context::from_waker(&waker);
        assert!(reader.poll_chunk(&mut context).is_pending());
        bodies.write(&[stream], &Bytes::from("a"));
        // Here the turn panics.
        bodies.cut_all();
        assert!(woken.0.load(Ordering::Relaxed));
        assert_eq!(reader.poll_chunk(&mut context), Poll::Ready(None));
        assert!(reader.was_cut());
    }
}
