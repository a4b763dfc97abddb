//! Presence as 0.x hubs had it: JSON-LD, by topic selectors, in events without a type.
//!
//! A stream that asked with `topic` makes 0.x subscriptions, one that asked with `match` those of
//! draft-08, whoever listens and whatever token it has.

use serde_json::{Value, json};

use super::asking::{PRESENT, active, announced, json as body, last_event_id, path, watch};
use crate::arguments::Capability;
use crate::case::{Case, Suite, case};
use crate::form;
use crate::http::Response;
use crate::hub::{Hub, fresh};
use crate::stream::Stream;
use crate::token::Generation;

pub(super) const CASES: &[Case] = &[
    case!(a_subscription_by_topic_is_announced_to_onmessage on PRESENT),
    case!(one_by_topic_that_ends_is_announced on PRESENT).needing(&[Capability::Disconnects]),
    case!(a_topic_has_a_collection on PRESENT),
    case!(the_collection_of_all_is_in_the_shape_of_the_token on PRESENT),
    case!(who_knows_it_in_one_shape_does_not_know_it_in_the_other launching),
    case!(a_path_may_be_less_encoded on PRESENT),
    case!(each_parameter_makes_subscriptions_of_its_own_generation on PRESENT),
];

const CONTEXT: &str = "https://mercure.rocks/";

/// Opens a stream of the events about a selector, as the 0.x reference interface does.
#[track_caller]
pub(super) fn watch_topic(hub: &Hub, selector: &str) -> Stream {
    let template =
        format!("{}/subscriptions/{}{{/subscriber}}", hub.path(), form::encode(selector));
    let token = hub.subscriber(Generation::V0, &[&template]);
    hub.subscription(&[("topic", &template)]).bearer(&token).open()
}

/// The document of the next event, which `onmessage` must hear.
#[track_caller]
pub(super) fn heard(stream: &mut Stream) -> Value {
    let event = stream.event();
    assert_eq!(event.event_type, "message", "{event:?}");
    assert!(!event.id.is_empty(), "{event:?}");
    serde_json::from_str(&event.data).unwrap_or_else(|error| panic!("{error}: {event:?}"))
}

pub(super) fn described(hub: &Hub, topic: &str, document: &Value, active: bool) -> Value {
    let who = document["subscriber"].as_str().unwrap_or_else(|| panic!("{document}"));
    let mut expected = json!({
        "@context": CONTEXT,
        "id": path(hub, &[topic, who]),
        "type": "Subscription",
        "topic": topic,
        "subscriber": who,
        "active": active,
    });
    if let Some(payload) = document.get("payload") {
        expected["payload"] = payload.clone();
    }
    expected
}

#[track_caller]
pub(super) fn get(hub: &Hub, target: &str) -> Response {
    hub.request("GET", target).bearer(&hub.subscriber(Generation::V0, &["*"])).send()
}

/// A document, or a member of a collection, without what only the outermost has to say.
fn inner(document: &Value) -> Value {
    let mut inner = document.clone();
    let members = inner.as_object_mut().expect("a document");
    members.remove("@context");
    members.remove("lastEventID");
    inner
}

fn a_subscription_by_topic_is_announced_to_onmessage(hub: &Hub) {
    let rooms = fresh("rooms");
    let payload = json!({"name": "Ann"});
    for topic in [rooms.clone(), format!("{rooms}/{{id}}"), format!("{rooms}/a b%20c+é")] {
        let mut watcher = watch_topic(hub, &topic);
        let claims = json!({"mercure": {"subscribe": [topic], "payload": payload}});
        let token = hub.subscriber_v0(claims);
        let _member = hub.subscription(&[("topic", &topic)]).bearer(&token).open();
        let document = heard(&mut watcher);
        assert_eq!(document, described(hub, &topic, &document, true));
        assert_eq!(document["payload"], payload);

        let id = document["id"].as_str().expect("a document");
        let answer = get(hub, id).expect_status(200);
        let single = body(&answer);
        assert_eq!(single["@context"], CONTEXT);
        assert_eq!(inner(&single), inner(&document));
    }
}

fn one_by_topic_that_ends_is_announced(hub: &Hub) {
    let topic = fresh("room");
    let mut watcher = watch_topic(hub, &topic);
    let member = hub.subscription(&[("topic", &topic)]).open();
    let begun = heard(&mut watcher);
    drop(member);
    assert_eq!(heard(&mut watcher), described(hub, &topic, &begun, false));
    let nobody = body(&get(hub, &path(hub, &[&topic])).expect_status(200));
    assert_eq!(nobody["subscriptions"], json!([]));
}

