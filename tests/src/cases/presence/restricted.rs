//! Presence on a hub that is told to serve one generation of the protocol.

use serde_json::json;

use super::asking::{active, announced, ask, json as body, path, watch};
use super::older::{described, get, heard, watch_topic};
use crate::case::{Case, case};
use crate::hub::{Hub, fresh};
use crate::launch::Variables;

pub(super) const CASES: &[Case] = &[
    case!(a_hub_of_1_0_has_no_subscriptions_by_topic on V1),
    case!(a_hub_of_0_x_has_none_by_matcher on V0),
];

const V1: Variables = &[("SUBSCRIPTIONS", "1"), ("PROTOCOL", "1.0")];
const V0: Variables = &[("SUBSCRIPTIONS", "1"), ("PROTOCOL", "0.x")];

fn a_hub_of_1_0_has_no_subscriptions_by_topic(hub: &Hub) {
    let topic = fresh("room");
    let mut watcher = watch(hub, &topic);
    let _member = hub.subscribe(&topic);
    let document = announced(&mut watcher);
    assert_eq!(active(hub, "exact", &topic), std::slice::from_ref(&document));
    let who = document["subscriber"].as_str().expect("an id");
    ask(hub, &path(hub, &[&topic])).send().expect_no_challenge(404);
    ask(hub, &path(hub, &[&topic, who])).send().expect_no_challenge(404);
    let all = body(&ask(hub, &path(hub, &[])).send().expect_status(200));
    assert_eq!(all["type"], "subscriptions");
}

fn a_hub_of_0_x_has_none_by_matcher(hub: &Hub) {
    let topic = fresh("room");
    let mut watcher = watch_topic(hub, &topic);
    let _member = hub.subscription(&[("topic", &topic)]).open();
    let document = heard(&mut watcher);
    assert_eq!(document, described(hub, &topic, &document, true));
    let collection = body(&get(hub, &path(hub, &[&topic])).expect_status(200));
    assert_eq!(collection["type"], "Subscriptions");
    // To it, `exact` is a topic like any other.
    let exact = body(&get(hub, &path(hub, &["exact"])).expect_status(200));
    assert_eq!(exact["subscriptions"], json!([]));
    let who = document["subscriber"].as_str().expect("an id");
    get(hub, &path(hub, &["exact", &topic, who])).expect_no_challenge(404);
}
