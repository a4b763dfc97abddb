//! From the core's answers to the runtime's responses.

use std::cell::RefCell;
use std::time::Duration;

use cinnabar_core::{Answer, Sampler};
use http::{HeaderMap, StatusCode};
use wasm_bindgen::JsValue;
use worker::console_log;
use worker::web_sys::{self, Headers, ReadableStream, ResponseInit};

use crate::{platform, sink};

/// Sends an answer of the core's: its line to the console, and its response.
pub(crate) fn whole(answer: Answer) -> Result<web_sys::Response, JsValue> {
    let Answer { response, hold, log } = answer;
    if let Some(line) = log.and_then(sample) {
        console_log!("{line}");
    }
    let (parts, mut body) = response.into_parts();
    if hold > Duration::ZERO {
        return streamed(&http::Response::from_parts(parts, ()), &sink::held(&body, hold));
    }
    let init = init(parts.status, &parts.headers)?;
    if body.is_empty() {
        // Some statuses must not have a body, not even an empty one.
        return web_sys::Response::new_with_opt_str_and_init(None, &init);
    }
    web_sys::Response::new_with_opt_u8_array_and_init(Some(&mut body), &init)
}

/// The field of a relay's answer to the Worker that says that it is full. No client sees it.
const FULL: &str = "cinnabar-full";

/// What a relay without room answers.
pub(crate) fn full() -> Result<web_sys::Response, JsValue> {
    let response = web_sys::Response::new()?;
    response.headers().set(FULL, "1")?;
    Ok(response)
}

/// Whether a relay answered that it has no room.
pub(crate) fn is_full(response: &web_sys::Response) -> bool {
    response.headers().has(FULL).unwrap_or(false)
}

/// A response whose body is a stream.
pub(crate) fn streamed(
    head: &http::Response<()>,
    body: &ReadableStream,
) -> Result<web_sys::Response, JsValue> {
    let init = init(head.status(), head.headers())?;
    web_sys::Response::new_with_opt_readable_stream_and_init(Some(body), &init)
}

/// The line to write, unless there was one like it a moment ago.
pub(crate) fn sample(line: String) -> Option<String> {
    thread_local! {
        static SAMPLER: RefCell<Sampler> = RefCell::default();
    }
    SAMPLER.with_borrow_mut(|sampler| sampler.sample(line, platform::now()))
}

fn init(status: StatusCode, fields: &HeaderMap) -> Result<ResponseInit, JsValue> {
    let init = ResponseInit::new();
    init.set_status(status.as_u16());
    init.set_headers(headers(fields)?.as_ref());
    Ok(init)
}

/// The runtime's form of these fields. Most answers have those of the one before, and to make them
/// anew is a tenth of what a publication costs; so the last ones are kept. A response copies them.
fn headers(fields: &HeaderMap) -> Result<Headers, JsValue> {
    thread_local! {
        static LAST: RefCell<Option<(HeaderMap, Headers)>> = const { RefCell::new(None) };
    }
    LAST.with_borrow_mut(|last| {
        if let Some((last, headers)) = last
            && last == fields
        {
            return Ok(headers.clone());
        }
        let headers = Headers::new()?;
        for (name, value) in fields {
            // The runtime takes text, and sends it as UTF-8.
            headers.append(name.as_str(), &String::from_utf8_lossy(value.as_bytes()))?;
        }
        *last = Some((fields.clone(), headers.clone()));
        Ok(headers)
    })
}
