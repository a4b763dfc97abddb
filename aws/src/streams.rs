//! The task that owns all streams of this process: the core's [`Holder`], and the log's tail.
//!
//! ```text
//!  subscribers ─▶ arrivals ─┐                    ┌─▶ bodies ─▶ readers
//!  readers ────▶ notices ───┼─▶ Task: Holder ────┤
//!  time ───────▶ timer ─────┘      ▲             └─▶ work: locate, pages, tail
//!                                  └───── done ◀──────┘
//! ```
//!
//! The holder is told of one thing at a time, and whatever asks the log does so apart and reports
//! back; so nothing that takes time holds up a stream. The holder exists while it has streams: the
//! first one creates it, where the log ends at that moment, and the last one takes it away with
//! all work. So a process without streams asks nothing, and one that Lambda froze for hours does
//! not go on from where it was.
//!
//! What the holder knows follows from the log. Where a panic leaves it half-way, streams are cut,
//! and their clients resume with a new holder.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use cinnabar_core::{
    Config, CursorKey, Fetch, Holder, Located, Location, Output, Page, Place, Position, StreamId,
    Subscribe, Timestamp, Unavailable,
};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{error, warn};

use crate::body::{self, Notice, Outlet, Reader};
use crate::log::{LogError, Read};
use crate::pace::{Found, Pace};
use crate::platform;
use crate::source::Source;

/// How many pages of history are read at a time: so much of it is in memory.
const PAGES_AT_ONCE: usize = 4;

/// Tells the time.
pub type Now = fn() -> Timestamp;

/// A handle on the task.
#[derive(Clone, Debug)]
pub struct Streams {
    messages: UnboundedSender<Message>,
}

/// What becomes of a subscriber.
#[derive(Debug)]
pub enum Opened {
    /// A stream.
    Stream(http::Response<()>, Reader),
    /// It cannot be served just now.
    Unavailable(Unavailable),
}

#[derive(Debug)]
enum Message {
    Arrival(Box<Arrival>),
    ShutDown(oneshot::Sender<()>),
}

/// A subscriber that has come.
#[derive(Debug)]
struct Arrival {
    subscribe: Subscribe,
    /// When the platform breaks its response off.
    deadline: Timestamp,
    opened: oneshot::Sender<Opened>,
}

impl Streams {
    /// Starts the task.
    #[must_use]
    pub fn start<S: Source>(config: Arc<Config>, source: S, now: Now) -> Self {
        let (messages, receiver) = mpsc::unbounded_channel();
        tokio::spawn(Task::new(config, source, now, receiver).run());
        Self { messages }
    }

    /// Opens a stream whose response the platform breaks off at `deadline`.
    pub async fn open(&self, subscribe: Subscribe, deadline: Timestamp) -> Opened {
        let unavailable = subscribe.unavailable();
        let (opened, answer) = oneshot::channel();
        let arrival = Arrival { subscribe, deadline, opened };
        // Where the task drops what it was sent, it has started over.
        let _ = self.messages.send(Message::Arrival(Box::new(arrival)));
        answer.await.unwrap_or(Opened::Unavailable(unavailable))
    }

    /// Ends all streams, each with its position, and opens no more.
    pub async fn shut_down(&self) {
        let (done, all_ended) = oneshot::channel();
        let _ = self.messages.send(Message::ShutDown(done));
        let _ = all_ended.await;
    }
}

/// Work that is done, apart from the task.
enum Done<S: Source> {
    /// Where the log ends was looked up.
    Looked(Result<(CursorKey, Place), LogError>),
    Located(StreamId, Result<Located, LogError>),
    Page(StreamId, Result<Page, LogError>),
    Polled(S::Tail, Result<Read, LogError>),
}

struct Task<S: Source> {
    config: Arc<Config>,
    source: S,
    now: Now,
    messages: UnboundedReceiver<Message>,
    notices: UnboundedReceiver<Notice>,
    /// For readers.
    notify: UnboundedSender<Notice>,
    key: Option<CursorKey>,
    holder: Option<Holder>,
    /// Subscribers that have come since the end of the log was last looked up.
    arrivals: Vec<Arrival>,
    /// Those that it is being looked up for.
    awaiting: Option<Vec<Arrival>>,
    /// Those that wait for the holder's answer.
    opening: BTreeMap<StreamId, oneshot::Sender<Opened>>,
    outlets: BTreeMap<StreamId, Outlet>,
    work: JoinSet<Done<S>>,
    /// How many pages are being read.
    pages: usize,
    pace: Pace,
    /// How many streams there ever were.
    streams: u64,
    /// There are to be no more.
    shutting_down: bool,
    /// Who waits for the end of all streams.
    waiting: Vec<oneshot::Sender<()>>,
}

impl<S: Source> Task<S> {
    fn new(config: Arc<Config>, source: S, now: Now, messages: UnboundedReceiver<Message>) -> Self {
        let (notify, notices) = mpsc::unbounded_channel();
        Self {
            pace: Pace::new(&config),
            config,
            source,
            now,
            messages,
            notices,
            notify,
            key: None,
            holder: None,
            arrivals: Vec::new(),
            awaiting: None,
            opening: BTreeMap::new(),
            outlets: BTreeMap::new(),
            work: JoinSet::new(),
            pages: 0,
            streams: 0,
            shutting_down: false,
            waiting: Vec::new(),
        }
    }

