//! The commands of the protocol's first talks (2018 and 2019), as their slides have them.
//!
//! They were written for a hub at `/hub` with a single key, whose publishers needed no grants. With
//! the variables of that time, they work here.

use serde_json::json;

use crate::arguments::Capability;
use crate::case::{Case, case};
use crate::cases::clients::php;
use crate::form;
use crate::http::{Request, Response};
use crate::hub::{Hub, fresh};
use crate::launch::Variables;
use crate::stream::Stream;
use crate::token::{sign, sign_bytes};

pub(crate) const CASES: &[Case] = &[
    case!(curl_publishes_what_a_page_shows on TALKS),
    case!(a_page_names_several_topics on TALKS),
    case!(a_page_comes_back_and_has_missed_nothing on TALKS),
    case!(php_publishes_in_a_line on TALKS).needing(&[Capability::RawRequests]),
    case!(a_cookie_of_the_hubs_path_reads_and_writes on TALKS).needing(&[Capability::Cookies]),
    case!(another_page_does_neither on TALKS).needing(&[Capability::Cookies]),
    case!(what_is_private_needs_a_grant_even_so on TALKS),
];

/// A hub as it was then: the older names replace the suite's own variables.
const TALKS: Variables = &[
    ("MERCURE_PUBLISHER_JWT_KEY", ""),
    ("MERCURE_SUBSCRIBER_JWT_KEY", ""),
    ("ANONYMOUS", ""),
    ("JWT_KEY", KEY),
    ("ALLOW_ANONYMOUS", "1"),
    ("CORS_ALLOWED_ORIGINS", APPLICATION),
    ("PUBLISH_ALLOWED_ORIGINS", APPLICATION),
    ("HUB_ALIASES", "/hub"),
    ("PUBLISH_UNGRANTED", "1"),
];

const KEY: &str = "!ChangeMe!";
const APPLICATION: &str = "http://localhost:3000";

