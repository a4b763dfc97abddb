//! The Durable Object: one log, and the streams that follow it.
//!
//! ```text
//!  publisher ──▶ Appender ──▶ Log ──▶ Feed ──▶ Streams ──▶ subscribers
//!                              ▲      │           │
//!                          Retention  ▼   pages ──┘
//!                                   Links ──▶ relays
//! ```
//!
//! A publisher is answered as soon as its update is in the database, and the runtime's output gate
//! holds that answer back until the update is durable.

use std::cell::{Cell, RefCell};
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;

use cinnabar_core::{
    Buckets, CheckHealth, Command, Config, CursorKey, Health, Holder, List, Place, Publish,
    misconfigured,
};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::{
    DurableObject, Env, Request, Response, State, console_error, durable_object, web_sys,
};

use crate::appender::{Appender, NotAppended};
use crate::links::Links;
use crate::log::Log;
use crate::object::Object;
use crate::own_log::OwnLog;
use crate::streams::Streams;
use crate::{answer, platform};

/// The class of the Durable Object.
#[durable_object(alarm)]
pub struct Shard(AssertUnwindSafe<Result<Hub, Broken>>);

/// Why an object cannot serve; the reason is on the console.
enum Broken {
    Configuration,
    Log,
}

impl DurableObject for Shard {
    fn new(state: State, env: Env) -> Self {
        let object = Rc::new(Object::new(state));
        let hub = match platform::config(&env) {
            None => Err(Broken::Configuration),
            Some(config) => Hub::open(object, &config),
        };
        Self(AssertUnwindSafe(hub))
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        if request.headers().has("upgrade")? {
            return match &*self.0 {
                Ok(hub) => hub.object.guard(|| hub.links.connect()),
                Err(_) => Err("the object has no log to follow".into()),
            };
        }
        match self.carry_out(&request.bytes().await?).await? {
            Some(response) => Ok(response.into()),
            None => Err("it was done, and the entry has the answer".into()),
        }
    }

    async fn alarm(&self) -> worker::Result<Response> {
        if let Ok(hub) = &*self.0 {
            hub.object.guard(|| hub.log.sweep())?;
        }
        Response::empty()
    }
}

// `worker` has no attribute for methods that another Worker calls.
#[wasm_bindgen(wasm_bindgen_futures = ::worker::wasm_bindgen_futures, js_sys = ::worker::js_sys)]
impl Shard {
    /// Carries out a publication. Once its update is in the log, the entry knows what to answer, and
    /// nothing is returned; otherwise, the answer is.
    ///
    /// # Errors
    ///
    /// The bytes are no command of this version, or the runtime fails.
    pub async fn publish(&self, command: Vec<u8>) -> Result<Option<web_sys::Response>, JsValue> {
        AssertUnwindSafe(async move { Ok(self.carry_out(&command).await?) }).await
    }

    /// A follower's link has brought a message.
    pub fn hear(&self, socket: &web_sys::WebSocket, message: &[u8]) {
        if let Ok(hub) = &*self.0 {
            hub.object.guard(|| hub.links.handle_message(socket, message));
        }
    }

    /// A follower's link has ended.
    pub fn hang_up(&self, socket: &web_sys::WebSocket) {
        if let Ok(hub) = &*self.0 {
            hub.object.guard(|| hub.links.handle_disconnected(socket));
        }
    }
}

impl Shard {
    async fn carry_out(&self, command: &[u8]) -> worker::Result<Option<web_sys::Response>> {
        let command =
            Command::from_bytes(command).map_err(|error| worker::Error::from(error.to_string()))?;
        Ok(match &*self.0 {
            Ok(hub) => hub.object.guard_all(hub.carry_out(command)).await?,
            Err(Broken::Log) => Some(answer::whole(command.unavailable(platform::now()))?),
            Err(Broken::Configuration) => Some(answer::whole(misconfigured())?),
        })
    }
}

/// What the object is made of.
struct Hub {
    object: Rc<Object>,
    log: Rc<OwnLog>,
    key: CursorKey,
    appender: Rc<Appender>,
    streams: Rc<Streams<OwnLog>>,
    links: Rc<Links>,
    health: Cell<Health>,
    buckets: RefCell<Buckets>,
}

impl Hub {
    fn open(object: Rc<Object>, config: &Config) -> Result<Self, Broken> {
        Self::try_open(Rc::clone(&object), config).map_err(|error| {
            // The next request finds a new object, which tries again.
            object.start_over(&format!("the log cannot be opened: {error}"));
            Broken::Log
        })
    }

    fn try_open(object: Rc<Object>, config: &Config) -> worker::Result<Self> {
        let log = Log::open(Rc::clone(&object), config.history_size(), config.history_age())?;
        let (key, log) = (log.cursor_key()?, Rc::new(log));
        // After a crash, what the database holds is durable.
        let end = Place { position: log.newest(), since: platform::now() };
        let log = OwnLog::new(Rc::clone(&object), log);
        let holder = Holder::new(config, key.clone(), end);
        let streams = Streams::new(Rc::clone(&object), Rc::clone(&log), holder);
        let links = Links::open(Rc::clone(&object), Rc::clone(&log), key.clone(), end)?;
        let (followers, held) = (Rc::downgrade(&links), Rc::downgrade(&streams));
        log.feed(move |appended| {
            if let (Some(links), Some(streams)) = (followers.upgrade(), held.upgrade()) {
                links.handle_appended(appended);
                streams.handle_appended(appended);
            }
        });
        let appender = Appender::new(Rc::clone(&object), Rc::clone(&log));
        let (health, buckets) = (Cell::default(), RefCell::default());
        log.end_what_is_left_behind();
        Ok(Self { object, log, key, appender, streams, links, health, buckets })
    }

    async fn carry_out(&self, command: Command) -> Result<Option<web_sys::Response>, JsValue> {
        match command {
            Command::Publish(publish) => self.publish(&publish).await,
            Command::Subscribe(subscribe) => self.streams.subscribe(subscribe).await.map(Some),
            Command::List(list) => self.list(&list).map(Some),
            Command::CheckHealth(check) => self.check_health(&check).map(Some),
        }
    }

    async fn publish(&self, publish: &Publish) -> Result<Option<web_sys::Response>, JsValue> {
        let exceeds = publish.exceeds(&mut self.buckets.borrow_mut(), platform::now());
        if let Some(answer) = exceeds {
            return answer::whole(answer).map(Some);
        }
        match self.appender.append(Arc::clone(publish.update())).await {
            Ok(()) => Ok(None),
            Err(NotAppended) => answer::whole(publish.unavailable()).map(Some),
        }
    }

    fn list(&self, list: &List) -> Result<web_sys::Response, JsValue> {
        answer::whole(match self.log.log().list(list, &self.key) {
            Ok(Some(listing)) => list.answer(&listing),
            Ok(None) => list.unknown_page(),
            Err(error) => {
                console_error!("who is here could not be listed: {error}");
                list.unavailable()
            }
        })
    }

    fn check_health(&self, check: &CheckHealth) -> Result<web_sys::Response, JsValue> {
        let (mut health, now) = (self.health.get(), platform::now());
        let is_healthy = health.known(now).unwrap_or_else(|| {
            let checked = self.log.log().check_health(now).inspect_err(|error| {
                console_error!("the log is not healthy: {error}");
            });
            health.found(checked.is_ok(), now);
            self.health.set(health);
            checked.is_ok()
        });
        answer::whole(if is_healthy { check.healthy() } else { check.unavailable() })
    }
}
