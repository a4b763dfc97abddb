//! All streams held here: the [`Holder`] that decides, their bodies, their timer, and what they ask
//! of the log.
//!
//! ```text
//!  subscriber ──▶ ┌────────┐ ──▶ response, bytes
//!  updates    ──▶ │ Holder │
//!  taken, gone ─▶ │        │ ──▶ places, pages ──▶ Source
//!  timer      ──▶ └────────┘ ◀───────────────────────┘
//! ```
//!
//! Nothing here assumes that the log is in the same object: see [`Source`]. Whatever the holder is
//! told, it is driven afterwards, in the same turn.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use bytes::Bytes;
use cinnabar_core::{
    Answer, Appended, Fetch, Holder, Location, Place, Shell, StreamId, Subscribe, Subscriptions,
    Timestamp,
};
use futures_channel::oneshot;
use wasm_bindgen::JsValue;
use worker::{console_error, web_sys};

use crate::object::Object;
use crate::sink::Bodies;
use crate::source::Source;
use crate::timer::Timer;
use crate::{answer, platform};

type Response = Result<web_sys::Response, JsValue>;

/// All streams held here, over the log that they follow.
pub(crate) struct Streams<S> {
    object: Rc<Object>,
    source: Rc<S>,
    holder: RefCell<Holder>,
    bodies: Bodies,
    arrivals: Arrivals,
    timer: Timer,
    replaying: Cell<bool>,
}

impl<S: Source> Streams<S> {
    pub(crate) fn new(object: Rc<Object>, source: Rc<S>, holder: Holder) -> Rc<Self> {
        Rc::new_cyclic(|this: &Weak<Self>| {
            let (taken, gone, timer) = (this.clone(), this.clone(), this.clone());
            Self {
                object,
                source,
                holder: RefCell::new(holder),
                bodies: Bodies::new(
                    move |takings| {
                        notice(&taken, |streams| {
                            streams.tell(|holder, now| {
                                for (stream, bytes) in takings {
                                    holder.handle_taken(stream, bytes, now);
                                }
                            });
                        });
                    },
                    move |stream| {
                        notice(&gone, |streams| {
                            streams.tell(|holder, _| holder.handle_gone(stream));
                        });
                    },
                ),
                arrivals: Arrivals::default(),
                timer: Timer::new(move || notice(&timer, Self::wake)),
                replaying: Cell::new(false),
            }
        })
    }

    /// Opens a stream: its response, once the holder has opened or refused it.
    pub(crate) async fn subscribe(self: &Rc<Self>, subscribe: Subscribe) -> Response {
        let end = match self.source.end().await {
            Ok(end) => end,
            Err(error) => {
                console_error!("the end of the log could not be read: {error}");
                return answer::whole(subscribe.unavailable(platform::now()));
            }
        };
        let (stream, response) = self.arrivals.arrive();
        self.tell(|holder, now| holder.handle_subscribe(stream, subscribe, end, now));
        response.await.unwrap_or_else(|_| Err("the holder did not answer a subscriber".into()))
    }

    /// Whether there is nothing to do, and nothing is to be told to others.
    pub(crate) fn is_idle(&self) -> bool {
        self.holder.borrow().is_idle()
    }

    /// Whether there is room for one more stream, of this subscriber.
    pub(crate) fn has_room_for(&self, subscribe: &Subscribe) -> bool {
        self.holder.borrow().has_room_for(subscribe)
    }

    /// Another log is followed from now on, or the same from another place. There are no streams.
    pub(crate) fn begin(&self, holder: Holder) {
        self.holder.replace(holder);
    }

    /// How far the log was known to reach at a moment.
    pub(crate) fn handle_reached(&self, reached: Place) {
        self.holder.borrow_mut().handle_reached(reached);
    }

    /// These updates have become durable; they follow those of the last call, in order.
    pub(crate) fn handle_appended(self: &Rc<Self>, appended: &[Appended]) {
        self.tell(|holder, now| holder.handle_appended(appended, now));
    }

    /// The timer has rung.
    fn wake(self: &Rc<Self>) {
        self.tell(|holder, now| {
            // Positions are told at such times. That of a quiet log would be told with an old time.
            if let Some(reached) = self.source.reached() {
                holder.handle_reached(reached);
            }
            holder.handle_timeout(now);
        });
    }

    /// Tells the holder something, and does what it wants done then.
    fn tell(self: &Rc<Self>, tell: impl FnOnce(&mut Holder, Timestamp)) {
        tell(&mut self.holder.borrow_mut(), platform::now());
        self.drive();
    }

