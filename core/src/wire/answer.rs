//! Answers: responses that are whole, and what all responses have in common.

use std::time::Duration;

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, HeaderName, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::wire::cors::Cors;
use crate::wire::request::Request;

/// A response with all of its body.
pub type Response = http::Response<Vec<u8>>;

/// The whole answer to a request.
///
/// Everything that answers a request, other than with a stream, answers with one of these: the
/// entry, the holder of the log, and a hub without a configuration. So a shell needs one way to
/// send them.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The response. All of its body is to be sent at once.
    pub response: Response,
    /// How long to wait between the body and its end; zero, except where a reader would otherwise
    /// reconnect at once.
    pub hold: Duration,
    /// A line for the hub's owner, without secrets. Anybody can cause such lines, so write them
    /// through a [`Sampler`](crate::Sampler).
    pub log: Option<String>,
}

impl Answer {
    /// The same answer with a body, for a platform where an answer without one may never end.
    #[must_use]
    pub fn with_body(mut self) -> Self {
        if self.response.body().is_empty() {
            // RFC 9110, section 15.3.5: it cannot have one. Any success will do for a preflight
            // (Fetch standard, "CORS-preflight fetch").
            if self.response.status() == StatusCode::NO_CONTENT {
                *self.response.status_mut() = StatusCode::OK;
            }
            // It says nothing in plain text, and nothing in an event stream.
            self.response.body_mut().push(b'\n');
        }
        self
    }

    /// Whether what follows on the connection is a WebSocket: a link to a hub that follows this one.
    #[must_use]
    pub fn begins_link(&self) -> bool {
        self.response.status() == StatusCode::SWITCHING_PROTOCOLS
    }

    /// The same answer, to a subscription.
    pub(crate) fn for_a_subscription(mut self) -> Self {
        self.response.headers_mut().extend(subscription_fields());
        self
    }
}

impl From<Response> for Answer {
    /// An answer that is not held, with nothing to log.
    fn from(response: Response) -> Self {
        Self { response, hold: Duration::ZERO, log: None }
    }
}

/// A 200 whose body is a short text.
pub(crate) fn plain(body: impl Into<Vec<u8>>, cors: &Cors) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    respond(StatusCode::OK, headers, body.into(), cors).into()
}

/// A 200 whose body is a page, which may do what this policy (CSP) allows.
pub(crate) fn page(body: &str, policy: &'static HeaderValue, cors: &Cors) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, policy.clone());
    respond(StatusCode::OK, headers, body.into(), cors).into()
}

/// A 200 whose body is JSON that nobody may keep.
pub(crate) fn private_json(body: Vec<u8>, cors: &Cors) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    respond(StatusCode::OK, headers, body, cors).into()
}

/// A 200 whose body is JSON that is the same for everybody, and may be kept for an hour.
pub(crate) fn public_json(body: Vec<u8>, cors: &Cors) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    respond(StatusCode::OK, headers, body, cors).into()
}

/// The fields that clients of hubs set. A preflight allows them unasked, as caches keep its answer.
const CLIENTS_FIELDS: [HeaderName; 5] = [
    AUTHORIZATION,
    CACHE_CONTROL,
    CONTENT_TYPE,
    HeaderName::from_static("last-event-id"),
    HeaderName::from_static("x-requested-with"),
];

/// How many fields a preflight allows at most, and how long their names may be.
const MAX_FIELDS: usize = 32;
const MAX_FIELD_NAME: usize = 64;

/// The answer to OPTIONS: for a preflight, what may be sent.
pub(crate) fn preflight(methods: &'static str, request: &Request, cors: &Cors) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert(ALLOW, HeaderValue::from_static(methods));
    let vary = match cors {
        Cors::Closed { .. } => None,
        Cors::Open => Some("Access-Control-Request-Headers"),
        Cors::Origin(_) => Some("Origin, Access-Control-Request-Headers"),
    };
    if let Some(vary) = vary {
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
        // It cannot fail: names of fields are ASCII.
        if let Ok(fields) = HeaderValue::try_from(allowed_fields(request)) {
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, fields);
        }
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("7200"));
        headers.insert(VARY, HeaderValue::from_static(vary));
    }
    respond(StatusCode::NO_CONTENT, headers, Vec::new(), cors).into()
}

/// The fields that a page which may read answers may send: those of clients, and whatever else it
/// asks for. Tracing adds fields to every request (`traceparent`, `baggage`, `sentry-trace`), and
/// the hub ignores what it does not know. With the fields that it knows, a page can do no more than
/// with those of clients: browsers alone set `Origin` and `Cookie`.
fn allowed_fields(request: &Request) -> String {
    let mut allowed = CLIENTS_FIELDS.to_vec();
    let asked = request.header_values(ACCESS_CONTROL_REQUEST_HEADERS.as_str());
    for name in asked.flat_map(|names| names.split(|&byte| byte == b',')).map(<[u8]>::trim_ascii) {
        // A `*` would stand for every field (Fetch standard, "CORS-preflight fetch").
        if name.len() > MAX_FIELD_NAME || name == b"*" || allowed.len() == MAX_FIELDS {
            continue;
        }
        match HeaderName::from_bytes(name) {
            Ok(name) if !allowed.contains(&name) => allowed.push(name),
            _ => {}
        }
    }
    let names: Vec<&str> = allowed.iter().map(HeaderName::as_str).collect();
    names.join(", ")
}

/// Keeps nginx, and proxies that copied it, from holding events back.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The fields of every answer to a subscription: that it may also be asked for with QUERY and a form
/// (RFC 10008, "The Accept-Query Header Field"), and that what is on the way should pass on what has
/// come (draft-ietf-httpbis-incremental). The specification asks for both since
/// dunglas/mercure#1385.
fn subscription_fields() -> [(HeaderName, HeaderValue); 2] {
    [
        (
            HeaderName::from_static("accept-query"),
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        ),
        (HeaderName::from_static("incremental"), HeaderValue::from_static("?1")),
    ]
}

/// The fields of every event stream. Its type is bare, since some clients compare it as a whole; an
/// event stream is UTF-8 whatever it says (HTML standard, section 9.2). Nothing on the way may
/// transform it: compression buffers.
pub(crate) fn stream_fields() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store, no-transform"));
    headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    headers.extend(subscription_fields());
    headers
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

/// Adds what every response carries: the fields of CORS, and those that keep browsers from
/// sniffing, framing and caching it.
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
    // Last, since an event stream has a `Cache-Control` of its own.
    response.headers_mut().extend(headers);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_has_no_body_can_get_one() {
        let cors = Cors::Closed { varies: false };
        let request = Request::new("OPTIONS", "https://hub.example/", []);
        let with_body = preflight("GET", &request, &cors).with_body().response;
        assert_eq!((with_body.status(), with_body.body().as_slice()), (StatusCode::OK, &b"\n"[..]));
        assert_eq!(with_body.headers()[ALLOW], "GET");
        let plain = plain("ok", &cors).with_body().response;
        assert_eq!(plain.body(), b"ok");
        let empty = respond(StatusCode::NOT_FOUND, HeaderMap::new(), Vec::new(), &cors);
        let with_body = Answer::from(empty).with_body().response;
        assert_eq!((with_body.status(), with_body.body().len()), (StatusCode::NOT_FOUND, 1));
    }
}