    async fn run(mut self) {
        loop {
            let timer = timer(self.holder.as_ref().and_then(Holder::poll_timeout), (self.now)());
            tokio::select! {
                message = self.messages.recv() => match message {
                    Some(message) => self.guard(|task| task.handle_message(message)),
                    None => return,
                },
                Some(notice) = self.notices.recv() => {
                    self.guard(|task| task.handle_notice(notice));
                }
                Some(done) = self.work.join_next() => self.guard(|task| task.handle_done(done)),
                () = timer => self.guard(|task| {
                    let now = (task.now)();
                    task.tell(|holder| holder.handle_timeout(now));
                }),
            }
        }
    }

    /// Runs a step, and then does what the holder wants done. Where that panics, it starts over.
    fn guard(&mut self, step: impl FnOnce(&mut Self)) {
        let stepped = catch_unwind(AssertUnwindSafe(|| {
            step(self);
            self.drive();
        }));
        if stepped.is_err() {
            error!("all streams are cut after a panic; their clients resume");
            self.start_over();
        }
    }

    /// Cuts all streams, and forgets the holder.
    fn start_over(&mut self) {
        self.arrivals.clear();
        self.awaiting = None;
        self.opening.clear();
        self.outlets.clear();
        self.forget();
    }

    /// Forgets the holder and all work for it.
    fn forget(&mut self) {
        self.holder = None;
        self.work = JoinSet::new();
        self.pages = 0;
    }

    fn tell(&mut self, what: impl FnOnce(&mut Holder)) {
        if let Some(holder) = &mut self.holder {
            what(holder);
        }
    }

    fn handle_message(&mut self, message: Message) {
        match message {
            Message::Arrival(arrival) if self.shutting_down => refuse(*arrival),
            Message::Arrival(arrival) => {
                self.arrivals.push(*arrival);
                self.look();
            }
            Message::ShutDown(done) => {
                self.shutting_down = true;
                self.waiting.push(done);
                self.arrivals
                    .drain(..)
                    .chain(self.awaiting.take().into_iter().flatten())
                    .for_each(refuse);
                let now = (self.now)();
                self.tell(|holder| holder.handle_shutdown(now));
            }
        }
    }

    /// Finds out where the log ends, for all that have come: a new holder begins there, and so do
    /// streams, for which what was acknowledged before is no news. The holder's own position is
    /// as old as the last poll.
    fn look(&mut self) {
        if self.awaiting.is_some() || self.arrivals.is_empty() {
            return;
        }
        self.awaiting = Some(std::mem::take(&mut self.arrivals));
        let (source, key, since) = (self.source.clone(), self.key.clone(), (self.now)());
        self.work.spawn(async move {
            let looked = async {
                let key = match key {
                    Some(key) => key,
                    None => source.open().await?,
                };
                Ok((key, Place { position: source.head().await?, since }))
            };
            Done::Looked(looked.await)
        });
    }

    /// The log ends there: those that wait subscribe.
    fn begin(&mut self, key: CursorKey, end: Place) {
        if self.holder.is_none() {
            self.holder = Some(Holder::new(&self.config, key.clone(), end.position));
            self.pace = Pace::new(&self.config);
            self.poll(self.source.tail(end), self.pace.first());
        }
        self.key = Some(key);
        for arrival in self.awaiting.take().into_iter().flatten() {
            self.subscribe(arrival, end.position);
        }
        self.look();
    }

    fn subscribe(&mut self, arrival: Arrival, end: Position) {
        let Arrival { subscribe, deadline, opened } = arrival;
        self.streams += 1;
        let stream = StreamId::new(self.streams);
        self.opening.insert(stream, opened);
        let now = (self.now)();
        self.tell(|holder| {
            holder.handle_subscribe(stream, subscribe, end, now);
            holder.handle_deadline(stream, deadline, now);
        });
    }

    fn handle_notice(&mut self, notice: Notice) {
        let now = (self.now)();
        match notice {
            Notice::Taken(stream, bytes) => {
                self.tell(|holder| holder.handle_taken(stream, bytes, now));
            }
            Notice::Gone(stream) => {
                self.outlets.remove(&stream);
                self.tell(|holder| holder.handle_gone(stream));
            }
        }
    }

