//! The readers: all streams, in one thread, which counts what arrives.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead as _, ReadBuf};

use crate::clock::Clock;
use crate::connection::{Connection, Opened};
use crate::failure::Failure;
use crate::figures::{Faults, Latencies};
use crate::http::Malformed;
use crate::hub::Hub;
use crate::order::Order;
use crate::publishers::Publisher;
use crate::scanner::Scanner;

/// How many streams are being opened at a time.
const OPENING: usize = 64;

/// How much is read at once; one buffer serves all streams.
const READ: usize = 256 * 1024;

/// What all streams together have got in this round.
pub(crate) struct Tally {
    clock: Clock,
    buffer: RefCell<Vec<u8>>,
    pub(crate) deliveries: Cell<u64>,
    /// When the last one came, by the clock of the run.
    pub(crate) last: Cell<u64>,
    /// From publication to delivery.
    pub(crate) latencies: RefCell<Latencies>,
    /// How many streams have ended, in all rounds.
    pub(crate) ended: Cell<u64>,
}

/// One stream: its topic, and what it has got of each publisher.
pub(crate) struct Stream {
    topic: usize,
    orders: RefCell<Vec<Order>>,
}

impl Tally {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            buffer: RefCell::new(vec![0; READ]),
            deliveries: Cell::new(0),
            last: Cell::new(0),
            latencies: RefCell::new(Latencies::new()),
            ended: Cell::new(0),
        }
    }

    fn begin(&self) {
        self.deliveries.set(0);
        self.last.set(self.clock.nanoseconds());
        self.latencies.borrow_mut().clear();
    }
}

impl Stream {
    /// Takes what is there to read, until nothing is, or the stream has ended.
    fn poll_read(
        &self,
        context: &mut Context<'_>,
        tally: &Tally,
        opened: &mut Opened,
        scanner: &mut Scanner,
    ) -> Poll<io::Result<()>> {
        let mut buffer = tally.buffer.borrow_mut();
        loop {
            let mut read = ReadBuf::new(&mut buffer);
            match Pin::new(&mut opened.io).poll_read(context, &mut read) {
                Poll::Ready(Ok(())) if read.filled().is_empty() => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(())) => {
                    self.handle_bytes(read.filled(), tally, opened, scanner)
                        .map_err(io::Error::other)?;
                    if opened.body.is_whole() {
                        return Poll::Ready(Ok(()));
                    }
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn handle_bytes(
        &self,
        bytes: &[u8],
        tally: &Tally,
        opened: &mut Opened,
        scanner: &mut Scanner,
    ) -> Result<(), Malformed> {
        let now = tally.clock.nanoseconds();
        let mut orders = self.orders.borrow_mut();
        let mut latencies = tally.latencies.borrow_mut();
        let mut deliveries = 0;
        let done = opened.body.push(bytes, |content| {
            scanner.push(content, |stamp| {
                let order = orders.get_mut(usize::from(stamp.publisher));
                if order.is_some_and(|order| order.handle_arrived(stamp.number)) {
                    deliveries += 1;
                    latencies.record(now.saturating_sub(stamp.nanoseconds));
                }
            });
        });
        if deliveries > 0 {
            tally.deliveries.set(tally.deliveries.get() + deliveries);
            tally.last.set(now);
        }
        done
    }
}

/// Opens so many streams, spread over the topics, and follows them from now on.
///
/// Must run within a `LocalSet`.
pub(crate) async fn open(
    hub: &Hub,
    topics: &[String],
    streams: usize,
    publishers: usize,
    tally: &Rc<Tally>,
    is_open: impl Fn(usize),
) -> Result<Vec<Rc<Stream>>, Failure> {
    let mut all = Vec::with_capacity(streams);
    let numbers: Vec<usize> = (0..streams).collect();
    for batch in numbers.chunks(OPENING) {
        let opening = batch.iter().map(|number| {
            let topic = number % topics.len();
            // One after the other has a stream of each topic.
            let hub = hub.holder(number / topics.len()).clone();
            let request = hub.subscription(&topics[topic]);
            tokio::task::spawn_local(async move {
                let connection = Connection::open(&hub).await?;
                Ok((topic, connection.stream("a subscription", &request).await?))
            })
        });
        for task in opening.collect::<Vec<_>>() {
            let done: Result<_, Failure> =
                task.await.map_err(io::Error::other).map_err(Failure::Machine)?;
            let (topic, opened) = done?;
            let stream =
                Rc::new(Stream { topic, orders: RefCell::new(vec![Order::default(); publishers]) });
            tokio::task::spawn_local(follow(Rc::clone(&stream), opened, Rc::clone(tally)));
            all.push(stream);
        }
        is_open(all.len());
    }
    Ok(all)
}

async fn follow(stream: Rc<Stream>, mut opened: Opened, tally: Rc<Tally>) {
    let mut scanner = Scanner::default();
    let first = std::mem::take(&mut opened.rest);
    if stream.handle_bytes(&first, &tally, &mut opened, &mut scanner).is_ok() {
        // However a stream ends, what it did not deliver is counted as lost.
        let _ =
            poll_fn(|context| stream.poll_read(context, &tally, &mut opened, &mut scanner)).await;
    }
    tally.ended.set(tally.ended.get() + 1);
}

/// Begins a round: what was published before does not count.
pub(crate) fn begin(streams: &[Rc<Stream>], publishers: &[Publisher], tally: &Tally) {
    for stream in streams {
        let mut orders = stream.orders.borrow_mut();
        for (order, publisher) in orders.iter_mut().zip(publishers) {
            order.begin(publisher.sent[stream.topic]);
        }
    }
    tally.begin();
}

/// Whether every stream has got all of its topic.
pub(crate) fn are_complete(streams: &[Rc<Stream>], publishers: &[Publisher]) -> bool {
    streams.iter().all(|stream| {
        let orders = stream.orders.borrow();
        let mut pairs = orders.iter().zip(publishers);
        pairs.all(|(order, publisher)| order.is_complete(publisher.sent[stream.topic]))
    })
}

/// Counts what the streams lack of what was acknowledged, what they got wrongly, and what was not
/// acknowledged.
pub(crate) fn faults(streams: &[Rc<Stream>], publishers: &[Publisher]) -> Faults {
    let refused = publishers.iter().flat_map(|publisher| &publisher.unacknowledged);
    let refused = refused.map(|numbers| numbers.len() as u64).sum();
    let mut faults = Faults { refused, ..Faults::default() };
    for stream in streams {
        for (order, publisher) in stream.orders.borrow().iter().zip(publishers) {
            let topic = stream.topic;
            faults.lost += order.lost(publisher.sent[topic], &publisher.unacknowledged[topic]);
            faults.out_of_order += order.late;
            faults.twice += order.twice;
        }
    }
    faults
}
