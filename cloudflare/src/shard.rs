//! The Durable Object: one log, and the streams that follow it.
//!
//! A publisher is answered as soon as its update is in the database; the runtime's output gate
//! holds the answer back until the write is durable. Bytes into a response that is already open
//! pass no gate, so updates are queued until storage has synced, and only then given to the
//! [`Holder`]: a moment later, so that no publisher waits for the fan-out. Whoever subscribes in
//! between begins behind what is durable.
//!
//! The holder and its streams live in memory, and all they know follows from the log. So where a
//! write fails, or a panic leaves them half-way, the object starts over: streams are cut, and
//! their clients resume from the log.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use cinnabar_core::{
    Appended, Command, Config, Fetch, Holder, Output, Position, Publish, StreamId, Subscribe,
    Timestamp, Unavailable, Update, misconfigured,
};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::{Closure, wasm_bindgen};
use worker::web_sys::{self, ReadableStream};
use worker::{Delay, DurableObject, Env, Request, Response, State, console_error, durable_object};

use crate::log::Log;
use crate::object::Object;
use crate::sink::Bodies;
use crate::{answer, platform};

/// How often `/healthz` touches the database at most.
const HEALTH_INTERVAL: Duration = Duration::from_secs(10);

/// How much data is given to readers at a time; they take it before there is more.
const PORTION: usize = 128 * 1024;

/// How much data may wait to be given to readers; past it, publishers have to wait.
const BACKLOG: usize = 16 * 1024 * 1024;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Closure<dyn FnMut()>, millis: f64) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue);
}

/// The class of the Durable Object.
#[durable_object(alarm)]
pub struct Shard(AssertUnwindSafe<Result<Rc<Hub>, Broken>>);

/// Why an object cannot serve; the reason is on the console.
enum Broken {
    Configuration,
    Log,
}

impl DurableObject for Shard {
    fn new(state: State, env: Env) -> Self {
        let object = Object::new(state);
        let hub = match platform::config(&env) {
            None => Err(Broken::Configuration),
            Some(config) => Hub::open(object, &config).map_err(|()| Broken::Log),
        };
        Self(AssertUnwindSafe(hub))
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        let command = Command::from_bytes(&request.bytes().await?)
            .map_err(|error| worker::Error::from(error.to_string()))?;
        let response = match &*self.0 {
            Ok(hub) => hub.guard(|| hub.carry_out(command)),
            Err(Broken::Log) => answer::unavailable(command.unavailable()),
            Err(Broken::Configuration) => answer::whole(misconfigured()),
        };
        Ok(response?.into())
    }

    async fn alarm(&self) -> worker::Result<Response> {
        if let Ok(hub) = &*self.0 {
            hub.guard(|| hub.sweep())?;
        }
        Response::empty()
    }
}

/// What the object is made of.
struct Hub {
    object: Object,
    log: Log,
    holder: RefCell<Holder>,
    bodies: Bodies,
    /// Responses of streams that were just opened, or refused.
    opened: RefCell<BTreeMap<StreamId, Opened>>,
    streams: Cell<u64>,
    /// Updates that are in the database, and may not be durable yet.
    appended: RefCell<VecDeque<Appended>>,
    /// How much data they hold.
    backlog: Cell<usize>,
    /// The last update that is durable; the holder hears of it a moment later.
    durable: Cell<Position>,
    flushing: Cell<bool>,
    replaying: Cell<bool>,
    wake: Closure<dyn FnMut()>,
    timer: RefCell<Option<(Timestamp, JsValue)>>,
    has_alarm: Cell<bool>,
    /// When the database was last tried, and whether it was well.
    health: Cell<Option<(Timestamp, bool)>>,
    this: Weak<Self>,
}

enum Opened {
    Stream(http::Response<()>, ReadableStream),
    Unavailable(Unavailable),
}

impl Hub {
    fn open(object: Object, config: &Config) -> Result<Rc<Self>, ()> {
        let opened = Log::open(object.sql(), config.history_size(), config.history_age())
            .and_then(|log| Ok((log.cursor_key()?, log)));
        let (key, log) = opened.map_err(|error| {
            // The next request finds a new object, which tries again.
            console_error!("the log cannot be opened: {error}");
            object.abort("the log cannot be opened");
        })?;
        let newest = log.newest();
        let holder = Holder::new(config, key, newest);
        Ok(Rc::new_cyclic(|this: &Weak<Self>| {
            let (taken, gone, wake) = (this.clone(), this.clone(), this.clone());
            Self {
                bodies: Bodies::new(
                    move |takings| {
                        attend(&taken, |hub| {
                            let now = platform::now();
                            for (stream, bytes) in takings {
                                hub.holder.borrow_mut().handle_taken(stream, bytes, now);
                            }
                        });
                    },
                    move |stream| {
                        attend(&gone, |hub| hub.holder.borrow_mut().handle_gone(stream));
                    },
                ),
                wake: Closure::own_assert_unwind_safe(move || {
                    attend(&wake, |hub| {
                        hub.timer.take();
                        hub.holder.borrow_mut().handle_timeout(platform::now());
                    });
                }),
                object,
                log,
                holder: RefCell::new(holder),
                opened: RefCell::default(),
                streams: Cell::new(0),
                appended: RefCell::default(),
                backlog: Cell::new(0),
                durable: Cell::new(newest),
                flushing: Cell::new(false),
                replaying: Cell::new(false),
                timer: RefCell::new(None),
                has_alarm: Cell::new(false),
                health: Cell::new(None),
                this: this.clone(),
            }
        }))
    }

