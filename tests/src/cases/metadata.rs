//! Metadata: what a hub of 1.0 says of itself as a protected resource (RFC 9728), and how clients
//! learn where.

use serde_json::{Value, json};

use super::errors::challenged;
use crate::arguments::Capability;
use crate::case::{Case, case};
use crate::hub::{Hub, fresh};
use crate::launch::Variables;
use crate::token::{DETAIL, detail, header_v1, sign};

const ALIASES: Variables = &[("HUB_ALIASES", "/hub /mercure")];
const LISTED: Variables = &[("CORS_ORIGINS", "https://app.example")];
const NAMED: Variables = &[("COOKIE_NAME", "hub_token")];
const PRESENCE: Variables = &[("SUBSCRIPTIONS", "1")];
const V0: Variables = &[("PROTOCOL", "0.x")];

pub(crate) const CASES: &[Case] = &[
    case!(the_document_says_what_tokens_are_for).needing(&[Capability::WholeHost]),
    case!(a_hub_that_tells_who_is_subscribed_says_so on PRESENCE).needing(&[Capability::WholeHost]),
    case!(an_alias_is_a_resource_too on ALIASES).needing(&[Capability::WholeHost]),
    case!(pages_of_every_origin_may_read_it_and_caches_may_keep_it on LISTED)
        .needing(&[Capability::WholeHost]),
    case!(only_reading_is_allowed).needing(&[Capability::WholeHost]),
    case!(every_challenge_leads_to_it)
        .needing(&[Capability::WholeHost, Capability::WwwAuthenticate]),
    case!(the_cookie_that_it_names_counts on NAMED)
        .needing(&[Capability::WholeHost, Capability::Cookies]),
    case!(a_hub_of_0_x_has_none on V0).needing(&[Capability::WholeHost]),
];

const PREFIX: &str = "/.well-known/oauth-protected-resource";

/// The document about the hub at this path.
#[track_caller]
fn document(hub: &Hub, path: &str) -> Value {
    let answer = hub.request("GET", format!("{PREFIX}{path}")).send().expect_status(200);
    let answer = answer.expect_header("Content-Type", "application/json");
    serde_json::from_slice(&answer.body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

// draft-08, "Protected Resource Metadata"
fn the_document_says_what_tokens_are_for(hub: &Hub) {
    let document = document(hub, hub.path());
    assert_eq!(document["resource"], hub.keys.audience);
    assert_eq!(document["authorization_details_types_supported"], json!([DETAIL]));
    assert_eq!(document["bearer_methods_supported"], json!(["header"]));
    assert_eq!(document["mercure_cookie"], "__Secure-mercure_access_token");
    // RFC 9728, section 3.2: members without values are left out. Its tokens are self-issued.
    assert_eq!(document.get("authorization_servers"), None, "{document}");
    assert_eq!(document.get("mercure_subscriptions"), None, "{document}");
    for path in ["", "/", "/hub"] {
        hub.request("GET", format!("{PREFIX}{path}")).send().expect_no_challenge(404);
    }
}

// draft-08, "Active Subscriptions"
fn a_hub_that_tells_who_is_subscribed_says_so(hub: &Hub) {
    assert_eq!(document(hub, hub.path())["mercure_subscriptions"], true);
}

// RFC 9728, section 3.3: the resource is the URL that the document's was derived from
fn an_alias_is_a_resource_too(hub: &Hub) {
    let origin = hub.keys.audience.strip_suffix(hub.path()).expect("the audience is the hub's URL");
    for path in [hub.path(), "/hub", "/mercure"] {
        let resource = document(hub, path)["resource"].clone();
        assert_eq!(resource, format!("{origin}{path}"));
        let mut claims = hub.claims_v1(json!([detail("publish", &["*"])]));
        claims["aud"] = resource;
        let token = sign(&header_v1(), &claims, &hub.keys.publisher);
        hub.publication(&[("topic", &fresh("a"))]).bearer(&token).send().expect_status(200);
    }
}

fn pages_of_every_origin_may_read_it_and_caches_may_keep_it(hub: &Hub) {
    let path = format!("{PREFIX}{}", hub.path());
    for origin in ["https://app.example", "https://any.example", "null"] {
        let asked = |method: &str| {
            let request = hub.request(method, &path).header("Origin", origin).cookie("a", "b");
            request.send().expect_header("Access-Control-Allow-Origin", "*")
        };
        let answer = asked("GET").expect_status(200);
        assert!(answer.head.lists("Cache-Control", "public"), "{answer}");
        assert!(answer.header("Cache-Control").is_some_and(|value| value.contains("max-age=")));
        assert_eq!(answer.header("Access-Control-Allow-Credentials"), None, "{answer}");
        let preflight = asked("OPTIONS");
        assert!(matches!(preflight.status, 200 | 204), "{preflight}");
    }
}

fn only_reading_is_allowed(hub: &Hub) {
    let path = format!("{PREFIX}{}", hub.path());
    hub.request("HEAD", &path).send().expect_status(200);
    let answer = hub.request("POST", &path).body("topic=a").send().expect_status(405);
    assert!(answer.head.lists("Allow", "GET"), "{answer}");
}

// draft-08, "Error Responses"; RFC 9728, section 5.1
fn every_challenge_leads_to_it(hub: &Hub) {
    let origin = hub.keys.audience.strip_suffix(hub.path()).expect("the audience is the hub's URL");
    for answer in challenged(hub) {
        let challenge = answer.header("WWW-Authenticate").unwrap_or_default();
        // RFC 6750, section 3: parameters with quoted values, the error code first.
        let (_, url) = challenge.split_once("resource_metadata=\"").expect("it says where");
        let url = url.strip_suffix('"').expect("the URL is quoted, and stands last");
        assert!(challenge.starts_with("Bearer error=\"") || answer.status == 401, "{challenge}");
        let path = url.strip_prefix(origin).expect("it is at the hub's own origin");
        assert_eq!(path, format!("{PREFIX}{}", hub.path()));
    }
    assert_eq!(document(hub, hub.path())["resource"], hub.keys.audience);
}

// draft-08, "Cookie"
fn the_cookie_that_it_names_counts(hub: &Hub) {
    let document = document(hub, hub.path());
    let name = document["mercure_cookie"].as_str().expect("a name");
    assert_eq!(name, "hub_token");
    hub.publication(&[("topic", &fresh("a"))])
        .cookie(name, &hub.anyone())
        .header("Origin", hub.endpoint.origin())
        .send()
        .expect_status(200);
}

// draft-08, "Protected Resource Metadata": its absence is a hint that a hub is such a one
fn a_hub_of_0_x_has_none(hub: &Hub) {
    hub.request("GET", format!("{PREFIX}{}", hub.path())).send().expect_no_challenge(404);
    for answer in challenged(hub) {
        let challenge = answer.header("WWW-Authenticate").unwrap_or_default();
        assert!(!challenge.contains("resource_metadata"), "{answer}");
    }
}
