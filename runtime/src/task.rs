//! The task that owns the core's [`Holder`].
//!
//! The holder is told of one thing at a time, and then everything it wants done is done. It exists
//! while it has streams: the first one creates it, where the log ends at that moment, and the last
//! one takes it away, with the tail and all other work. So a process without streams asks nothing,
//! and one that was frozen for hours does not go on from where it was.
//!
//! What the holder knows follows from the log. Where a panic leaves it half-way, streams are cut,
//! and their clients resume with a new holder.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;
use cinnabar_core::{
    ActiveSubscription, Answer, Config, CursorKey, Holder, Location, Place, Shell, StreamId,
    Subscriptions, Timestamp,
};
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::sync::oneshot;
use tokio::task::{JoinError, yield_now};
use tracing::{error, warn};

use crate::alarm::Alarm;
use crate::arrivals::{Arrival, Arrivals};
use crate::bodies::Bodies;
use crate::machine::Now;
use crate::outlet::Notice;
use crate::records::{Recorded, Records};
use crate::source::{Fault, Read, Source, SourceError};
use crate::work::{Done, Work};

/// How many notices of readers are handled in one turn. Under load there is one for each stream and
/// write, and a turn costs as much.
const NOTICES: usize = 1024;

/// What the handles ask of the task.
#[derive(Debug)]
pub(crate) enum Message {
    Arrival(Box<Arrival>),
    /// To be answered when the log has been told who came and went.
    Tell(oneshot::Sender<()>),
    /// To be answered when all streams have ended.
    ShutDown(oneshot::Sender<()>),
}

pub(crate) struct Task<S: Source> {
    config: Arc<Config>,
    now: Now,
    messages: UnboundedReceiver<Message>,
    notices: UnboundedReceiver<Notice>,
    arrivals: Arrivals,
    holder: Option<Holder>,
    bodies: Bodies,
    work: Work<S>,
    records: Records<S>,
    /// How many streams there ever were.
    streams: u64,
    /// Those that wait until the log has been told who came and went.
    telling: Vec<oneshot::Sender<()>>,
    /// Those that wait for the end of all streams; `None` while more may be opened.
    shutting_down: Option<Vec<oneshot::Sender<()>>>,
}

impl<S: Source> Task<S> {
    pub(crate) fn new(
        config: Arc<Config>,
        source: S,
        now: Now,
        messages: UnboundedReceiver<Message>,
    ) -> Self {
        let (notify, notices) = mpsc::unbounded_channel();
        Self {
            config,
            now,
            messages,
            notices,
            arrivals: Arrivals::default(),
            holder: None,
            bodies: Bodies::new(notify),
            records: Records::new(source.clone()),
            work: Work::new(source, now),
            streams: 0,
            telling: Vec::new(),
            shutting_down: None,
        }
    }

    /// Runs until there is no handle left.
    pub(crate) async fn run(mut self) {
        let mut notices = Vec::new();
        let mut alarm = Alarm::default();
        // A process that was killed could not say that its streams had ended.
        self.records.search(String::new());
        loop {
            alarm.set(self.holder.as_ref().and_then(Holder::poll_timeout), (self.now)());
            tokio::select! {
                message = self.messages.recv() => match message {
                    Some(message) => self.guard(|task| task.handle_message(message)),
                    None => return,
                },
                _ = self.notices.recv_many(&mut notices, NOTICES) => {
                    // Readers that were woken together take together. A turn for each of them
                    // would cost as much as what they do.
                    yield_now().await;
                    let more = std::iter::from_fn(|| self.notices.try_recv().ok());
                    notices.extend(more.take(NOTICES));
                    self.guard(|task| {
                        let now = (task.now)();
                        notices.drain(..).for_each(|notice| task.handle_notice(notice, now));
                    });
                }
                Some(done) = self.work.next() => self.guard(|task| task.handle_done(done)),
                Some(recorded) = self.records.next() => {
                    self.guard(|task| task.handle_recorded(recorded));
                }
                () = alarm.ring() => self.guard(|task| {
                    let now = (task.now)();
                    task.tell(|holder| holder.handle_timeout(now));
                }),
            }
        }
    }

    /// Runs a step, and then does what the holder wants done. If that panics, it starts over.
    fn guard(&mut self, step: impl FnOnce(&mut Self)) {
        let stepped = catch_unwind(AssertUnwindSafe(|| {
            step(self);
            self.drive();
        }));
        if stepped.is_err() {
            self.start_over("a panic");
        }
        self.settle();
    }