// mercure_dart reads every one of these as a string.
fn a_topic_has_a_collection(hub: &Hub) {
    let topic = fresh("room");
    let mut watcher = watch_topic(hub, &topic);
    let _member = hub.subscription(&[("topic", &topic)]).open();
    let document = heard(&mut watcher);
    let target = path(hub, &[&topic]);
    let answer = get(hub, &target).expect_status(200);
    let media_type = answer.header("Content-Type").unwrap_or_default();
    assert!(media_type.contains("json"), "{answer}");
    let collection = body(&answer);
    assert_eq!(collection["@context"], CONTEXT);
    assert_eq!(collection["id"], target.as_str());
    assert_eq!(collection["type"], "Subscriptions");
    assert_eq!(collection["lastEventID"], last_event_id(&answer).as_str());
    let listed: Vec<Value> =
        collection["subscriptions"].as_array().expect("a list").iter().map(inner).collect();
    assert_eq!(listed, [inner(&document)]);
    get(hub, &path(hub, &[&topic, "urn:uuid:nobody"])).expect_no_challenge(404);
}

// Nothing else tells what who asks can read.
fn the_collection_of_all_is_in_the_shape_of_the_token(hub: &Hub) {
    for (generation, name) in [(Generation::V0, "Subscriptions"), (Generation::V1, "subscriptions")]
    {
        let request =
            hub.request("GET", path(hub, &[])).bearer(&hub.subscriber(generation, &["*"]));
        let collection = body(&request.send().expect_status(200));
        assert_eq!(collection["type"], name);
        assert_eq!(collection["id"], path(hub, &[]).as_str());
        assert_eq!(collection.get("@context").is_some(), generation == Generation::V0);
    }
}

// RFC 9110, section 8.8.3
fn who_knows_it_in_one_shape_does_not_know_it_in_the_other(suite: &Suite) {
    let hub = suite.launch(PRESENT);
    hub.publish(&[("topic", "a")]);
    let tokens = Generation::BOTH.map(|generation| hub.subscriber(generation, &["*"]));
    let ask = |token: &str| hub.request("GET", path(&hub, &[])).bearer(token);
    let tags = tokens.each_ref().map(|token| {
        let answer = ask(token).send().expect_status(200);
        assert!(answer.head.lists("Vary", "Authorization"), "{answer}");
        answer.header("ETag").expect("a tag")
    });
    for (number, token) in tokens.iter().enumerate() {
        ask(token).header("If-None-Match", &tags[number]).send().expect_status(304);
        ask(token).header("If-None-Match", &tags[1 - number]).send().expect_status(200);
    }
}

// flask-mercure-sse leaves `/` bare; 0.24 wrote a space as `+`.
fn a_path_may_be_less_encoded(hub: &Hub) {
    let topic = fresh("a room/1");
    let _member = hub.subscription(&[("topic", &topic)]).open();
    let encoded = form::encode(&topic);
    for spelt in [encoded.replace("%2F", "/"), encoded.replace("%20", "+"), encoded.clone()] {
        let target = format!("{}/subscriptions/{spelt}", hub.path());
        let collection = body(&get(hub, &target).expect_status(200));
        let listed = collection["subscriptions"].as_array().expect("a list");
        assert_eq!(listed.len(), 1, "{target}: {collection}");
        assert_eq!(listed[0]["topic"], topic.as_str());
    }
}

fn each_parameter_makes_subscriptions_of_its_own_generation(hub: &Hub) {
    for generation in Generation::BOTH {
        let (old, new) = (fresh("old"), fresh("new"));
        let (mut by_topic, mut by_matcher) = (watch_topic(hub, &old), watch(hub, &new));
        let token = hub.subscriber(generation, &[&old, &new]);
        let both = [("topic", old.as_str()), ("match", &new)];
        let _member = hub.subscription(&both).bearer(&token).open();
        let begun = heard(&mut by_topic);
        assert_eq!(begun, described(hub, &old, &begun, true));
        let new_one = announced(&mut by_matcher);
        assert_eq!(new_one["match"], new.as_str());
        assert_eq!(new_one["subscriber"], begun["subscriber"]);
        assert_eq!(active(hub, "exact", &old), Vec::<Value>::new());
    }
}
