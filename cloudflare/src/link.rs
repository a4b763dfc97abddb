//! A follower's end of its link to the log (see `link.js`).

use bytes::Bytes;
use cinnabar_core::feed::{NotFollowed, PING};
use http::StatusCode;
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::Result;
use worker::js_sys::{self, Uint8Array};
use worker::web_sys::Headers;

use crate::outbound;

#[wasm_bindgen(module = "/src/link.js")]
extern "C" {
    #[wasm_bindgen(js_name = Link)]
    type Raw;

    #[wasm_bindgen(constructor, js_class = "Link")]
    fn new(
        fetcher: &JsValue,
        url: &str,
        headers: &Headers,
        message: &Closure<dyn FnMut(Vec<u8>)>,
        pong: &Closure<dyn FnMut()>,
        end: &Closure<dyn FnMut(Option<String>, Option<u16>)>,
    ) -> Raw;
    #[wasm_bindgen(method, js_class = "Link")]
    fn send(this: &Raw, data: &JsValue);
    #[wasm_bindgen(method, js_class = "Link")]
    fn close(this: &Raw);
}

/// Where a link is begun.
pub(crate) struct Door {
    fetcher: JsValue,
    url: String,
    headers: Headers,
}

impl Door {
    /// At the object behind this stub.
    pub(crate) fn of_object(stub: JsValue) -> Result<Self> {
        let headers = outbound::headers(&http::HeaderMap::new())?.0;
        Ok(Self { fetcher: stub, url: "https://object/".to_owned(), headers })
    }

    /// At another hub, by this request.
    pub(crate) fn of_hub(request: &http::Request<()>) -> Result<Self> {
        let headers = outbound::headers(request.headers())?.0;
        Ok(Self { fetcher: js_sys::global().into(), url: request.uri().to_string(), headers })
    }
}

/// A link; it is closed when it is dropped.
pub(crate) struct Link {
    raw: Raw,
    // JavaScript calls these until the link is closed.
    _message: Closure<dyn FnMut(Vec<u8>)>,
    _pong: Closure<dyn FnMut()>,
    _end: Closure<dyn FnMut(Option<String>, Option<u16>)>,
}

impl Link {
    /// Opens a link. `end` is told if that fails, too.
    pub(crate) fn open(
        door: &Door,
        message: impl FnMut(Vec<u8>) + 'static,
        pong: impl FnMut() + 'static,
        mut end: impl FnMut(String) + 'static,
    ) -> Self {
        let message = Closure::own_assert_unwind_safe(message);
        let pong = Closure::own_assert_unwind_safe(pong);
        let end = Closure::own_assert_unwind_safe(move |reason, status| end(why(reason, status)));
        let Door { fetcher, url, headers } = door;
        let raw = Raw::new(fetcher, url, headers, &message, &pong, &end);
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

/// Why a link has ended: because it was refused with a status, or for this reason.
fn why(reason: Option<String>, status: Option<u16>) -> String {
    let status = status.and_then(|status| StatusCode::from_u16(status).ok());
    match status {
        Some(status) => NotFollowed::from(status).to_string(),
        None => reason.unwrap_or_default(),
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.raw.close();
    }
}