    fn carry_out(&self, command: Command) -> Result<web_sys::Response, JsValue> {
        match command {
            Command::Publish(publish) => self.publish(publish),
            Command::Subscribe(subscribe) => self.subscribe(subscribe),
            Command::CheckHealth(check) if self.is_healthy() => answer::whole(check.healthy()),
            Command::CheckHealth(_) => answer::unavailable(command.unavailable()),
        }
    }

    fn publish(&self, publish: Publish) -> Result<web_sys::Response, JsValue> {
        if self.backlog.get() > BACKLOG {
            return answer::unavailable(Command::Publish(publish).unavailable());
        }
        let accepted = answer::whole(publish.accepted())?;
        let now = platform::now();
        match self.log.append(publish.update(), now) {
            Ok(position) => {
                let update: Arc<Update> = Arc::new(publish.into_update());
                self.backlog.set(self.backlog.get() + update.data().len());
                self.appended.borrow_mut().push_back(Appended { position, update });
                self.flush();
                self.trim(now);
                Ok(accepted)
            }
            Err(error) => {
                console_error!("an update could not be appended: {error}");
                answer::unavailable(Command::Publish(publish).unavailable())
            }
        }
    }

    fn subscribe(&self, subscribe: Subscribe) -> Result<web_sys::Response, JsValue> {
        self.streams.set(self.streams.get() + 1);
        let stream = StreamId::new(self.streams.get());
        let (end, now) = (self.durable.get(), platform::now());
        self.holder.borrow_mut().handle_subscribe(stream, subscribe, end, now);
        self.drive();
        // The log answers at once, so by now the stream was opened or refused.
        match self.opened.borrow_mut().remove(&stream) {
            Some(Opened::Stream(head, body)) => answer::streamed(&head, &body),
            Some(Opened::Unavailable(unavailable)) => answer::unavailable(unavailable),
            None => Err("the holder did not answer a subscriber".into()),
        }
    }

    fn is_healthy(&self) -> bool {
        let now = platform::now();
        match self.health.get() {
            Some((at, well)) if now.since(at) < HEALTH_INTERVAL => well,
            _ => {
                let well = self.log.check_health(now).inspect_err(|error| {
                    console_error!("the log is not healthy: {error}");
                });
                self.health.set(Some((now, well.is_ok())));
                well.is_ok()
            }
        }
    }

    /// Gives appended updates to the holder as they become durable.
    fn flush(&self) {
        if self.flushing.replace(true) {
            return;
        }
        let this = self.this.clone();
        self.object.wait_until(async move {
            while let Some(hub) = this.upgrade() {
                let mut durable = hub.appended.borrow().len();
                let Some(last) = hub.appended.borrow().back().map(|last| last.position) else {
                    hub.flushing.set(false);
                    break;
                };
                if let Err(error) = hub.object.sync().await {
                    // Nobody was shown these updates, and their publishers' answers are held.
                    hub.start_over(&format!("storage did not sync: {error}"));
                    break;
                }
                hub.durable.set(last);
                // The publishers' answers, which this has let go, are on their way first.
                Delay::from(Duration::ZERO).await;
                while durable > 0 {
                    let portion = hub.portion(durable);
                    durable -= portion.len();
                    attend(&this, |hub| {
                        hub.holder.borrow_mut().handle_appended(&portion, platform::now());
                    });
                    if durable > 0 {
                        Delay::from(Duration::ZERO).await;
                    }
                }
            }
        });
    }

    /// Takes the next of the durable updates: as many as a portion holds, and at least one.
    fn portion(&self, durable: usize) -> Vec<Appended> {
        let mut appended = self.appended.borrow_mut();
        let mut length = 0;
        let count = appended
            .iter()
            .take(durable)
            .take_while(|next| {
                let fits = length < PORTION;
                length += next.update.data().len();
                fits
            })
            .count();
        let portion: Vec<Appended> = appended.drain(..count).collect();
        let given: usize = portion.iter().map(|given| given.update.data().len()).sum();
        self.backlog.set(self.backlog.get() - given);
        portion
    }