    /// Cuts all streams, and forgets the holder.
    fn start_over(&mut self, reason: &str) {
        error!("all streams are cut, and their clients resume: {reason}");
        self.arrivals = Arrivals::default();
        self.bodies.cut_all();
        self.forget();
        self.records.outlive();
        self.records.search(String::new());
        // What was still on its way into the log is not found before it is there; and a search that is
        // under way is past some of it.
        self.records.search_later();
    }

    /// Forgets the holder and all work for it.
    fn forget(&mut self) {
        self.holder = None;
        self.work.abandon();
    }

    /// Forgets a holder without streams, and says so to those that wait for it.
    fn settle(&mut self) {
        let is_idle = self.holder.as_ref().is_some_and(Holder::is_idle);
        if is_idle && !self.arrivals.is_looking() {
            self.forget();
        }
        if self.records.are_done() {
            for done in self.telling.drain(..) {
                let _ = done.send(());
            }
        }
        if self.holder.is_none() && self.records.are_done() {
            for done in self.shutting_down.iter_mut().flat_map(std::mem::take) {
                let _ = done.send(());
            }
        }
    }

    fn tell(&mut self, what: impl FnOnce(&mut Holder)) {
        if let Some(holder) = &mut self.holder {
            what(holder);
        }
    }

    fn handle_message(&mut self, message: Message) {
        match message {
            Message::Arrival(arrival) if self.shutting_down.is_some() => {
                arrival.refuse((self.now)())
            }
            Message::Arrival(arrival) => {
                self.arrivals.push(*arrival);
                self.look_up();
            }
            Message::Tell(done) => self.telling.push(done),
            Message::ShutDown(done) => {
                self.shutting_down.get_or_insert_default().push(done);
                let now = (self.now)();
                self.arrivals.refuse_all(now);
                self.tell(|holder| holder.handle_shutdown(now));
            }
        }
    }

    fn handle_notice(&mut self, notice: Notice, now: Timestamp) {
        match notice {
            Notice::Taken(stream) => {
                let bytes = self.bodies.taken(stream);
                self.tell(|holder| holder.handle_taken(stream, bytes, now));
            }
            Notice::Gone(stream) => {
                self.bodies.cut(stream);
                self.tell(|holder| holder.handle_gone(stream));
            }
        }
    }

    fn handle_done(&mut self, done: Result<Done<S>, JoinError>) {
        let now = (self.now)();
        match done {
            Ok(Done::LookedUp(Ok((key, end)))) => self.begin(key, end),
            Ok(Done::LookedUp(Err(error))) => {
                report(&error, "no stream can be opened");
                self.arrivals.end_lookup().into_iter().for_each(|arrival| arrival.refuse(now));
                self.look_up();
            }
            Ok(Done::Located(stream, Ok(located))) => {
                self.tell(|holder| holder.handle_located(stream, &located, now));
            }
            Ok(Done::Located(stream, Err(error))) => {
                report(&error, "a place in the log could not be found");
                self.tell(|holder| holder.handle_failure(stream, now));
            }
            Ok(Done::Page(stream, Ok(page))) => {
                self.tell(|holder| holder.handle_page(stream, &page, now));
            }
            Ok(Done::Page(stream, Err(error))) => {
                report(&error, "a page of the log could not be read");
                self.tell(|holder| holder.handle_failure(stream, now));
            }
            Ok(Done::Read(tail, read)) => self.handle_read(tail, read, now),
            // It is not known which stream the call was for.
            Err(_) => self.start_over("a panic in a call of the log"),
        }
    }

    fn handle_recorded(&mut self, recorded: Result<Recorded<S::Error>, JoinError>) {
        let now = (self.now)();
        match recorded {
            Ok(Recorded::Registered(stream, Ok(()))) => {
                self.tell(|holder| holder.handle_registered(stream, now));
            }
            Ok(Recorded::Registered(stream, Err(error))) => {
                report(&error, "a subscriber could not be told of, and was asked to come back");
                self.tell(|holder| holder.handle_failure(stream, now));
                // It may have been noted all the same.
                self.records.search_later();
            }
            Ok(Recorded::Outlived(subscriptions)) => self.records.unregister(subscriptions),
            Ok(Recorded::Unregistered(Ok(()))) => {}
            Ok(Recorded::Unregistered(Err(error))) => {
                report(&error, "the end of a subscription could not be told yet");
                self.records.search_later();
            }
            Ok(Recorded::Found(Ok(found))) => self.handle_found(found),
            Ok(Recorded::Found(Err(error))) => {
                report(&error, "the log could not be searched for subscriptions that have ended");
                self.records.search_later();
            }
            // It is not known which stream the call was for.
            Err(_) => self.start_over("a panic in a call of the log"),
        }
    }

