//! From the core's responses to the runtime's.

use std::time::Duration;

use cinnabar_core::{Response, Unavailable};
use http::{HeaderMap, StatusCode};
use wasm_bindgen::JsValue;
use worker::web_sys::{self, Headers, ReadableStream, ResponseInit};

use crate::sink;

/// A response with its whole body.
pub(crate) fn whole(response: Response) -> Result<web_sys::Response, JsValue> {
    let (parts, mut body) = response.into_parts();
    let init = init(parts.status, &parts.headers)?;
    if body.is_empty() {
        // Some statuses do not allow a body, not even an empty one.
        return web_sys::Response::new_with_opt_str_and_init(None, &init);
    }
    web_sys::Response::new_with_opt_u8_array_and_init(Some(&mut body), &init)
}

/// A response whose body is a stream.
pub(crate) fn streamed(
    head: &http::Response<()>,
    body: &ReadableStream,
) -> Result<web_sys::Response, JsValue> {
    let init = init(head.status(), head.headers())?;
    web_sys::Response::new_with_opt_readable_stream_and_init(Some(body), &init)
}

/// The answer to a passing failure, whose end may have to be delayed.
pub(crate) fn unavailable(unavailable: Unavailable) -> Result<web_sys::Response, JsValue> {
    if unavailable.hold == Duration::ZERO {
        return whole(unavailable.response);
    }
    let (parts, body) = unavailable.response.into_parts();
    let body = sink::held(&body, unavailable.hold);
    streamed(&http::Response::from_parts(parts, ()), &body)
}

fn init(status: StatusCode, fields: &HeaderMap) -> Result<ResponseInit, JsValue> {
    let headers = Headers::new()?;
    for (name, value) in fields {
        // The runtime takes text and sends it as UTF-8.
        headers.append(name.as_str(), &String::from_utf8_lossy(value.as_bytes()))?;
    }
    let init = ResponseInit::new();
    init.set_status(status.as_u16());
    init.set_headers(&headers);
    Ok(init)
}
