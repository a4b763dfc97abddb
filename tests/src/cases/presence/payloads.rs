//! What a token says of a subscription (draft-08, "Payloads").

use serde_json::{Value, json};

use super::asking::{PRESENT, active, announced, watch};
use crate::case::{Case, case};
use crate::hub::{Hub, fresh};
use crate::token::{DETAIL, detail};

pub(super) const CASES: &[Case] = &[
    case!(the_first_detail_whose_topics_match_gives_the_payload on PRESENT),
    case!(a_broad_detail_masks_those_that_follow on PRESENT),
    case!(only_details_that_subscribe_give_one on PRESENT),
    case!(a_payload_may_be_any_value on PRESENT),
    case!(a_token_of_0_x_has_one_for_all on PRESENT),
    case!(without_a_payload_there_is_no_member on PRESENT),
];

fn granted(action: &str, topics: &Value, payload: &Value) -> Value {
    json!({"type": DETAIL, "actions": [action], "topics": topics, "payload": payload})
}

/// The payload with which a matcher is listed, which somebody with this token subscribes to.
#[track_caller]
fn payload(hub: &Hub, match_type: &str, matcher: &str, token: &str) -> Option<Value> {
    let mut watcher = watch(hub, matcher);
    let parameter = format!("match_{match_type}");
    let _member = hub.subscription(&[(&parameter, matcher)]).bearer(token).open();
    // The watcher may hear who has just left, too.
    let is_it =
        |document: &Value| document["active"] == true && document["match_type"] == match_type;
    let mut document = announced(&mut watcher);
    while !is_it(&document) {
        document = announced(&mut watcher);
    }
    let listed = active(hub, match_type, matcher);
    let same: Vec<&Value> =
        listed.iter().filter(|other| other["subscriber"] == document["subscriber"]).collect();
    assert_eq!(same, [&document], "the event and the list say the same");
    document.get("payload").cloned()
}

// The matcher's own text is taken for a topic.
fn the_first_detail_whose_topics_match_gives_the_payload(hub: &Hub) {
    let prefix = fresh("rooms");
    let [one, seven, pattern] = ["1", "7", ":id"].map(|last| format!("{prefix}/{last}"));
    let token = hub.subscriber_v1(json!([
        granted("subscribe", &json!([{"match": "https://example.com/x"}]), &json!({"n": 0})),
        granted("subscribe", &json!([{"match": one}]), &json!({"n": 1})),
        granted(
            "subscribe",
            &json!([{"match": pattern, "match_type": "urlpattern"}]),
            &json!({"n": 2})
        ),
        granted("subscribe", &json!([{"match": "*"}]), &json!({"n": 3})),
    ]));
    for (match_type, matcher, expected) in [
        ("exact", one.as_str(), 1),
        ("exact", &seven, 2),
        ("exact", &pattern, 2),
        ("urlpattern", &pattern, 2),
        ("exact", &fresh("other"), 3),
        ("urlpattern", &fresh("other/:id"), 3),
    ] {
        let payload = payload(hub, match_type, matcher, &token);
        assert_eq!(payload, Some(json!({"n": expected})), "{matcher}");
    }
}

fn a_broad_detail_masks_those_that_follow(hub: &Hub) {
    let topic = fresh("room");
    let token = hub.subscriber_v1(json!([
        granted("subscribe", &json!([{"match": "*"}]), &json!({"broad": true})),
        granted("subscribe", &json!([{"match": topic}]), &json!({"broad": false})),
    ]));
    assert_eq!(payload(hub, "exact", &topic, &token), Some(json!({"broad": true})));
}

fn only_details_that_subscribe_give_one(hub: &Hub) {
    let topic = fresh("room");
    let token = hub.subscriber_v1(json!([
        granted("publish", &json!([{"match": topic}]), &json!({"of": "publish"})),
        granted("subscribe", &json!([{"match": topic}]), &json!({"of": "subscribe"})),
    ]));
    assert_eq!(payload(hub, "exact", &topic, &token), Some(json!({"of": "subscribe"})));
}

// The draft asks for an object; Laravel sends what its application returned.
fn a_payload_may_be_any_value(hub: &Hub) {
    for value in [json!({}), json!({"é": ["\n", null, 1.5]}), json!(true), json!([]), json!("a\nb")]
    {
        let topic = fresh("room");
        let topics = json!([{"match": topic}]);
        let token = hub.subscriber_v1(json!([granted("subscribe", &topics, &value)]));
        assert_eq!(payload(hub, "exact", &topic, &token), Some(value));
    }
}

fn a_token_of_0_x_has_one_for_all(hub: &Hub) {
    let value = json!({"user": {"name": "Ann"}});
    let token = hub.subscriber_v0(json!({"mercure": {"subscribe": [], "payload": value}}));
    assert_eq!(payload(hub, "exact", &fresh("room"), &token), Some(value));
}

fn without_a_payload_there_is_no_member(hub: &Hub) {
    let granted = fresh("room");
    let of_v0 = json!({"mercure": {"subscribe": ["*"]}});
    // Each in a room of its own, since a watcher hears who has just left.
    for (topic, token) in [
        (fresh("room"), hub.subscriber_v1(json!([]))),
        (granted.clone(), hub.subscriber_v1(json!([detail("subscribe", &[&granted])]))),
        (fresh("room"), hub.subscriber_v0(of_v0)),
    ] {
        assert_eq!(payload(hub, "exact", &topic, &token), None);
    }
}
