//! The object's state: what `worker` offers of it, and what it leaves out.
//!
//! All that runs in the object runs inside a guard. The holder and its streams live in memory, and
//! everything they know follows from the log. So where a panic may have left them half-way, or what
//! was written is not durable, the object starts over: its streams are cut, and their clients resume
//! from the log.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};
use worker::js_sys::{Function, Promise};
use worker::wasm_bindgen_futures::JsFuture;
use worker::web_sys::WebSocket;
use worker::worker_sys::{DurableObjectState, WebSocketRequestResponsePair};
use worker::{Result, SqlStorage, State, console_error};

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
    #[wasm_bindgen(method, catch, js_name = transactionSync)]
    fn transaction_sync(
        this: &RawStorage,
        run: &mut dyn FnMut() -> std::result::Result<(), JsValue>,
    ) -> std::result::Result<(), JsValue>;

    #[wasm_bindgen(js_name = queueMicrotask)]
    fn queue_microtask(callback: &JsValue);
}

pub(crate) struct Object {
    state: State,
    inner: DurableObjectState,
    raw: RawState,
}

impl Object {
    pub(crate) fn new(state: State) -> Self {
        let inner = state._inner();
        let value: JsValue = AsRef::<JsValue>::as_ref(&inner).clone();
        let raw = value.clone().unchecked_into();
        Self { state: State::from(value.unchecked_into::<DurableObjectState>()), inner, raw }
    }

    pub(crate) fn sql(&self) -> SqlStorage {
        self.state.storage().sql()
    }

    /// Has something write all that it writes, or if it fails, nothing.
    pub(crate) fn transaction<T>(&self, write: impl FnMut() -> Result<T>) -> Result<T> {
        let mut written = None;
        // To the runtime, a panic is a failure like any other.
        let mut transaction = AssertUnwindSafe((write, &mut written));
        self.raw.storage().transaction_sync(&mut move || {
            let (write, written) = &mut *transaction;
            **written = Some(write()?);
            Ok(())
        })?;
        written.ok_or_else(|| "the runtime ran no transaction".into())
    }

    /// Resolves when all that was written so far is durable.
    pub(crate) async fn sync(&self) -> Result<()> {
        JsFuture::from(self.raw.storage().sync()?).await?;
        Ok(())
    }

    /// Calls the object's `alarm` after this long, in place of any alarm set before.
    pub(crate) async fn set_alarm(&self, wait: Duration) -> Result<()> {
        self.state.storage().set_alarm(wait).await
    }

    /// Takes a socket, which the runtime keeps while the object sleeps.
    pub(crate) fn accept(&self, socket: &WebSocket, tag: &str) -> Result<()> {
        Ok(self.inner.accept_websocket_with_tags(socket, vec![tag.into()])?)
    }

    /// The sockets that were taken, by an earlier object, too.
    pub(crate) fn sockets(&self) -> Result<Vec<WebSocket>> {
        Ok(self.inner.get_websockets()?)
    }

    /// What a socket was tagged with.
    pub(crate) fn tag(&self, socket: &WebSocket) -> Option<String> {
        self.inner.get_tags(socket).ok()?.into_iter().next()
    }

    /// Has the runtime answer this message on all sockets, without waking the object.
    pub(crate) fn answer_by_itself(&self, message: &str, answer: &str) -> Result<()> {
        let pair = WebSocketRequestResponsePair::new(message, answer)?;
        Ok(self.inner.set_websocket_auto_response(&pair)?)
    }

    /// Runs something that the runtime calls; if it panics, the object starts over.
    pub(crate) fn guard<T>(&self, run: impl FnOnce() -> T) -> T {
        catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
            self.start_over("a panic");
            resume_unwind(panic)
        })
    }

    /// The same for what a request waits for.
    pub(crate) async fn guard_all<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|context| self.guard(|| work.as_mut().poll(context))).await
    }

    /// The same for what no request waits for. It keeps the object alive until it is done.
    pub(crate) fn spawn(self: &Rc<Self>, work: impl Future<Output = ()> + 'static) {
        let object = Rc::clone(self);
        self.state.wait_until(async move { object.guard_all(work).await });
    }

    /// Ends the object, its streams and its requests; the next request makes a new one.
    pub(crate) fn start_over(&self, reason: &str) {
        console_error!("the object starts over: {reason}");
        // In a microtask, because it ends whatever is running, and Rust must not be cut short.
        queue_microtask(&self.raw.abort().bind1(&self.raw, &reason.into()));
    }
}
