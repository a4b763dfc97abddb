//! A follower's end of its link to the log (see `link.js`).

use bytes::Bytes;
use cinnabar_core::feed::PING;
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::js_sys::Uint8Array;

#[wasm_bindgen(module = "/src/link.js")]
extern "C" {
    #[wasm_bindgen(js_name = Link)]
    type Raw;

    #[wasm_bindgen(constructor, js_class = "Link")]
    fn new(
        stub: &JsValue,
        message: &Closure<dyn FnMut(Vec<u8>)>,
        pong: &Closure<dyn FnMut()>,
        end: &Closure<dyn FnMut(String)>,
    ) -> Raw;
    #[wasm_bindgen(method, js_class = "Link")]
    fn send(this: &Raw, data: &JsValue);
    #[wasm_bindgen(method, js_class = "Link")]
    fn close(this: &Raw);
}

/// A link; it is closed when it is dropped.
pub(crate) struct Link {
    raw: Raw,
    // JavaScript calls these until the link is closed.
    _message: Closure<dyn FnMut(Vec<u8>)>,
    _pong: Closure<dyn FnMut()>,
    _end: Closure<dyn FnMut(String)>,
}

impl Link {
    /// Opens a link to the object behind this stub. `end` is told if that fails, too.
    pub(crate) fn open(
        stub: &JsValue,
        message: impl FnMut(Vec<u8>) + 'static,
        pong: impl FnMut() + 'static,
        end: impl FnMut(String) + 'static,
    ) -> Self {
        let message = Closure::own_assert_unwind_safe(message);
        let pong = Closure::own_assert_unwind_safe(pong);
        let end = Closure::own_assert_unwind_safe(end);
        let raw = Raw::new(stub, &message, &pong, &end);
        Self { raw, _message: message, _pong: pong, _end: end }
    }

    /// Sends a message. If it cannot be sent, the link ends.
    pub(crate) fn send(&self, bytes: &Bytes) {
        self.raw.send(&Uint8Array::from(&bytes[..]));
    }

    /// Asks for a sign of life.
    pub(crate) fn ping(&self) {
        self.raw.send(&PING.into());
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.raw.close();
    }
}
