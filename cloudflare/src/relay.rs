//! The Durable Object that holds streams of a log that another one holds: see
//! [`cinnabar_core::feed`].
//!
//! ```text
//!  Shard ◀──▶ Followed ──▶ Streams ──▶ subscribers
//! ```
//!
//! It keeps nothing: without streams, it lets go of its link, and the runtime of it.
//!
//! Where the log is another hub's, a relay also asks that for what only the log knows.

use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;

use cinnabar_core::{
    CheckHealth, Command, Config, CursorKey, Health, Holder, List, Place, Position, Subscribe,
    misconfigured,
};
use wasm_bindgen::JsValue;
use worker::{
    DurableObject, Env, Request, Response, State, console_error, durable_object, web_sys,
};

use crate::followed::Followed;
use crate::object::Object;
use crate::source::Source as _;
use crate::streams::Streams;
use crate::{answer, platform};

/// The class of the Durable Object.
#[durable_object(fetch)]
pub struct Relay(AssertUnwindSafe<Option<Held>>);

impl DurableObject for Relay {
    fn new(state: State, env: Env) -> Self {
        let held = platform::config(&env).and_then(|config| {
            let object = Rc::new(Object::new(state));
            Held::new(Rc::clone(&object), config, env)
                .inspect_err(|error| object.start_over(&error.to_string()))
                .ok()
        });
        Self(AssertUnwindSafe(held))
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        let command = Command::from_bytes(&request.bytes().await?);
        let response = match (command, &*self.0) {
            (Ok(command), Some(held)) => held.object.guard_all(held.carry_out(command)).await?,
            (Ok(_), None) => answer::whole(misconfigured())?,
            (Err(error), _) => return Err(error.to_string().into()),
        };
        Ok(response.into())
    }
}

/// What the object is made of.
struct Held {
    object: Rc<Object>,
    log: Rc<Followed>,
    streams: Rc<Streams<Followed>>,
    health: Cell<Health>,
}

impl Held {
    fn new(object: Rc<Object>, config: Rc<Config>, env: Env) -> worker::Result<Self> {
        // Nobody subscribes to this one: the follower begins another before it answers anything.
        let nothing = Place::undated(Position::START);
        let holder = Holder::new(&config, CursorKey::from_bytes(platform::entropy()?), nothing);
        let log = Followed::new(Rc::clone(&object), config, env)?;
        let streams = Streams::new(Rc::clone(&object), Rc::clone(&log), holder);
        log.feed(&streams);
        Ok(Self { object, log, streams, health: Cell::default() })
    }

    async fn carry_out(&self, command: Command) -> Result<web_sys::Response, JsValue> {
        match command {
            Command::Subscribe(subscribe) => self.subscribe(subscribe).await,
            Command::List(list) => self.list(list).await,
            Command::CheckHealth(check) => self.check_health(&check).await,
            Command::Publish(_) => Err("a relay takes no publications".into()),
        }
    }

    async fn subscribe(&self, subscribe: Subscribe) -> Result<web_sys::Response, JsValue> {
        if !self.log.takes_arrivals() || !self.streams.has_room_for(&subscribe) {
            return answer::full();
        }
        self.log.arrival(self.streams.subscribe(subscribe)).await
    }

    async fn list(&self, list: List) -> Result<web_sys::Response, JsValue> {
        let listed = match self.log.takes_arrivals() {
            true => self.log.arrival(self.log.list(list.clone())).await,
            false => Err("too many wait for an answer".into()),
        };
        answer::whole(match listed {
            Ok(Some(listing)) => list.answer(&listing),
            Ok(None) => list.unknown_page(),
            Err(error) => {
                console_error!("who is here could not be listed: {error}");
                list.unavailable()
            }
        })
    }

    async fn check_health(&self, check: &CheckHealth) -> Result<web_sys::Response, JsValue> {
        let is_healthy = match self.health.get().known(platform::now()) {
            Some(is_healthy) => is_healthy,
            None => {
                let checked = self.log.arrival(self.log.end()).await;
                let checked = checked.inspect_err(|error| {
                    console_error!("the log is not healthy: {error}");
                });
                let mut health = self.health.get();
                health.found(checked.is_ok(), platform::now());
                self.health.set(health);
                checked.is_ok()
            }
        };
        answer::whole(if is_healthy { check.healthy() } else { check.unavailable() })
    }
}
