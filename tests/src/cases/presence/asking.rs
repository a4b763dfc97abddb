//! Asking who is here, and listening to who comes and goes.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::form;
use crate::http::{DEADLINE, Request, Response};
use crate::hub::Hub;
use crate::launch::Variables;
use crate::sse::Event;
use crate::stream::Stream;
use crate::token::Generation;

/// The configuration of most of these cases: a hub soon notices who has gone.
pub(super) const PRESENT: Variables = &[
    ("SUBSCRIPTIONS", "1"),
    ("HEARTBEAT", "500ms"),
    ("CORS_ORIGINS", "https://app.example"),
    ("PUBLISH_ORIGINS", "https://app.example"),
];

/// The path of what these variables name, each encoded once (RFC 6570, section 3.2.6).
pub(super) fn path(hub: &Hub, variables: &[&str]) -> String {
    let encoded: String =
        variables.iter().map(|variable| format!("/{}", form::encode(variable))).collect();
    format!("{}/subscriptions{encoded}", hub.path())
}

/// A request of somebody who may read everything.
pub(super) fn ask(hub: &Hub, target: &str) -> Request {
    hub.request("GET", target).bearer(&hub.subscriber(Generation::V1, &["*"]))
}

/// The subscriptions with a matcher that the hub lists as active.
#[track_caller]
pub(super) fn active(hub: &Hub, match_type: &str, matcher: &str) -> Vec<Value> {
    let answer = ask(hub, &path(hub, &[match_type, matcher])).send().expect_status(200);
    let listed = subscriptions(&json(&answer));
    listed.into_iter().filter(|document| document["active"] == true).collect()
}

/// All that the hub lists as active, over all pages.
#[track_caller]
pub(super) fn all(hub: &Hub) -> Vec<Value> {
    let mut listed = Vec::new();
    let mut next = Some(path(hub, &[]));
    while let Some(target) = next {
        let answer = ask(hub, &target).send().expect_status(200);
        listed.extend(subscriptions(&json(&answer)));
        next = next_page(hub, &answer);
    }
    listed.into_iter().filter(|document| document["active"] == true).collect()
}

/// Where a collection goes on.
pub(super) fn next_page(hub: &Hub, answer: &Response) -> Option<String> {
    let target = link(answer, "next")?.target;
    Some(target.strip_prefix(&hub.endpoint.origin()).unwrap_or(&target).to_owned())
}

/// The documents in a collection.
#[track_caller]
pub(super) fn subscriptions(collection: &Value) -> Vec<Value> {
    let listed = collection["subscriptions"].as_array();
    listed.unwrap_or_else(|| panic!("no collection: {collection}")).clone()
}

/// The body of an answer.
#[track_caller]
pub(super) fn json(answer: &Response) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

/// Waits until something is so: somebody has gone, and the hub has to notice.
#[track_caller]
pub(super) fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    wait_at_most(DEADLINE, what, is_so);
}

/// As [`wait_until`], for as long as the hub may take.
#[track_caller]
pub(super) fn wait_at_most(patience: Duration, what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + patience;
    while !is_so() {
        assert!(Instant::now() < deadline, "not so within {patience:?}: {what}");
        thread::sleep(Duration::from_millis(100));
    }
}

/// The URL pattern of all events about a matcher, as Laravel Echo writes it.
pub(super) fn pattern(hub: &Hub, matcher: &str) -> String {
    format!("{}/subscriptions/:match_type/{}/:subscriber", hub.path(), form::encode(matcher))
}

/// A request for the events about a matcher.
pub(super) fn watching(hub: &Hub, matcher: &str) -> Request {
    hub.subscription(&[("match_urlpattern", &pattern(hub, matcher))])
        .bearer(&hub.subscriber(Generation::V1, &["*"]))
}

/// Opens a stream of the events about a matcher.
#[track_caller]
pub(super) fn watch(hub: &Hub, matcher: &str) -> Stream {
    watching(hub, matcher).open()
}

/// The document of the next event, which must be about a subscription.
#[track_caller]
pub(super) fn announced(stream: &mut Stream) -> Value {
    document(&stream.event())
}

/// The document of an event about a subscription.
#[track_caller]
pub(super) fn document(event: &Event) -> Value {
    assert_eq!(event.event_type, "mercure", "{event:?}");
    assert!(!event.id.is_empty(), "{event:?}");
    serde_json::from_str(&event.data).unwrap_or_else(|error| panic!("{error}: {event:?}"))
}

/// The documents of the first so many events about a matcher that the log has. A stream may end
/// before it has brought them all; then another is opened.
#[track_caller]
pub(super) fn history(hub: &Hub, matcher: &str, count: usize) -> Vec<Value> {
    let pattern = pattern(hub, matcher);
    let request = hub
        .subscription(&[("match_urlpattern", &pattern), ("last_event_id", "earliest")])
        .bearer(&hub.subscriber(Generation::V1, &["*"]));
    let deadline = Instant::now() + DEADLINE;
    loop {
        let mut stream = request.open();
        let mut documents = Vec::new();
        while documents.len() < count {
            let Some(event) = stream.next() else { break };
            documents.push(document(&event));
        }
        if documents.len() == count {
            return documents;
        }
        assert!(Instant::now() < deadline, "of {count} events, only these: {documents:?}");
    }
}

/// A link of an answer: where it leads, and its attributes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) target: String,
    attributes: Vec<(String, String)>,
}

impl Link {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let attribute = self.attributes.iter().find(|(other, _)| other == name);
        attribute.map(|(_, value)| value.as_str())
    }
}

/// The link with this relation.
// RFC 8288, section 3
pub(super) fn link(answer: &Response, relation: &str) -> Option<Link> {
    let field = answer.header("Link")?;
    field.split(", <").find_map(|link| {
        let (target, attributes) = link.trim_start_matches('<').split_once('>')?;
        let attributes = attributes.split(';').filter_map(|attribute| {
            let (name, value) = attribute.trim().split_once('=')?;
            Some((name.to_owned(), value.trim_matches('"').to_owned()))
        });
        let link = Link { target: target.to_owned(), attributes: attributes.collect() };
        (link.attribute("rel") == Some(relation)).then_some(link)
    })
}

/// The newest event at the time of an answer.
#[track_caller]
pub(super) fn last_event_id(answer: &Response) -> String {
    let link = link(answer, "mercure");
    let id = link.as_ref().and_then(|link| link.attribute("last-event-id"));
    id.unwrap_or_else(|| panic!("no last-event-id: {answer}")).to_owned()
}
