//! The hub's URL: where the hub is, what tokens call it, and which pages are its own.

use serde_json::json;

use crate::case::{Case, case};
use crate::form;
use crate::http::Request;
use crate::hub::{Hub, fresh};
use crate::launch::Variables;
use crate::token::{detail, header_v1, sign};

pub(crate) const CASES: &[Case] = &[
    case!(a_configured_url_is_the_path_the_audience_and_the_origin on ELSEWHERE),
    case!(the_reserved_namespace_follows_the_configured_url on ELSEWHERE),
    case!(without_one_it_is_the_well_known_path_at_the_host on UNSET),
];

const ELSEWHERE: Variables = &[("HUB_URL", "https://public.example/the/hub")];
const UNSET: Variables = &[("HUB_URL", "")];

fn publication(hub: &Hub, path: &str, topic: &str) -> Request {
    hub.request("POST", path)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(form::pairs(&[("topic", topic)]))
}

/// A publisher's 1.0 token for this audience.
fn token_for(hub: &Hub, audience: &str) -> String {
    let mut claims = hub.claims_v1(json!([detail("publish", &["*"])]));
    claims["aud"] = json!(audience);
    sign(&header_v1(), &claims, &hub.keys.publisher)
}

// draft-08, "Hub Discovery": it may be any URL
fn a_configured_url_is_the_path_the_audience_and_the_origin(hub: &Hub) {
    let topic = fresh("a");
    publication(hub, "/the/hub", &topic)
        .bearer(&token_for(hub, "https://public.example/the/hub"))
        .send()
        .expect_status(200);
    publication(hub, "/the/hub", &topic)
        .bearer(&token_for(hub, &hub.url()))
        .send()
        .expect_challenge(401, Some("invalid_token"));
    let not_here = publication(hub, "/.well-known/mercure", &topic).send().expect_status(404);
    assert!(not_here.text().contains("/the/hub"), "{not_here}");

    let cookie =
        || publication(hub, "/the/hub", &topic).cookie("mercureAuthorization", &hub.anyone());
    cookie().header("Origin", "https://public.example").send().expect_status(200);
    cookie().header("Origin", hub.endpoint.origin()).send().expect_status(403);
}

// draft-08, "Publication", `topic`
fn the_reserved_namespace_follows_the_configured_url(hub: &Hub) {
    let publish = |topic: &str| publication(hub, "/the/hub", topic).bearer(&hub.anyone()).send();
    for reserved in
        ["/the/hub", "/the/hub/x", "https://other.example/the/%68ub/x", "hub", "../the/hub"]
    {
        publish(reserved).expect_status(400);
    }
    publish("/.well-known/mercure/x").expect_status(200);
    publish("/the").expect_status(200);
}

// Never from a forwarded header, which anybody can send
fn without_one_it_is_the_well_known_path_at_the_host(hub: &Hub) {
    let topic = fresh("a");
    let publish = || publication(hub, "/.well-known/mercure", &topic);
    // A platform that only speaks HTTPS tells its hubs so, even if it is emulated without HTTPS.
    let urls = [hub.url(), hub.url().replacen("http://", "https://", 1)];
    let takes = |url: &String| publish().bearer(&token_for(hub, url)).send().status == 200;
    assert!(urls.iter().any(takes), "a token for neither of {urls:?} is taken");
    publish()
        .bearer(&token_for(hub, "https://evil.example/.well-known/mercure"))
        .header("X-Forwarded-Host", "evil.example")
        .header("X-Forwarded-Proto", "https")
        .header("Forwarded", "host=evil.example;proto=https")
        .send()
        .expect_challenge(401, Some("invalid_token"));
}
