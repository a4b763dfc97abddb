//! The Durable Object: one log, and the streams that follow it.
//!
//! A publisher is answered as soon as its update is in the database; the runtime's output gate
//! holds the answer back until the write is durable. Bytes into a response that is already open
//! pass no gate, so updates are queued until storage has synced, and only then given to the
//! [`Holder`].

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use cinnabar_core::{
    Appended, Command, Config, Holder, Output, Publish, StreamId, Subscribe, Timestamp,
    Unavailable, Update, misconfigured,
};
use wasm_bindgen::prelude::{Closure, wasm_bindgen};
use wasm_bindgen::{JsCast as _, JsValue};
use worker::js_sys::Promise;
use worker::wasm_bindgen_futures::JsFuture;
use worker::web_sys::{self, ReadableStream};
use worker::{DurableObject, Env, Request, Response, State, console_error, durable_object};

use crate::log::Log;
use crate::sink::Bodies;
use crate::{answer, platform};

/// How often `/healthz` touches the database at most.
const HEALTH_INTERVAL: Duration = Duration::from_secs(10);

#[wasm_bindgen]
extern "C" {
    /// The object's storage; `worker` has no `sync`.
    type Durable;

    #[wasm_bindgen(method, catch)]
    fn sync(this: &Durable) -> Result<Promise, JsValue>;

    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Closure<dyn FnMut()>, millis: f64) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue);
}

/// The class of the Durable Object.
#[durable_object(alarm)]
pub struct Shard(AssertUnwindSafe<Result<Rc<Hub>, Broken>>);

/// Why an object cannot serve; the reason is in the log.
enum Broken {
    Configuration,
    Log,
}

impl DurableObject for Shard {
    fn new(state: State, env: Env) -> Self {
        let hub = match platform::config(&env) {
            None => Err(Broken::Configuration),
            Some(config) => Hub::open(state, &config).map_err(|error| {
                console_error!("the log cannot be opened: {error}");
                Broken::Log
            }),
        };
        Self(AssertUnwindSafe(hub))
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        let command = Command::from_bytes(&request.bytes().await?)
            .map_err(|error| worker::Error::from(error.to_string()))?;
        let response = match &*self.0 {
            Ok(hub) => hub.carry_out(command),
            Err(Broken::Log) => answer::unavailable(command.unavailable()),
            Err(Broken::Configuration) => answer::whole(misconfigured()),
        };
        Ok(response?.into())
    }

    async fn alarm(&self) -> worker::Result<Response> {
        if let Ok(hub) = &*self.0 {
            let next = hub.log.expire(platform::now())?;
            hub.set_alarm(next);
        }
        Response::empty()
    }
}

/// What the object is made of.
struct Hub {
    state: State,
    durable: Durable,
    log: Log,
    holder: RefCell<Holder>,
    bodies: Bodies,
    /// Responses of streams that were just opened, or refused.
    opened: RefCell<BTreeMap<StreamId, Opened>>,
    streams: Cell<u64>,
    /// Updates that are in the database, and may not be durable yet.
    appended: RefCell<VecDeque<Appended>>,
    flushing: Cell<bool>,
    wake: Closure<dyn FnMut()>,
    timer: RefCell<Option<(Timestamp, JsValue)>>,
    has_alarm: Cell<bool>,
    healthy_at: Cell<Option<Timestamp>>,
    this: Weak<Self>,
}

enum Opened {
    Stream(http::Response<()>, ReadableStream),
    Unavailable(Unavailable),
}

impl Hub {
    fn open(state: State, config: &Config) -> worker::Result<Rc<Self>> {
        let state = state._inner();
        let durable: Durable = state.storage()?.unchecked_into();
        let state = State::from(state);
        let log = Log::open(state.storage().sql(), config.history_size, config.history_age)?;
        let holder = Holder::new(config, log.cursor_key()?, log.newest());
        Ok(Rc::new_cyclic(|this: &Weak<Self>| {
            let (taken, gone, wake) = (this.clone(), this.clone(), this.clone());
            Self {
                bodies: Bodies::new(
                    move |takings| {
                        let Some(hub) = taken.upgrade() else { return };
                        let now = platform::now();
                        for (stream, bytes) in takings {
                            hub.holder.borrow_mut().handle_taken(stream, bytes, now);
                        }
                        hub.drive();
                    },
                    move |stream| {
                        let Some(hub) = gone.upgrade() else { return };
                        hub.holder.borrow_mut().handle_gone(stream);
                        hub.drive();
                    },
                ),
                wake: Closure::own_assert_unwind_safe(move || {
                    let Some(hub) = wake.upgrade() else { return };
                    hub.timer.take();
                    hub.holder.borrow_mut().handle_timeout(platform::now());
                    hub.drive();
                }),
                state,
                durable,
                log,
                holder: RefCell::new(holder),
                opened: RefCell::default(),
                streams: Cell::new(0),
                appended: RefCell::default(),
                flushing: Cell::new(false),
                timer: RefCell::new(None),
                has_alarm: Cell::new(false),
                healthy_at: Cell::new(None),
                this: this.clone(),
            }
        }))
    }

