//! The object's state: what `worker` offers of it, and what it leaves out.

use std::time::Duration;

use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};
use worker::js_sys::{Function, Promise};
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Result, SqlStorage, State};

#[wasm_bindgen]
extern "C" {
    type RawState;

    #[wasm_bindgen(method, getter)]
    fn storage(this: &RawState) -> RawStorage;
    #[wasm_bindgen(method, getter)]
    fn abort(this: &RawState) -> Function;

    type RawStorage;

    #[wasm_bindgen(method, catch)]
    fn sync(this: &RawStorage) -> std::result::Result<Promise, JsValue>;

    #[wasm_bindgen(js_name = queueMicrotask)]
    fn queue_microtask(callback: &JsValue);
}

pub(crate) struct Object {
    state: State,
    raw: RawState,
}

impl Object {
    pub(crate) fn new(state: State) -> Self {
        let state = state._inner();
        let raw = JsValue::from(state.clone()).unchecked_into();
        Self { state: State::from(state), raw }
    }

    pub(crate) fn sql(&self) -> SqlStorage {
        self.state.storage().sql()
    }

    /// Resolves when all that was written so far is durable.
    pub(crate) async fn sync(&self) -> Result<()> {
        JsFuture::from(self.raw.storage().sync()?).await?;
        Ok(())
    }

    /// Keeps the object alive until this is done.
    pub(crate) fn wait_until(&self, work: impl Future<Output = ()> + 'static) {
        self.state.wait_until(work);
    }

    /// Calls the object's `alarm` after so long, instead of any time before.
    pub(crate) async fn set_alarm(&self, wait: Duration) -> Result<()> {
        self.state.storage().set_alarm(wait).await
    }

    /// Ends the object, its streams and its requests; the next request makes a new one.
    pub(crate) fn abort(&self, reason: &str) {
        // In a microtask, for it ends what runs at that moment, and Rust is not to be cut short.
        queue_microtask(&self.raw.abort().bind1(&self.raw, &reason.into()));
    }
}