    /// Does what the holder wants done, until there is nothing left, and sets the timer.
    fn drive(self: &Rc<Self>) {
        self.holder.borrow_mut().drive(&mut Driven(self));
        self.replay();
        // `None` where there is no stream: no timer outlives the last one.
        self.timer.set(self.holder.borrow().poll_timeout());
        self.source.attend();
    }

    /// Reads the pages of history that streams ask for: one at a time, so that memory holds one, and
    /// others run after each.
    fn replay(self: &Rc<Self>) {
        if self.replaying.get() {
            return;
        }
        let mut next = self.poll_fetch();
        self.replaying.set(next.is_some());
        if next.is_none() {
            return;
        }
        let (this, source) = (Rc::downgrade(self), Rc::clone(&self.source));
        self.object.spawn(async move {
            while let Some((fetch, subscription)) = next {
                let page = source.page(&fetch, &subscription).await;
                let Some(streams) = this.upgrade() else { return };
                streams.handle_answer(fetch.stream, page, Holder::handle_page);
                drop(streams);
                platform::let_others_run().await;
                let Some(streams) = this.upgrade() else { return };
                next = streams.poll_fetch();
                streams.replaying.set(next.is_some());
            }
        });
    }

    fn poll_fetch(&self) -> Option<(Fetch, Arc<Subscribe>)> {
        self.holder.borrow_mut().poll_fetch()
    }

    /// Hands the log's answer to the holder.
    fn handle_answer<T>(
        self: &Rc<Self>,
        stream: StreamId,
        answer: worker::Result<T>,
        handle: fn(&mut Holder, StreamId, &T, Timestamp),
    ) {
        self.tell(|holder, now| match answer {
            Ok(answer) => handle(holder, stream, &answer, now),
            Err(error) => {
                console_error!("the log could not be read: {error}");
                holder.handle_failure(stream, now);
            }
        });
    }
}

/// What the holder has at its disposal: everything but itself, which is borrowed meanwhile.
struct Driven<'a, S>(&'a Rc<Streams<S>>);

impl<S: Source> Shell for Driven<'_, S> {
    fn open(&mut self, stream: StreamId, response: http::Response<()>) {
        let body = self.0.bodies.open(stream);
        self.0.arrivals.respond(stream, answer::streamed(&response, &body));
    }

    fn answer(&mut self, stream: StreamId, answer: Answer) {
        self.0.arrivals.respond(stream, answer::whole(answer));
    }

    fn write(&mut self, streams: &[StreamId], bytes: &Bytes) {
        self.0.bodies.write(streams, bytes);
    }

    fn locate(&mut self, stream: StreamId, location: Location) {
        let (this, source) = (Rc::downgrade(self.0), Rc::clone(&self.0.source));
        self.0.object.spawn(async move {
            let located = source.locate(location).await;
            if let Some(streams) = this.upgrade() {
                streams.handle_answer(stream, located, Holder::handle_located);
            }
        });
    }

    fn register(&mut self, stream: StreamId, subscriptions: Subscriptions) {
        let (this, source) = (Rc::downgrade(self.0), Rc::clone(&self.0.source));
        self.0.object.spawn(async move {
            if let Err(error) = source.register(subscriptions).await {
                console_error!("a subscriber could not be told of: {error}");
                if let Some(streams) = this.upgrade() {
                    streams.tell(|holder, now| holder.handle_failure(stream, now));
                }
            }
        });
    }

    fn unregister(&mut self, subscriptions: Subscriptions) {
        self.0.source.unregister(subscriptions);
    }

    fn close(&mut self, stream: StreamId) {
        self.0.bodies.close(stream);
    }

    fn cut(&mut self, stream: StreamId) {
        self.0.bodies.cut(stream);
    }
}

/// Attends to something that the runtime calls about: a reader, or the timer.
fn notice<S: Source>(streams: &Weak<Streams<S>>, attend: impl FnOnce(&Rc<Streams<S>>)) {
    let Some(streams) = streams.upgrade() else { return };
    streams.object.guard(|| attend(&streams));
}

/// Subscribers who wait for their response.
#[derive(Default)]
struct Arrivals {
    count: Cell<u64>,
    waiting: RefCell<BTreeMap<StreamId, oneshot::Sender<Response>>>,
}

impl Arrivals {
    /// A subscriber has arrived: its stream, and the promise of its response.
    fn arrive(&self) -> (StreamId, oneshot::Receiver<Response>) {
        self.count.set(self.count.get() + 1);
        let stream = StreamId::new(self.count.get());
        let (respond, response) = oneshot::channel();
        self.waiting.borrow_mut().insert(stream, respond);
        (stream, response)
    }

    fn respond(&self, stream: StreamId, response: Response) {
        if let Some(respond) = self.waiting.borrow_mut().remove(&stream) {
            // Nobody waits for the response of a request that has ended.
            let _ = respond.send(response);
        }
    }
}
