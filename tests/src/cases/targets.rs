//! The field `target` of the protocol's first years (2018 to 2020).

use serde_json::json;

use crate::case::{Case, case};
use crate::hub::{Hub, fresh};

/// The configuration of the cases about targets.
const TARGETS: &[(&str, &str)] = &[("TARGETS", "1")];

pub(crate) const CASES: &[Case] = &[
    case!(targets_are_ignored_unless_they_are_turned_on),
    case!(a_targeted_update_reaches_those_it_is_meant_for on TARGETS),
    case!(every_topic_and_every_target_must_be_granted on TARGETS),
    case!(an_empty_target_restricts_nothing on TARGETS),
];

// As in all hubs since 0.10, and clients rely on it.
fn targets_are_ignored_unless_they_are_turned_on(hub: &Hub) {
    let topic = fresh("a");
    let mut anonymous = hub.subscribe(&topic);
    hub.publish(&[("topic", &topic), ("target", "/users/1"), ("data", "x")]);
    anonymous.expect_data("x");
}

fn a_targeted_update_reaches_those_it_is_meant_for(hub: &Hub) {
    let (topic, user) = (fresh("book"), fresh("user"));
    let token = |granted: &str| hub.subscriber_v0(json!({"mercure": {"subscribe": [granted]}}));
    let open = |granted: &str, cursor: &str| {
        let parameters = [("topic", topic.as_str()), ("last_event_id", cursor)];
        hub.subscription(&parameters).bearer(&token(granted)).open()
    };
    let mut meant = open(&user, "");
    let mut others = [hub.subscribe(&topic), open(&topic, ""), open("/users/2", "")];
    let first = [("topic", topic.as_str()), ("target", &user), ("target", "/users/3")];
    let id = hub.publish(&[&first[..], &[("data", "for some")]].concat());
    assert_eq!(meant.expect_data("for some"), id);
    hub.publish(&[("topic", &topic), ("data", "for all")]);
    for stream in &mut others {
        stream.expect_data("for all");
    }
    // The same goes for a replay.
    open(&user, "earliest").expect_data("for some");
    open(&topic, "earliest").expect_data("for all");
}

fn every_topic_and_every_target_must_be_granted(hub: &Hub) {
    let publish = |granted: &[&str], fields: &[(&str, &str)]| {
        let token = hub.publisher_v0(json!({"mercure": {"publish": granted}}));
        hub.publication(fields).bearer(&token).send()
    };
    let fields = [("topic", "/admin"), ("target", "/room/1"), ("target", "/room/2")];
    publish(&["/room/1", "/room/2"], &fields).expect_challenge(403, Some("insufficient_scope"));
    publish(&["/admin", "/room/1"], &fields).expect_challenge(403, Some("insufficient_scope"));
    publish(&["/admin", "/room/1", "/room/2"], &fields).expect_status(200);
    publish(&["*"], &[("topic", "/a"), ("target", "*")]).expect_no_challenge(400);
}

fn an_empty_target_restricts_nothing(hub: &Hub) {
    let topic = fresh("a");
    let mut anonymous = hub.subscribe(&topic);
    hub.publish(&[("topic", &topic), ("target", ""), ("data", "x")]);
    anonymous.expect_data("x");
}
