//! The Durable Object that holds streams of a log that another one holds: see
//! [`cinnabar_core::feed`].
//!
//! ```text
//!  Shard ◀──▶ Followed ──▶ Streams ──▶ subscribers
//! ```
//!
//! It keeps nothing: without streams, it lets go of its link, and the runtime of it.

use std::panic::AssertUnwindSafe;
use std::rc::Rc;

use cinnabar_core::{
    Command, Config, CursorKey, Holder, Place, Position, Subscribe, misconfigured,
};
use wasm_bindgen::JsValue;
use worker::{DurableObject, Env, Request, Response, State, durable_object, web_sys};

use crate::followed::Followed;
use crate::object::Object;
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
            (Ok(Command::Subscribe(subscribe)), Some(held)) => {
                held.object.guard_all(held.subscribe(subscribe)).await?
            }
            (Ok(_), Some(_)) => return Err("a relay holds streams, and nothing else".into()),
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
}

impl Held {
    fn new(object: Rc<Object>, config: Rc<Config>, env: Env) -> worker::Result<Self> {
        // Nobody subscribes to this one: the follower begins another before it answers anything.
        let nothing = Place::undated(Position::START);
        let holder = Holder::new(&config, CursorKey::from_bytes(platform::entropy()?), nothing);
        let log = Followed::new(Rc::clone(&object), config, env)?;
        let streams = Streams::new(Rc::clone(&object), Rc::clone(&log), holder);
        log.feed(&streams);
        Ok(Self { object, log, streams })
    }

    async fn subscribe(&self, subscribe: Subscribe) -> Result<web_sys::Response, JsValue> {
        if !self.log.takes_arrivals() || !self.streams.has_room_for(&subscribe) {
            return answer::full();
        }
        self.log.arrival(self.streams.subscribe(subscribe)).await
    }
}
