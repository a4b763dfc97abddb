//! Answers that pages of other origins may read, and answers that they may not.

use crate::case::{Case, case};
use crate::http::{Head, Request};
use crate::hub::{Hub, fresh};
use crate::launch::Variables;

pub(crate) const CASES: &[Case] = &[
    case!(a_listed_origin_may_read_every_answer on LISTED),
    case!(another_origin_may_read_none on LISTED),
    case!(a_preflight_allows_what_clients_send on LISTED),
    case!(a_preflight_allows_what_the_hub_ignores on LISTED),
    case!(without_a_list_no_origin_is_allowed),
    case!(all_origins_are_allowed_without_credentials on OPEN),
];

/// The cases of [`super::csrf`] use it too.
pub(super) const LISTED: Variables = &[
    (
        "CORS_ORIGINS",
        "https://app.example, https://admin.example:8443; https://*.tenant.example capacitor://localhost",
    ),
    ("PUBLISH_ORIGINS", "https://app.example https://*.tenant.example"),
];
/// The cases of [`super::readers`] use it too.
const OPEN: Variables = &[("NATIVE_READERS", "always"), ("CORS_ORIGINS", "*")];

/// What scripts may read of answers beside the fields that they always may.
const EXPOSED: [&str; 6] = [
    "Link",
    "Mercure-Last-Event-ID",
    "Last-Event-ID",
    "WWW-Authenticate",
    "Accept-Query",
    "Retry-After",
];

/// One request for every kind of answer, errors among them.
fn requests(hub: &Hub) -> Vec<Request> {
    let publication = || hub.publication(&[("topic", &fresh("a"))]);
    vec![
        hub.subscription(&[("match", "a")]),
        hub.request("HEAD", format!("{}?match=a", hub.path())),
        publication().bearer(&hub.anyone()),
        publication(),
        publication().bearer("a.b.c"),
        publication().bearer(&hub.publisher(crate::token::Generation::V0, &[])),
        publication().header("Authorization", "Bearer"),
        hub.granted(&[("data", "x")]),
        hub.granted(&[("topic", "a"), ("data", &"x".repeat(hub.limits.max_request_body_size))]),
        hub.granted(&[("topic", "a")]).header("Content-Type", "text/plain"),
        hub.subscription(&[]),
        hub.subscription(&[("match_x", "a")]),
        hub.subscription(&[("match", "a")]).without_header("Accept").header("Accept", "image/png"),
        hub.request("PUT", hub.path()).body(""),
        hub.request("GET", "/nowhere"),
        hub.request("GET", "/healthz"),
    ]
}

fn head(request: Request, origin: &str) -> Head {
    let request = request.header("Origin", origin);
    match request.start() {
        Ok((head, _)) => head,
        Err(error) => panic!("{error} in answer to {request}"),
    }
}

// draft-08, "Subscription": an explicit list, and credentials
fn a_listed_origin_may_read_every_answer(hub: &Hub) {
    for origin in [
        "https://app.example",
        "https://admin.example:8443",
        "https://a.b.tenant.example",
        "capacitor://localhost",
    ] {
        for request in requests(hub) {
            let shown = request.to_string();
            let head = head(request, origin);
            let allowed = head.header("Access-Control-Allow-Origin");
            assert_eq!(allowed.as_deref(), Some(origin), "{head:?} in answer to {shown}");
            let credentials = head.header("Access-Control-Allow-Credentials");
            assert_eq!(credentials.as_deref(), Some("true"), "{head:?} in answer to {shown}");
            assert!(head.lists("Vary", "Origin"), "{head:?} in answer to {shown}");
            for field in EXPOSED {
                let is_exposed = head.lists("Access-Control-Expose-Headers", field);
                assert!(is_exposed, "{field}: {head:?} in answer to {shown}");
            }
        }
    }
}

// The same: never reflected from arbitrary origins
fn another_origin_may_read_none(hub: &Hub) {
    for origin in [
        "https://evil.example",
        "http://app.example",
        "https://app.example:444",
        "https://app.example.evil.example",
        "https://admin.example",
        "https://tenant.example",
        "https://a-tenant.example",
        "https://a.tenant.example.evil.example",
        "http://localhost",
        "null",
        "*",
        "",
    ] {
        for request in requests(hub) {
            let head = head(request, origin);
            assert_eq!(head.header("Access-Control-Allow-Origin"), None, "{origin}: {head:?}");
            assert_eq!(head.header("Access-Control-Allow-Credentials"), None, "{origin}: {head:?}");
            // Otherwise a cache would serve this to a page of a listed origin.
            assert!(head.lists("Vary", "Origin"), "{origin}: {head:?}");
        }
    }
}

fn preflight(hub: &Hub, method: &str) -> Request {
    hub.request("OPTIONS", hub.path())
        .header("Access-Control-Request-Method", method)
        .header("Access-Control-Request-Headers", "authorization,last-event-id")
}

// Fetch standard, "CORS-preflight fetch": the status must be a success
fn a_preflight_allows_what_clients_send(hub: &Hub) {
    for method in ["GET", "POST", "QUERY"] {
        let answer = preflight(hub, method).header("Origin", "https://app.example").send();
        assert!(matches!(answer.status, 200 | 204), "{answer}");
        let answer = answer
            .expect_header("Access-Control-Allow-Origin", "https://app.example")
            .expect_header("Access-Control-Allow-Credentials", "true");
        assert!(answer.head.lists("Vary", "Origin"), "{answer}");
        assert!(answer.head.lists("Access-Control-Allow-Methods", method), "{answer}");
        for field in
            ["authorization", "cache-control", "last-event-id", "content-type", "x-requested-with"]
        {
            assert!(answer.head.lists("Access-Control-Allow-Headers", field), "{field}: {answer}");
        }

        let answer = preflight(hub, method).header("Origin", "https://evil.example").send();
        assert_eq!(answer.header("Access-Control-Allow-Origin"), None, "{answer}");
    }
}

fn a_preflight_allows_what_the_hub_ignores(hub: &Hub) {
    let asked = |origin| {
        hub.request("OPTIONS", hub.path())
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "GET")
            .header("Access-Control-Request-Headers", "baggage,sentry-trace,traceparent")
            .send()
    };
    let answer = asked("https://app.example");
    for field in ["authorization", "baggage", "sentry-trace", "traceparent"] {
        assert!(answer.head.lists("Access-Control-Allow-Headers", field), "{field}: {answer}");
    }
    assert!(answer.head.lists("Vary", "Access-Control-Request-Headers"), "{answer}");
    let answer = asked("https://evil.example");
    assert_eq!(answer.header("Access-Control-Allow-Headers"), None, "{answer}");
}

fn without_a_list_no_origin_is_allowed(hub: &Hub) {
    let requests = requests(hub).into_iter().chain([preflight(hub, "POST")]);
    for request in requests {
        let head = head(request, "https://app.example");
        assert_eq!(head.header("Access-Control-Allow-Origin"), None, "{head:?}");
        assert_eq!(head.header("Access-Control-Allow-Credentials"), None, "{head:?}");
    }
}

// draft-08, "Subscription": with credentials, never the wildcard
fn all_origins_are_allowed_without_credentials(hub: &Hub) {
    let requests = requests(hub).into_iter().chain([preflight(hub, "POST")]);
    for request in requests {
        let head = head(request, "https://any.example");
        let allowed = head.header("Access-Control-Allow-Origin");
        assert_eq!(allowed.as_deref(), Some("*"), "{head:?}");
        assert_eq!(head.header("Access-Control-Allow-Credentials"), None, "{head:?}");
    }
}