/// The token of every slide: no type, no expiry, and no topic.
fn demo_token() -> String {
    sign_bytes(r#"{"alg":"HS256"}"#, r#"{"mercure":{"publish":[]}}"#, KEY)
}

/// `new EventSource('/hub?topic=' + encodeURIComponent(topic))`
fn event_source(hub: &Hub, topic: &str) -> Request {
    hub.request("GET", format!("/hub?topic={}", form::encode(topic))).native()
}

/// The next event that the page's `onmessage` is given, and the ID it could resume from.
#[track_caller]
fn message(stream: &mut Stream) -> (String, String) {
    loop {
        let event = stream.event();
        if event.event_type == "message" {
            return (event.data, event.id);
        }
    }
}

/// `curl -d … -d … -H 'Authorization: Bearer …' -X POST http://localhost:3000/hub`: what `-d` is
/// given is sent as it is.
fn curl(hub: &Hub, fields: &[&str]) -> Response {
    hub.request("POST", "/hub")
        .header("User-Agent", "curl/7.64.1")
        .header("Accept", "*/*")
        .bearer(&demo_token())
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(fields.join("&"))
        .send()
}

fn curl_publishes_what_a_page_shows(hub: &Hub) {
    let books = fresh("books");
    let mut page = event_source(hub, &format!("{books}/{{id}}")).open();
    let topic = format!("topic={books}/1");
    let answer = curl(hub, &[&topic, r#"data={"foo":"bar"}"#]).expect_status(200);
    assert_eq!(message(&mut page), (r#"{"foo":"bar"}"#.to_owned(), answer.text()));
    // The slides' own topic, to which other cases publish as well.
    curl(hub, &["topic=http://localhost:3000/books/1", r#"data={"foo":"bar"}"#]).expect_status(200);
}

// `url.searchParams.append('topic', …)`, twice
fn a_page_names_several_topics(hub: &Hub) {
    let (book, reviews) = (fresh("books/1"), fresh("reviews"));
    let encode = |topic: &str| form::encode(topic).replace("%20", "+").replace('~', "%7E");
    let query = format!("topic={}&topic={}", encode(&book), encode(&format!("{reviews}/{{id}}")));
    let mut page = hub.request("GET", format!("/hub?{query}")).native().open();
    curl(hub, &[&format!("topic={reviews}/22"), "data=a review"]).expect_status(200);
    curl(hub, &[&format!("topic={book}"), "data=a book"]).expect_status(200);
    assert_eq!(message(&mut page).0, "a review");
    assert_eq!(message(&mut page).0, "a book");
}

fn a_page_comes_back_and_has_missed_nothing(hub: &Hub) {
    let topic = fresh("books/1");
    let publish = |data: &str| {
        curl(hub, &[&format!("topic={topic}"), &format!("data={data}")]).expect_status(200);
    };
    let mut page = event_source(hub, &topic).open();
    publish("1");
    let (_, id) = message(&mut page);
    drop(page);
    publish("2");
    let mut again = event_source(hub, &topic).header("Last-Event-ID", &id).open();
    assert_eq!(message(&mut again).0, "2");
    assert_eq!(again.header("Last-Event-ID"), Some(id.clone()));
    // A polyfill sends no header; on the slides, a parameter named after it takes its place.
    let query = format!("topic={}&Last-Event-ID={}", form::encode(&topic), form::encode(&id));
    let mut polyfill = hub.request("GET", format!("/hub?{query}")).open();
    assert_eq!(polyfill.expect_data("2"), again.last_event_id());
}

// `echo file_get_contents('http://localhost:3000/hub', false, stream_context_create(['http' =>
// …]))`
fn php_publishes_in_a_line(hub: &Hub) {
    let topic = fresh("books/1");
    let mut page = event_source(hub, &topic).open();
    for version in ["HTTP/1.0", "HTTP/1.1"] {
        let body = form::pairs(&[("topic", &topic), ("data", r#"{"key":"updated value"}"#)]);
        let id = php(hub, version, "/hub", &demo_token(), &body);
        assert_eq!(message(&mut page), (r#"{"key":"updated value"}"#.to_owned(), id));
    }
}

// The application has set it for the path `/hub`; this is all that a browser sends of it.
fn a_cookie_of_the_hubs_path_reads_and_writes(hub: &Hub) {
    let topic = fresh("chat");
    let claims = json!({"mercure": {"subscribe": [topic], "publish": [topic]}});
    let token = sign(&json!({"alg": "HS256"}), &claims, KEY);
    let page = |request: Request| {
        request.cookie("mercureAuthorization", &token).header("Origin", APPLICATION)
    };
    let mut reader = page(event_source(hub, &topic)).open();
    assert_eq!(reader.header("Access-Control-Allow-Origin"), Some(APPLICATION.to_owned()));
    assert_eq!(reader.header("Access-Control-Allow-Credentials"), Some("true".to_owned()));
    let body = form::pairs(&[("topic", &topic), ("data", "hi"), ("private", "on")]);
    page(hub.request("POST", "/hub"))
        .header("Content-Type", "application/x-www-form-urlencoded;charset=UTF-8")
        .body(body)
        .send()
        .expect_status(200)
        .expect_header("Access-Control-Allow-Origin", APPLICATION);
    assert_eq!(message(&mut reader).0, "hi");
}

fn another_page_does_neither(hub: &Hub) {
    let topic = fresh("chat");
    let page = |request: Request| {
        request
            .cookie("mercureAuthorization", &demo_token())
            .header("Origin", "http://evil.example")
    };
    let stream = page(event_source(hub, &topic)).open();
    assert_eq!(stream.header("Access-Control-Allow-Origin"), None);
    page(hub.request("POST", "/hub"))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(form::pairs(&[("topic", &topic)]))
        .send()
        .expect_no_challenge(403);
}

fn what_is_private_needs_a_grant_even_so(hub: &Hub) {
    let topic = format!("topic={}", fresh("books/1"));
    curl(hub, &[&topic, "private=on"]).expect_challenge(403, Some("insufficient_scope"));
    curl(hub, &[&topic, "data=public"]).expect_status(200);
}
