//! The debugger: a page to look at the hub with, if its owner asked for one. (What it does in a browser
//! is in `browser/debugger.rs`.)

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::case::{Case, case};
use crate::http::Response;
use crate::hub::{Hub, fresh};
use crate::launch::Variables;
use crate::token::{detail, header_v0, header_v1, sign};

const ON: Variables = &[
    ("DEBUGGER", "1"),
    ("HUB_ALIASES", "/hub"),
    ("CORS_ORIGINS", "https://app.example"),
    ("PUBLISH_ORIGINS", "https://app.example"),
];
const OFF: Variables = &[("DEBUGGER", "0")];

pub(crate) const CASES: &[Case] = &[
    case!(the_page_is_behind_each_path_of_the_hub on ON),
    case!(the_page_may_do_no_more_than_what_is_in_it on ON),
    case!(only_reading_is_allowed on ON),
    case!(the_page_is_told_what_the_hub_expects on ON),
    case!(the_page_is_told_what_pages_of_an_origin_may_do on ON),
    case!(a_refusal_says_what_is_wrong_with_the_token on ON),
    case!(without_it_there_is_nothing on OFF),
    case!(without_it_a_refusal_does_not_say_why on OFF),
];

#[track_caller]
fn page(hub: &Hub, path: &str) -> Response {
    hub.request("GET", path).send().expect_status(200)
}

fn the_page_is_behind_each_path_of_the_hub(hub: &Hub) {
    for path in [hub.path(), "/hub"] {
        let whole = page(hub, &format!("{path}/debug/"));
        assert!(whole.text().starts_with("<!doctype html>"), "{whole}");
        // Without a redirect: the page finds the hub from either address.
        assert_eq!(page(hub, &format!("{path}/debug")).body, whole.body);
        hub.request("HEAD", format!("{path}/debug/"))
            .send()
            .expect_status(200)
            .expect_header("Content-Type", "text/html; charset=utf-8");
    }
    for path in ["/debug", "/hub/debugger", "/hub/debug/x"] {
        hub.request("GET", path).send().expect_no_challenge(404);
    }
}

fn the_page_may_do_no_more_than_what_is_in_it(hub: &Hub) {
    let answer = page(hub, &format!("{}/debug/", hub.path()))
        .expect_header("Content-Type", "text/html; charset=utf-8")
        .expect_header("X-Content-Type-Options", "nosniff")
        .expect_header("Referrer-Policy", "no-referrer")
        .expect_header("Cache-Control", "no-store");
    let policy = answer.header("Content-Security-Policy").unwrap_or_default();
    let directives: Vec<&str> = policy.split("; ").collect();
    let text = answer.text();
    let allowed = |element: &str| {
        let (_, rest) = text.split_once(&format!("<{element}>")).expect("there is one");
        let (content, _) = rest.split_once(&format!("</{element}>")).expect("it ends");
        format!("{element}-src 'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(content)))
    };
    let (script, style) = (allowed("script"), allowed("style"));
    for directive in [
        "default-src 'none'",
        &script,
        &style,
        "connect-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(directives.contains(&directive), "{directive} is not in {policy}");
    }
}

fn only_reading_is_allowed(hub: &Hub) {
    for path in ["/debug/", "/debug/facts"] {
        let path = format!("{}{path}", hub.path());
        for method in ["POST", "PUT", "DELETE"] {
            let answer = hub.request(method, &path).body("").send().expect_status(405);
            assert!(answer.head.lists("Allow", "GET"), "{answer}");
        }
    }
}

#[track_caller]
fn facts(hub: &Hub, query: &str) -> Value {
    let answer = page(hub, &format!("{}/debug/facts{query}", hub.path()));
    let answer = answer.expect_header("Content-Type", "application/json");
    let answer = answer.expect_header("Cache-Control", "no-store");
    serde_json::from_slice(&answer.body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

fn the_page_is_told_what_the_hub_expects(hub: &Hub) {
    let told = facts(hub, "");
    assert_eq!(told["hub"], hub.keys.audience);
    assert_eq!(told["issuers"], json!([hub.keys.issuer]));
    assert_eq!(told["generations"], json!(["0.x", "1.0"]));
    let cookies = json!(["__Secure-mercure_access_token", "mercureAuthorization"]);
    assert_eq!(told["cookies"], cookies);
    let secrets = [&hub.keys.publisher, &hub.keys.subscriber];
    assert!(secrets.iter().all(|secret| !told.to_string().contains(secret.as_str())), "{told}");
    // What it says makes a token that is taken.
    let mut claims = hub.claims_v1(json!([detail("publish", &["*"])]));
    claims["aud"] = told["audiences"][1].clone();
    claims["iss"] = told["issuers"][0].clone();
    let token = sign(&header_v1(), &claims, &hub.keys.publisher);
    hub.publication(&[("topic", &fresh("a"))]).bearer(&token).send().expect_status(200);
}

fn the_page_is_told_what_pages_of_an_origin_may_do(hub: &Hub) {
    for (origin, may) in [("https://app.example", true), ("https://other.example", false)] {
        let told = &facts(hub, &format!("?origin={origin}"))["origin"];
        let expected = json!({"origin": origin, "read": may, "read_with_cookies": may, "publish_with_cookies": may});
        assert_eq!(*told, expected);
        let asked = hub.request("GET", format!("{}/debug/facts", hub.path()));
        let answer = asked.header("Origin", origin).send().expect_status(200);
        assert_eq!(answer.header("Access-Control-Allow-Origin").is_some(), may, "{answer}");
    }
}

/// A token for each thing that can be wrong with it, and what the hub calls it.
fn wrong_tokens(hub: &Hub) -> [(String, &'static str); 5] {
    let details = json!([detail("publish", &["*"])]);
    let v1 = |name: &str, value: Value| {
        let mut claims = hub.claims_v1(details.clone());
        claims[name] = value;
        sign(&header_v1(), &claims, &hub.keys.publisher)
    };
    let everything = json!({"mercure": {"publish": ["*"]}});
    let other_key = "another key, which has thirty-two bytes";
    let other_algorithm = json!({"alg": "HS512", "typ": "JWT"});
    [
        (v1("exp", json!(1)), "`exp`"),
        (v1("aud", json!("https://other.example")), "`aud`"),
        (v1("iss", json!("https://other.example")), "`iss`"),
        (sign(&header_v0(), &everything, other_key), "signature"),
        (sign(&other_algorithm, &everything, &hub.keys.publisher), "`alg`"),
    ]
}

#[track_caller]
fn refusal(hub: &Hub, token: &str) -> String {
    let publication = hub.publication(&[("topic", &fresh("a"))]).bearer(token);
    publication.send().expect_challenge(401, Some("invalid_token")).text()
}

fn a_refusal_says_what_is_wrong_with_the_token(hub: &Hub) {
    for (token, what) in wrong_tokens(hub) {
        let said = refusal(hub, &token);
        assert!(said.contains(what), "{what} is not in: {said}");
    }
}

fn without_it_there_is_nothing(hub: &Hub) {
    for path in ["/debug/", "/debug", "/debug/facts"] {
        for method in ["GET", "HEAD", "POST"] {
            let request = hub.request(method, format!("{}{path}", hub.path()));
            request.send().expect_no_challenge(404);
        }
    }
}

// draft-08, "Error Responses": one answer for every reason does not disclose it
fn without_it_a_refusal_does_not_say_why(hub: &Hub) {
    let [first, others @ ..] = wrong_tokens(hub).map(|(token, _)| refusal(hub, &token));
    assert!(others.iter().all(|said| *said == first), "{first} {others:?}");
}
