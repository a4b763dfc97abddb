//! Publications authorized by a cookie: only from pages that are allowed to (draft-08, "Security
//! Considerations").

use crate::arguments::Capability;
use crate::case::{Case, case};
use crate::cases::cors::LISTED;
use crate::http::Request;
use crate::hub::{Hub, fresh};
use crate::token::Generation;

pub(crate) const CASES: &[Case] = &[
    case!(a_cookie_publishes_from_the_hubs_own_and_listed_origins on LISTED)
        .needing(&[Capability::Cookies]),
    case!(a_cookie_does_not_publish_from_elsewhere on LISTED).needing(&[Capability::Cookies]),
    case!(origin_counts_before_referer on LISTED).needing(&[Capability::Cookies]),
    case!(the_header_needs_no_origin on LISTED),
    case!(reading_with_a_cookie_needs_no_origin on LISTED).needing(&[Capability::Cookies]),
];

fn with_cookie(hub: &Hub) -> Request {
    hub.publication(&[("topic", &fresh("a"))]).cookie("mercureAuthorization", &hub.anyone())
}

fn a_cookie_publishes_from_the_hubs_own_and_listed_origins(hub: &Hub) {
    let own = hub.endpoint.origin();
    for origin in [own.as_str(), "https://app.example", "https://a.tenant.example"] {
        with_cookie(hub).header("Origin", origin).send().expect_status(200);
        with_cookie(hub).header("Referer", format!("{origin}/page?x#y")).send().expect_status(200);
    }
    let token = hub.publisher(Generation::V1, &["*"]);
    hub.publication(&[("topic", &fresh("a"))])
        .cookie("__Secure-mercure_access_token", &token)
        .header("Origin", own)
        .send()
        .expect_status(200);
}

// The request is refused if neither field is there.
fn a_cookie_does_not_publish_from_elsewhere(hub: &Hub) {
    with_cookie(hub).send().expect_status(403);
    for origin in [
        "https://evil.example",
        "http://app.example",
        "https://app.example:444",
        "https://app.example.evil.example",
        // It may read, but not write.
        "https://admin.example:8443",
        "capacitor://localhost",
        "https://tenant.example",
        "https://a-tenant.example",
        "null",
        "",
        "https://app.example https://evil.example",
    ] {
        with_cookie(hub).header("Origin", origin).send().expect_status(403);
    }
    for referer in [
        "https://evil.example/",
        "https://evil.example/https://app.example/",
        "https://app.example.evil.example/",
        "https://app.example@evil.example/",
        "https://evil.example/.tenant.example/",
        "app.example",
        "",
    ] {
        with_cookie(hub).header("Referer", referer).send().expect_status(403);
    }
}

fn origin_counts_before_referer(hub: &Hub) {
    with_cookie(hub)
        .header("Origin", "https://evil.example")
        .header("Referer", "https://app.example/")
        .send()
        .expect_status(403);
    with_cookie(hub)
        .header("Origin", "null")
        .header("Referer", "https://app.example/")
        .send()
        .expect_status(403);
    with_cookie(hub)
        .header("Origin", "https://app.example")
        .header("Referer", "https://evil.example/")
        .send()
        .expect_status(200);
}

// No page can send this without the hub's consent in a preflight.
fn the_header_needs_no_origin(hub: &Hub) {
    let publication = || hub.granted(&[("topic", &fresh("a"))]);
    publication().send().expect_status(200);
    publication().header("Origin", "https://evil.example").send().expect_status(200);
    publication().cookie("mercureAuthorization", "bad").send().expect_status(200);
}

fn reading_with_a_cookie_needs_no_origin(hub: &Hub) {
    hub.subscription(&[("match", "a")])
        .cookie("mercureAuthorization", &hub.subscriber(Generation::V0, &["*"]))
        .open();
}
