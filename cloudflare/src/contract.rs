//! The log, held to what every log must do, over the SQLite database of a real object. Only the
//! feature `contract` compiles this, and no hub is built with it.

use std::cell::{Cell, RefCell};
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use cinnabar_core::feed::FollowerId;
use cinnabar_core::testing::contract;
use cinnabar_core::{
    Answer, Appended, CursorKey, Fetch, List, Located, Location, Page, Position, Subscribe,
    Subscriptions, Timestamp, Update,
};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::js_sys::Promise;
use worker::wasm_bindgen_futures::future_to_promise;
use worker::worker_sys::DurableObjectState;
use worker::{State, console_log};

use crate::log::Log;
use crate::object::Object;

/// The history's bounds: no case comes near them unless it wants something dropped.
const SIZE: u64 = 10_000;
const AGE: Duration = Duration::from_hours(1);

/// Runs every case in the database of this object, and prints how each ended.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "JavaScript reaches it")]
pub fn check_contract(state: DurableObjectState) -> Promise {
    let object = Rc::new(Object::new(State::from(state)));
    future_to_promise(AssertUnwindSafe(check(object)))
}

async fn check(object: Rc<Object>) -> Result<JsValue, JsValue> {
    let mut broken = 0;
    for drops in [Drops::BeyondSize, Drops::BeyondAge] {
        for outcome in contract::check(async || Fixture::open(&object, drops)).await {
            match outcome.broken {
                None => console_log!("{drops:?}: {}", outcome.case),
                Some(reason) => {
                    broken += 1;
                    console_log!("{drops:?}: {} is BROKEN: {reason}", outcome.case);
                }
            }
        }
    }
    if broken > 0 { Err(format!("{broken} cases are broken").into()) } else { Ok(JsValue::NULL) }
}

/// Why the log drops updates.
#[derive(Clone, Copy, Debug)]
enum Drops {
    BeyondSize,
    BeyondAge,
}

/// A log in a database that was empty, with a clock that each append puts forward.
struct Fixture {
    object: Rc<Object>,
    log: RefCell<Log>,
    drops: Drops,
    now: Cell<Timestamp>,
    appended: RefCell<Vec<Appended>>,
}

impl Fixture {
    fn open(object: &Rc<Object>, drops: Drops) -> Result<Self, String> {
        let sql = object.sql();
        for table in ["facts", "updates", "subscriptions"] {
            sql.exec(&format!("DROP TABLE IF EXISTS {table}"), None).map_err(text)?;
        }
        Ok(Self {
            object: Rc::clone(object),
            log: RefCell::new(open(object, SIZE)?),
            drops,
            now: Cell::new(Timestamp::from_millis(1_000_000_000_000)),
            appended: RefCell::default(),
        })
    }
}

impl contract::Log for Fixture {
    async fn append(&self, update: Update) -> Result<Position, String> {
        self.now.set(self.now().plus(Duration::from_secs(1)));
        let log = self.log.borrow();
        let position = log.append(&update, self.now()).map_err(text)?;
        log.trim(1, self.now()).map_err(text)?;
        self.appended.borrow_mut().push(Appended { position, update: update.into() });
        Ok(position)
    }

    async fn locate(&self, location: Location) -> Result<Located, String> {
        self.log.borrow().locate(location).map_err(text)
    }

    async fn page(&self, fetch: Fetch, subscribe: Arc<Subscribe>) -> Result<Page, String> {
        self.log.borrow().page(&fetch, Some(&subscribe)).map_err(text)
    }

    /// Whatever appends an update tells the object of it, and nothing is read back.
    async fn tail(&self, after: Position) -> Result<Vec<Appended>, String> {
        let appended = self.appended.borrow();
        Ok(appended.iter().filter(|appended| appended.position > after).cloned().collect())
    }

    async fn register(&self, subscriptions: Subscriptions) -> Result<(), String> {
        let begun = self.log.borrow().register(&subscriptions, self.now()).map_err(text)?;
        self.appended.borrow_mut().extend(begun);
        Ok(())
    }

    async fn unregister(&self, subscriptions: Subscriptions) -> Result<(), String> {
        let ended = self.log.borrow().unregister(&subscriptions, self.now()).map_err(text)?;
        self.appended.borrow_mut().extend(ended);
        Ok(())
    }

    async fn register_for(
        &self,
        follower: FollowerId,
        subscriptions: Subscriptions,
    ) -> Result<bool, String> {
        let log = self.log.borrow();
        let begun = log.register_for(follower, &subscriptions, self.now()).map_err(text)?;
        self.appended.borrow_mut().extend(begun);
        Ok(true)
    }

    async fn followers(&self) -> Result<Vec<FollowerId>, String> {
        self.log.borrow().followers().map_err(text)
    }

    async fn end_all_of(&self, follower: FollowerId) -> Result<(), String> {
        let log = self.log.borrow();
        log.disown(follower, log.newest()).map_err(text)?;
        let mut after = Position::START;
        while let Some((left, last)) = log.left_behind(after).map_err(text)? {
            let ended = log.unregister(&left.into(), self.now()).map_err(text)?;
            self.appended.borrow_mut().extend(ended);
            after = last;
        }
        Ok(())
    }

    async fn list(&self, list: &List) -> Result<Answer, String> {
        let listing =
            self.log.borrow().list(list, &CursorKey::from_bytes([7; 16])).map_err(text)?;
        Ok(listing.map_or_else(|| list.unknown_page(), |listing| list.answer(&listing)))
    }

    async fn drop_through(&self, last: Position) -> Result<bool, String> {
        let newest = self.log.borrow().newest();
        match self.drops {
            Drops::BeyondSize if last < newest => {
                let size = newest.back(last.get()).get();
                open(&self.object, size)?.trim(1, self.now()).map_err(text)?;
                self.reopen().await?;
            }
            // No log is configured to keep nothing, so the newest update always goes by its age.
            Drops::BeyondSize | Drops::BeyondAge => {
                let located = self.log.borrow().locate(Location::Newest(last)).map_err(text)?;
                if let Located::Found(place, _) = located {
                    self.now.set(place.since.plus(AGE));
                    self.log.borrow().sweep(self.now()).map_err(text)?;
                }
            }
        }
        Ok(true)
    }

    async fn reopen(&self) -> Result<bool, String> {
        self.log.replace(open(&self.object, SIZE)?);
        Ok(true)
    }

    fn now(&self) -> Timestamp {
        self.now.get()
    }
}

fn open(object: &Rc<Object>, size: u64) -> Result<Log, String> {
    Log::open(Rc::clone(object), size, AGE).map_err(text)
}

fn text(error: worker::Error) -> String {
    error.to_string()
}