    /// Runs something, and starts over where it panics: it may have left the holder half-way.
    fn guard<T>(&self, run: impl FnOnce() -> T) -> T {
        catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
            self.start_over("a panic");
            resume_unwind(panic)
        })
    }

    fn start_over(&self, reason: &str) {
        console_error!("the object starts over: {reason}");
        self.object.abort(reason);
    }

    /// Does what the holder wants done, until there is nothing left, and sets the next timer.
    fn drive(&self) {
        while let Some(output) = self.poll_output() {
            match output {
                Output::Open { stream, response, joins } => {
                    let body = self.bodies.open(stream, joins);
                    self.opened.borrow_mut().insert(stream, Opened::Stream(response, body));
                }
                Output::Answer { stream, unavailable } => {
                    self.opened.borrow_mut().insert(stream, Opened::Unavailable(unavailable));
                }
                Output::Write { streams, bytes } => self.bodies.write(&streams, &bytes),
                Output::Locate { stream, location } => {
                    let located = self.log.locate(location);
                    self.answer(stream, located, Holder::handle_located);
                }
                Output::Close { stream } => self.bodies.close(stream),
                Output::Cut { stream } => self.bodies.cut(stream),
            }
        }
        self.replay();
        self.set_timer();
    }

    /// Reads the pages of history that streams ask for, and lets others run after each.
    fn replay(&self) {
        if self.replaying.replace(true) {
            return;
        }
        let Some(first) = self.poll_fetch() else { return self.replaying.set(false) };
        let this = self.this.clone();
        self.object.wait_until(async move {
            let mut next = Some(first);
            while let Some(fetch) = next {
                attend(&this, |hub| {
                    let page = hub.log.page(&fetch, |stored| {
                        let (topics, targets) = (&stored.topics, &stored.targets);
                        hub.holder.borrow().wants(fetch.stream, topics, targets, stored.private)
                    });
                    hub.answer(fetch.stream, page, Holder::handle_page);
                });
                Delay::from(Duration::ZERO).await;
                let Some(hub) = this.upgrade() else { return };
                next = hub.poll_fetch();
                hub.replaying.set(next.is_some());
            }
        });
    }

    fn poll_fetch(&self) -> Option<Fetch> {
        self.holder.borrow_mut().poll_fetch()
    }

    fn poll_output(&self) -> Option<Output> {
        self.holder.borrow_mut().poll_output()
    }

    /// Hands the log's answer to the holder.
    fn answer<T>(
        &self,
        stream: StreamId,
        result: worker::Result<T>,
        handle: fn(&mut Holder, StreamId, &T, Timestamp),
    ) {
        let mut holder = self.holder.borrow_mut();
        match result {
            Ok(answer) => handle(&mut holder, stream, &answer, platform::now()),
            Err(error) => {
                console_error!("the log could not be read: {error}");
                holder.handle_failure(stream);
            }
        }
    }

    /// One timer for all streams, and none without: a pending timer keeps the object alive.
    fn set_timer(&self) {
        let next = self.holder.borrow().poll_timeout();
        let mut timer = self.timer.borrow_mut();
        if timer.as_ref().map(|(at, _)| *at) == next {
            return;
        }
        if let Some((_, timer)) = timer.take() {
            clear_timeout(&timer);
        }
        if let Some(at) = next {
            let wait = at.since(platform::now());
            *timer = Some((at, set_timeout(&self.wake, wait.as_secs_f64() * 1000.0)));
        }
    }

    /// Drops what history need not keep, now and when nothing more is published.
    fn trim(&self, now: Timestamp) {
        if let Err(error) = self.log.trim(now) {
            console_error!("the log could not be trimmed: {error}");
        }
        self.keep_alarm();
    }

    /// Drops history that is too old, when an alarm says so.
    fn sweep(&self) -> worker::Result<()> {
        self.has_alarm.set(false);
        self.log.sweep(platform::now())?;
        self.keep_alarm();
        Ok(())
    }

    fn keep_alarm(&self) {
        if self.has_alarm.get() {
            return;
        }
        let wait = match self.log.next_sweep(platform::now()) {
            Ok(Some(wait)) => wait,
            Ok(None) => return,
            Err(error) => return console_error!("the log could not be read: {error}"),
        };
        let Some(hub) = self.this.upgrade() else { return };
        self.has_alarm.set(true);
        self.object.wait_until(async move {
            if let Err(error) = hub.object.set_alarm(wait).await {
                console_error!("no alarm could be set: {error}");
                hub.has_alarm.set(false);
            }
        });
    }
}

/// Tells the holder of something that no request waits for, and does what it wants done then.
fn attend(hub: &Weak<Hub>, tell: impl FnOnce(&Hub)) {
    let Some(hub) = hub.upgrade() else { return };
    hub.guard(|| {
        tell(&hub);
        hub.drive();
    });
}