    /// What the log notes as active, and no stream has, has ended.
    fn handle_found(&mut self, found: Vec<ActiveSubscription>) {
        let Some(last) = found.last() else { return self.records.end_search() };
        let after = last.topic().to_owned();
        let found = self.records.settled(found);
        let absent = match &self.holder {
            Some(holder) => holder.absent(found),
            None => found,
        };
        match absent.is_empty() {
            true => self.records.search(after),
            false => self.records.unregister_found(absent.into(), after),
        }
    }

    fn handle_read(&mut self, tail: S::Tail, read: Result<Read, S::Error>, now: Timestamp) {
        match read {
            Ok(Read { updates, reached }) => self.tell(|holder| {
                holder.handle_appended(&updates, now);
                holder.handle_reached(reached);
            }),
            Err(error) if error.fault() == Fault::Overtaken => {
                return self.start_over(&error.to_string());
            }
            Err(error) => report(&error, "the log could not be followed"),
        }
        self.work.read(tail);
    }

    /// Looks up where the log ends, if someone is waiting for that.
    fn look_up(&mut self) {
        if self.arrivals.begin_lookup() {
            self.work.look_up();
        }
    }

    /// The log ends there: those that waited to know subscribe.
    fn begin(&mut self, key: CursorKey, end: Place) {
        let arrivals = self.arrivals.end_lookup();
        if self.holder.is_none() && !arrivals.is_empty() {
            self.holder = Some(Holder::new(&self.config, key, end));
            self.work.follow(end);
        }
        for arrival in arrivals {
            self.subscribe(arrival, end);
        }
        self.look_up();
    }

    fn subscribe(&mut self, arrival: Arrival, end: Place) {
        let Arrival { subscribe, deadline, opened, room } = arrival;
        // It waits no longer: from here on, the holder's bounds are its own.
        drop(room);
        self.streams += 1;
        let stream = StreamId::new(self.streams);
        self.bodies.expect(stream, opened);
        let now = (self.now)();
        self.tell(|holder| {
            holder.handle_subscribe(stream, subscribe, end, now);
            if let Some(deadline) = deadline {
                holder.handle_deadline(stream, deadline, now);
            }
        });
    }

    /// Does what the holder wants done, until there is nothing left.
    fn drive(&mut self) {
        let Some(holder) = &mut self.holder else { return };
        holder.drive(&mut Driven {
            bodies: &mut self.bodies,
            work: &mut self.work,
            records: &mut self.records,
        });
        while self.work.takes_pages()
            && let Some((fetch, subscription)) = holder.poll_fetch()
        {
            self.work.page(fetch, subscription);
        }
        self.bodies.wake();
    }
}

/// What the holder has at its disposal.
struct Driven<'a, S: Source> {
    bodies: &'a mut Bodies,
    work: &'a mut Work<S>,
    records: &'a mut Records<S>,
}

impl<S: Source> Shell for Driven<'_, S> {
    fn open(&mut self, stream: StreamId, response: http::Response<()>) {
        self.bodies.open(stream, response);
    }

    fn answer(&mut self, stream: StreamId, answer: Answer) {
        self.bodies.answer(stream, answer);
    }

    fn write(&mut self, streams: &[StreamId], bytes: &Bytes) {
        self.bodies.write(streams, bytes);
    }

    fn locate(&mut self, stream: StreamId, location: Location) {
        self.work.locate(stream, location);
    }

    fn register(&mut self, stream: StreamId, subscriptions: Subscriptions) {
        self.records.register(stream, subscriptions);
    }

    fn unregister(&mut self, subscriptions: Subscriptions) {
        self.records.unregister(subscriptions);
    }

    fn close(&mut self, stream: StreamId) {
        self.bodies.close(stream);
    }

    fn cut(&mut self, stream: StreamId) {
        self.bodies.cut(stream);
    }
}

fn report(error: &impl SourceError, what: &str) {
    match error.fault() {
        Fault::Passing | Fault::Overtaken => warn!(%error, "{what}"),
        Fault::Lasting => error!(%error, "{what}, and somebody has to look at the log"),
    }
}