    fn handle_done(&mut self, done: Result<Done<S>, JoinError>) {
        let now = (self.now)();
        match done {
            Ok(Done::Looked(Ok((key, end)))) => self.begin(key, end),
            Ok(Done::Looked(Err(error))) => {
                error!(%error, "no stream can be opened");
                self.awaiting.take().into_iter().flatten().for_each(refuse);
                self.look();
            }
            Ok(Done::Located(stream, Ok(located))) => {
                self.tell(|holder| holder.handle_located(stream, &located, now));
            }
            Ok(Done::Page(stream, Ok(page))) => {
                self.pages -= 1;
                self.tell(|holder| holder.handle_page(stream, &page, now));
            }
            Ok(Done::Located(stream, Err(error))) => {
                error!(%error, "a place in the log could not be found");
                self.tell(|holder| holder.handle_failure(stream));
            }
            Ok(Done::Page(stream, Err(error))) => {
                self.pages -= 1;
                error!(%error, "a page of the log could not be read");
                self.tell(|holder| holder.handle_failure(stream));
            }
            Ok(Done::Polled(tail, read)) => self.handle_read(tail, read, now),
            // Nobody knows for which stream it was.
            Err(_) => {
                error!("all streams are cut after a panic; their clients resume");
                self.start_over();
            }
        }
    }

    fn handle_read(&mut self, tail: S::Tail, read: Result<Read, LogError>, now: Timestamp) {
        let found = match read {
            Ok(read) => {
                self.tell(|holder| {
                    holder.handle_appended(&read.updates, now);
                    holder.handle_reached(read.reached);
                });
                match read {
                    Read { more: true, .. } => Found::More,
                    Read { hole: true, .. } => Found::Something,
                    Read { updates, .. } if !updates.is_empty() => Found::Something,
                    _ => Found::Nothing,
                }
            }
            Err(error @ LogError::Overtaken) => {
                error!(%error, "all streams are cut; their clients resume");
                return self.start_over();
            }
            Err(error) => {
                match error {
                    LogError::Unavailable(_) => warn!(%error, "the log could not be followed"),
                    _ => error!(%error, "the log cannot be followed, and somebody has to look"),
                }
                Found::Failure
            }
        };
        // Without randomness the wait is the shortest.
        let [random] = platform::entropy().unwrap_or_default();
        let wait = self.pace.after(found, random);
        self.poll(tail, wait);
    }

    /// Looks at the log after a while.
    fn poll(&mut self, mut tail: S::Tail, wait: Duration) {
        self.work.spawn(async move {
            sleep(wait).await;
            let read = S::poll(&mut tail).await;
            Done::Polled(tail, read)
        });
    }

    /// Does what the holder wants done, until there is nothing left.
    fn drive(&mut self) {
        while let Some(output) = self.holder.as_mut().and_then(Holder::poll_output) {
            match output {
                Output::Open { stream, response, joins } => {
                    let (outlet, reader) = body::stream(stream, joins, self.notify.clone());
                    self.outlets.insert(stream, outlet);
                    self.answer(stream, Opened::Stream(response, reader));
                }
                Output::Answer { stream, unavailable } => {
                    self.answer(stream, Opened::Unavailable(unavailable));
                }
                Output::Write { streams, bytes } => {
                    for outlet in streams.iter().filter_map(|stream| self.outlets.get(stream)) {
                        outlet.write(bytes.clone());
                    }
                }
                Output::Locate { stream, location } => self.locate(stream, location),
                Output::Close { stream } => {
                    if let Some(outlet) = self.outlets.remove(&stream) {
                        outlet.close();
                    }
                }
                Output::Cut { stream } => {
                    self.outlets.remove(&stream);
                }
            }
        }
        self.replay();
        let is_idle = self.holder.as_ref().is_some_and(|holder| holder.streams() == 0);
        if is_idle && self.awaiting.is_none() {
            self.forget();
        }
        if self.holder.is_none() {
            for done in self.waiting.drain(..) {
                let _ = done.send(());
            }
        }
    }

    /// Answers a subscriber. If it has gone, its reader is dropped and says so.
    fn answer(&mut self, stream: StreamId, answer: Opened) {
        if let Some(opened) = self.opening.remove(&stream) {
            let _ = opened.send(answer);
        }
    }

    fn locate(&mut self, stream: StreamId, location: Location) {
        let Some(end) = self.holder.as_ref().map(Holder::position) else { return };
        let floor = end.back(self.config.replay_max);
        let source = self.source.clone();
        self.work
            .spawn(async move { Done::Located(stream, source.locate(location, floor, end).await) });
    }

    /// Reads the pages of history that streams ask for, a few at a time.
    fn replay(&mut self) {
        let Some(holder) = &mut self.holder else { return };
        while self.pages < PAGES_AT_ONCE
            && let Some(fetch) = holder.poll_fetch()
        {
            let Fetch { stream, .. } = fetch;
            let Some(subscription) = holder.subscription(stream) else { continue };
            let source = self.source.clone();
            self.pages += 1;
            self.work
                .spawn(async move { Done::Page(stream, source.page(fetch, subscription).await) });
        }
    }
}

/// Answers a subscriber that there cannot be a stream for.
fn refuse(arrival: Arrival) {
    let _ = arrival.opened.send(Opened::Unavailable(arrival.subscribe.unavailable()));
}

/// Waits until a moment; without one, for ever.
async fn timer(at: Option<Timestamp>, now: Timestamp) {
    match at {
        Some(at) => sleep_until(Instant::now() + at.since(now)).await,
        None => std::future::pending().await,
    }
}
