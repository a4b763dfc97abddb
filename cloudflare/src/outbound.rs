//! Requests of the hub's own to servers elsewhere, each within a time and with an answer of bounded size.

use std::fmt;
use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use http::{HeaderMap, HeaderName, HeaderValue};
use worker::js_sys::Uint8Array;
use worker::{
    AbortController, AbortSignal, Delay, Error, Fetch, Headers, Method, Request, RequestInit,
    RequestRedirect, Result,
};

/// Why there is no answer. What became of the request is not known.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// It took longer than this.
    Late(Duration),
    /// It is larger than it may be.
    TooLarge,
    /// The runtime says this.
    Failed(Error),
}

impl fmt::Display for Unanswered {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Late(patience) => write!(formatter, "it took more than {patience:?}"),
            Self::TooLarge => formatter.write_str("the answer is too large"),
            Self::Failed(error) => error.fmt(formatter),
        }
    }
}

impl From<Error> for Unanswered {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Sends a request, and reads no more of the answer than `limit`, and no longer than `patience`. No
/// redirection is followed: it is the answer.
pub(crate) async fn send(
    request: &http::Request<Vec<u8>>,
    limit: usize,
    patience: Duration,
) -> std::result::Result<http::Response<Vec<u8>>, Unanswered> {
    let abort = AbortController::default();
    let signal = abort.signal();
    let answer = pin!(answer(request, limit, &signal));
    match select(answer, pin!(Delay::from(patience))).await {
        Either::Left((answer, _)) => answer,
        Either::Right(_) => {
            abort.abort();
            Err(Unanswered::Late(patience))
        }
    }
}

async fn answer(
    request: &http::Request<Vec<u8>>,
    limit: usize,
    signal: &AbortSignal,
) -> std::result::Result<http::Response<Vec<u8>>, Unanswered> {
    let request = raw(request)?;
    let mut response = Fetch::Request(request).send_with_signal(signal).await?;
    let mut answer = http::Response::new(Vec::new());
    *answer.status_mut() = http::StatusCode::from_u16(response.status_code())
        .map_err(|error| Error::from(error.to_string()))?;
    for (name, value) in response.headers().entries() {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
            answer.headers_mut().append(name, value);
        }
    }
    // A response without a body has no stream.
    if let Ok(mut chunks) = response.stream() {
        while let Some(chunk) = chunks.next().await {
            answer.body_mut().extend(chunk?);
            if answer.body().len() > limit {
                return Err(Unanswered::TooLarge);
            }
        }
    }
    Ok(answer)
}

/// The runtime's form of a request.
fn raw(request: &http::Request<Vec<u8>>) -> Result<Request> {
    let mut init = RequestInit::new();
    init.with_method(Method::from(request.method().to_string()))
        .with_redirect(RequestRedirect::Manual)
        .with_headers(headers(request.headers())?);
    if !request.body().is_empty() {
        init.with_body(Some(Uint8Array::from(request.body().as_slice()).into()));
    }
    Request::new_with_init(&request.uri().to_string(), &init)
}

/// The runtime's form of these fields, as far as they are text.
pub(crate) fn headers(fields: &HeaderMap) -> Result<Headers> {
    let headers = Headers::new();
    for (name, value) in fields {
        // The runtime takes text, and sends it as UTF-8.
        if let Ok(value) = std::str::from_utf8(value.as_bytes()) {
            headers.append(name.as_str(), value)?;
        }
    }
    Ok(headers)
}
