//! The Durable Object: one log, and the streams that follow it.
//!
//! ```text
//!  publisher ──▶ Log ──▶ Feed ──▶ Streams ──▶ subscribers
//!                 ▲                  │
//!             Retention   pages ─────┘
//! ```
//!
//! A publisher is answered as soon as its update is in the database, and the runtime's output gate
//! holds that answer back until the update is durable.

use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;

use cinnabar_core::{
    Appended, CheckHealth, Command, Config, Fetch, Health, Holder, Located, Location, Page, Place,
    Publish, Subscribe, misconfigured,
};
use wasm_bindgen::JsValue;
use worker::{
    DurableObject, Env, Request, Response, State, console_error, durable_object, web_sys,
};

use crate::feed::Feed;
use crate::log::Log;
use crate::object::Object;
use crate::retention::Retention;
use crate::source::Source;
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
        let command = Command::from_bytes(&request.bytes().await?)
            .map_err(|error| worker::Error::from(error.to_string()))?;
        let response = match &*self.0 {
            Ok(hub) => hub.object.guard_all(hub.carry_out(command)).await,
            Err(Broken::Log) => answer::whole(command.unavailable(platform::now())),
            Err(Broken::Configuration) => answer::whole(misconfigured()),
        };
        Ok(response?.into())
    }

    async fn alarm(&self) -> worker::Result<Response> {
        if let Ok(hub) = &*self.0 {
            hub.object.guard(|| hub.retention.sweep())?;
        }
        Response::empty()
    }
}

/// What the object is made of.
struct Hub {
    object: Rc<Object>,
    log: Rc<Log>,
    feed: Rc<Feed>,
    streams: Rc<Streams<OwnLog>>,
    retention: Rc<Retention>,
    health: Cell<Health>,
}

impl Hub {
    fn open(object: Rc<Object>, config: &Config) -> Result<Self, Broken> {
        let opened = Log::open(object.sql(), config.history_size(), config.history_age())
            .and_then(|log| Ok((log.cursor_key()?, Rc::new(log))));
        let (key, log) = opened.map_err(|error| {
            // The next request finds a new object, which tries again.
            object.start_over(&format!("the log cannot be opened: {error}"));
            Broken::Log
        })?;
        // After a crash, what the database holds is durable.
        let end = Place { position: log.newest(), since: platform::now() };
        let feed = Feed::new(Rc::clone(&object), end.position);
        let source = OwnLog { log: Rc::clone(&log), feed: Rc::clone(&feed) };
        let holder = Holder::new(config, key, end);
        Ok(Self {
            streams: Streams::new(Rc::clone(&object), source, holder),
            retention: Retention::new(Rc::clone(&object), Rc::clone(&log)),
            object,
            log,
            feed,
            health: Cell::default(),
        })
    }

    async fn carry_out(&self, command: Command) -> Result<web_sys::Response, JsValue> {
        match command {
            Command::Publish(publish) => self.publish(publish),
            Command::Subscribe(subscribe) => self.streams.subscribe(subscribe).await,
            Command::CheckHealth(check) => self.check_health(&check),
        }
    }

    fn publish(&self, publish: Publish) -> Result<web_sys::Response, JsValue> {
        if self.feed.is_full() {
            return answer::whole(publish.unavailable());
        }
        let accepted = answer::whole(publish.accepted())?;
        let now = platform::now();
        match self.log.append(publish.update(), now) {
            Ok(position) => {
                let update = Arc::new(publish.into_update());
                self.feed.push(Appended { position, update }, &self.streams);
                self.retention.trim(now);
                Ok(accepted)
            }
            Err(error) => {
                console_error!("an update could not be appended: {error}");
                answer::whole(publish.unavailable())
            }
        }
    }

    fn check_health(&self, check: &CheckHealth) -> Result<web_sys::Response, JsValue> {
        let (mut health, now) = (self.health.get(), platform::now());
        let is_healthy = health.known(now).unwrap_or_else(|| {
            let checked = self.log.check_health(now).inspect_err(|error| {
                console_error!("the log is not healthy: {error}");
            });
            health.found(checked.is_ok(), now);
            self.health.set(health);
            checked.is_ok()
        });
        answer::whole(if is_healthy { check.healthy() } else { check.unavailable() })
    }
}

/// The object's own log, which answers at once.
struct OwnLog {
    log: Rc<Log>,
    feed: Rc<Feed>,
}

impl Source for OwnLog {
    async fn end(&self) -> worker::Result<Place> {
        // Some of it may have been acknowledged without the feed having heard that it is durable.
        self.feed.settle().await?;
        // What is not handed over yet was published a moment ago, and not after now.
        Ok(self.reached().unwrap_or_else(|| Place::undated(self.feed.durable())))
    }

    async fn locate(&self, location: Location) -> worker::Result<Located> {
        self.log.locate(location)
    }

    async fn page(&self, fetch: &Fetch, subscription: &Subscribe) -> worker::Result<Page> {
        self.log.page(fetch, subscription)
    }

    fn reached(&self) -> Option<Place> {
        let since = platform::now();
        self.feed.handed_over().map(|position| Place { position, since })
    }
}
