//! Answers: responses that are whole, and what all responses have in common.

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::wire::cors::Cors;
use crate::wire::refusal::Refusal;

/// A response with all of its body.
pub type Response = http::Response<Vec<u8>>;

/// What to send back, and what to write to the log.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The response.
    pub response: Response,
    /// A line for the hub's owner, without secrets.
    pub log: Option<String>,
}

/// The answer on every path of a hub whose configuration is broken. The reason is for the log.
#[must_use]
pub fn misconfigured() -> Response {
    Refusal::Misconfigured.into_answer(&Cors::none()).response
}

/// A whole response.
pub(crate) fn respond(
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
    cors: &Cors,
) -> Response {
    finish(status, headers, cors).map(|()| body)
}

/// Adds what every response carries: what CORS asks for, and fields that keep browsers from
/// guessing, framing and caching.
pub(crate) fn finish(status: StatusCode, headers: HeaderMap, cors: &Cors) -> http::Response<()> {
    let mut response = http::Response::new(());
    *response.status_mut() = status;
    let common = [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in common {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    cors.apply(response.headers_mut());
    response.headers_mut().extend(headers);
    response
}