    fn carry_out(&self, command: Command) -> Result<web_sys::Response, JsValue> {
        match command {
            Command::Publish(publish) => self.publish(publish),
            Command::Subscribe(subscribe) => self.subscribe(subscribe),
            Command::CheckHealth(check) => match self.check_health() {
                Ok(()) => answer::whole(check.healthy()),
                Err(error) => {
                    console_error!("the log is not healthy: {error}");
                    answer::unavailable(Command::CheckHealth(check).unavailable())
                }
            },
        }
    }

    fn publish(&self, publish: Publish) -> Result<web_sys::Response, JsValue> {
        match self.log.append(publish.update(), platform::now()) {
            Ok(position) => {
                let accepted = answer::whole(publish.accepted())?;
                let update: Arc<Update> = Arc::new(publish.into_update());
                self.appended.borrow_mut().push_back(Appended { position, update });
                self.flush();
                self.keep_alarm();
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
        self.holder.borrow_mut().handle_subscribe(stream, subscribe, platform::now());
        self.drive();
        // The log answers at once, so by now the stream was opened or refused.
        match self.opened.borrow_mut().remove(&stream) {
            Some(Opened::Stream(head, body)) => answer::streamed(&head, &body),
            Some(Opened::Unavailable(unavailable)) => answer::unavailable(unavailable),
            None => Err("the holder did not answer a subscriber".into()),
        }
    }

    fn check_health(&self) -> worker::Result<()> {
        let now = platform::now();
        let fresh = |at: Timestamp| now.since(at) < HEALTH_INTERVAL;
        if !self.healthy_at.get().is_some_and(fresh) {
            self.log.check_health(now)?;
            self.healthy_at.set(Some(now));
        }
        Ok(())
    }

    /// Gives appended updates to the holder as they become durable.
    fn flush(&self) {
        let Some(hub) = self.this.upgrade() else { return };
        if self.flushing.replace(true) {
            return;
        }
        self.state.wait_until(async move {
            loop {
                let batch: Vec<Appended> = hub.appended.take().into();
                if batch.is_empty() {
                    break;
                }
                if let Err(error) = hub.sync().await {
                    // The runtime resets an object whose writes fail, and its streams with it;
                    // nothing of this batch was shown to anybody.
                    console_error!("storage did not sync: {error:?}");
                    return;
                }
                hub.holder.borrow_mut().handle_appended(&batch, platform::now());
                hub.drive();
            }
            hub.flushing.set(false);
        });
    }

    /// Resolves when all that was written so far is durable.
    async fn sync(&self) -> Result<(), JsValue> {
        JsFuture::from(self.durable.sync()?).await?;
        Ok(())
    }

    /// Does what the holder wants done, until there is nothing left, and sets the next timer.
    fn drive(&self) {
        while let Some(output) = self.poll_output() {
            match output {
                Output::Open { stream, response } => {
                    let body = self.bodies.open(stream);
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
                Output::Fetch { stream, after, through, limit } => {
                    let page = self.log.page(after, through, limit);
                    self.answer(stream, page, Holder::handle_page);
                }
                Output::Close { stream } => self.bodies.close(stream),
                Output::Cut { stream } => self.bodies.cut(stream),
            }
        }
        self.set_timer();
    }

    fn poll_output(&self) -> Option<Output> {
        self.holder.borrow_mut().poll_output()
    }

    /// Hands the log's answer to the holder.
    fn answer<T>(
        &self,
        stream: StreamId,
        result: worker::Result<T>,
        handle: fn(&mut Holder, StreamId, T, Timestamp),
    ) {
        let mut holder = self.holder.borrow_mut();
        match result {
            Ok(answer) => handle(&mut holder, stream, answer, platform::now()),
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

    /// Sees to it that history expires also when nothing is published.
    fn keep_alarm(&self) {
        if self.has_alarm.get() {
            return;
        }
        match self.log.next_expiry() {
            Ok(next) => self.set_alarm(next),
            Err(error) => console_error!("the log could not be read: {error}"),
        }
    }

    fn set_alarm(&self, next: Option<Timestamp>) {
        self.has_alarm.set(next.is_some());
        let Some(at) = next else { return };
        let wait = at.since(platform::now());
        let storage = self.state.storage();
        self.state.wait_until(async move {
            if let Err(error) = storage.set_alarm(wait).await {
                console_error!("no alarm could be set: {error}");
            }
        });
    }
}
