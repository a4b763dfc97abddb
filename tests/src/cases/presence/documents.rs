//! What the three kinds of URLs answer (draft-08, "Subscription API").

use serde_json::json;

use super::asking::{
    PRESENT, active, all, announced, ask, json as body, last_event_id, link, path, subscriptions,
    wait_until, watch, watching,
};
use crate::arguments::Capability;
use crate::case::{Case, Suite, case};
use crate::hub::{Hub, fresh};
use crate::token::Generation;

pub(super) const CASES: &[Case] = &[
    case!(who_has_a_stream_finds_itself_at_once on PRESENT),
    case!(a_matcher_has_a_collection on PRESENT),
    case!(the_hub_has_a_collection_of_all on PRESENT),
    case!(a_subscription_is_the_document_of_its_event on PRESENT),
    case!(what_does_not_exist_is_not_found on PRESENT),
    case!(who_has_left_is_not_listed on PRESENT).needing(&[Capability::Disconnects]),
    case!(every_answer_links_to_the_hub_and_the_newest_event on PRESENT),
    case!(who_follows_from_the_link_misses_nobody on PRESENT),
    case!(before_any_event_the_newest_is_earliest launching),
    case!(a_tag_changes_with_what_it_is_of launching),
    case!(they_can_only_be_read on PRESENT),
];

// Laravel Echo asks as soon as its stream is open, and looks for itself.
fn who_has_a_stream_finds_itself_at_once(hub: &Hub) {
    for _ in 0..20 {
        let topic = fresh("room");
        let _member = hub.subscribe(&topic);
        assert_eq!(active(hub, "exact", &topic).len(), 1);
    }
}

fn a_matcher_has_a_collection(hub: &Hub) {
    let topic = fresh("room");
    let mut watcher = watch(hub, &topic);
    let other = format!("{topic}/2");
    let _others = [hub.subscribe(&other), hub.subscription(&[("match_urlpattern", &topic)]).open()];
    let pattern = announced(&mut watcher);
    let _members = [hub.subscribe(&topic), hub.subscribe(&topic)];
    let mut members = [announced(&mut watcher), announced(&mut watcher)];

    let target = path(hub, &["exact", &topic]);
    let mut collection = body(&ask(hub, &target).send().expect_status(200));
    let by_id = |document: &serde_json::Value| document["id"].to_string();
    members.sort_by_key(by_id);
    collection["subscriptions"].as_array_mut().expect("a list").sort_by_key(by_id);
    let expected = json!({"id": target, "type": "subscriptions", "subscriptions": members});
    assert_eq!(collection, expected);
    assert_eq!(active(hub, "urlpattern", &topic), [pattern]);
}

fn the_hub_has_a_collection_of_all(hub: &Hub) {
    let topic = fresh("room");
    let mut watcher = watch(hub, &topic);
    let _member = hub.subscribe(&topic);
    let document = announced(&mut watcher);
    assert!(all(hub).contains(&document));
    let collection = body(&ask(hub, &path(hub, &[])).send().expect_status(200));
    assert_eq!(collection["id"], path(hub, &[]).as_str());
    assert_eq!(collection["type"], "subscriptions");
    let listed = subscriptions(&collection);
    assert!(listed.iter().all(|document| document["type"] == "subscription"), "{collection}");
}

fn a_subscription_is_the_document_of_its_event(hub: &Hub) {
    let topic = fresh("room");
    let mut watcher = watch(hub, &topic);
    let _member = hub.subscribe(&topic);
    let document = announced(&mut watcher);
    let id = document["id"].as_str().expect("a document");
    let answer = ask(hub, id).send().expect_status(200);
    assert_eq!(body(&answer), document);
    assert_eq!(answer.header("Content-Type").as_deref(), Some("application/json"));
}

fn what_does_not_exist_is_not_found(hub: &Hub) {
    let topic = fresh("room");
    let nobody = "urn:uuid:3c0a9b0e-6d52-4c4b-8ad7-0f2d0a6c4a11";
    let _member = hub.subscribe(&topic);
    let who = active(hub, "exact", &topic)[0]["subscriber"].as_str().expect("an id").to_owned();
    for variables in [
        ["exact", &topic, nobody],
        ["urlpattern", &topic, &who],
        ["exact", &fresh("other"), &who],
        ["exact", &topic, "x"],
    ] {
        ask(hub, &path(hub, &variables)).send().expect_no_challenge(404);
    }
    // The name of a type is case-sensitive, and each variable is encoded once.
    let document = path(hub, &["exact", &topic, &who]);
    ask(hub, &document).send().expect_status(200);
    ask(hub, &document.replace("/exact/", "/Exact/")).send().expect_no_challenge(404);
    ask(hub, &document.replace('%', "%25")).send().expect_no_challenge(404);
    // Of a matcher that nobody subscribed to there is a collection, which is empty.
    assert_eq!(active(hub, "exact", &fresh("empty")), Vec::<serde_json::Value>::new());
}

fn who_has_left_is_not_listed(hub: &Hub) {
    let topic = fresh("room");
    let (stays, leaves) = (hub.subscribe(&topic), hub.subscribe(&topic));
    assert_eq!(active(hub, "exact", &topic).len(), 2);
    drop(leaves);
    wait_until("the one that stays is alone", || active(hub, "exact", &topic).len() == 1);
    drop(stays);
}

fn every_answer_links_to_the_hub_and_the_newest_event(hub: &Hub) {
    let topic = fresh("room");
    let _member = hub.subscribe(&topic);
    let who = active(hub, "exact", &topic)[0]["subscriber"].as_str().expect("an id").to_owned();
    let published = hub.publish(&[("topic", &topic)]);
    for variables in [&[][..], &["exact", &topic], &["exact", &topic, &who]] {
        let answer = ask(hub, &path(hub, variables)).send().expect_status(200);
        let answer = answer.expect_header("Content-Type", "application/json");
        let link = link(&answer, "mercure").unwrap_or_else(|| panic!("{answer}"));
        assert_eq!(link.target, hub.url());
        assert_eq!(link.attribute("type"), Some("mercure"), "{answer}");
        assert_eq!(link.attribute("content-type"), Some("application/json"), "{answer}");
        // Others publish to this hub as well: the newest event is this one, or a later one.
        let newest = last_event_id(&answer);
        let resumed = hub.subscription(&[("match", &topic), ("last_event_id", &newest)]).open();
        assert_eq!(resumed.header("Mercure-Last-Event-ID"), Some(newest));
        drop(resumed);
        let tag = answer.header("ETag").unwrap_or_else(|| panic!("{answer}"));
        assert!(tag.trim_start_matches("W/").starts_with('"') && tag.ends_with('"'), "{tag}");
        // What is volatile is checked again before it is used again.
        let control = answer.header("Cache-Control").unwrap_or_default();
        assert!(
            ["must-revalidate", "no-cache", "no-store"].iter().any(|it| control.contains(it)),
            "{answer}"
        );
    }
    let mut from_there =
        hub.subscription(&[("match", &topic), ("last_event_id", &published)]).open();
    let next = hub.publish(&[("topic", &topic), ("data", "next")]);
    assert_eq!(from_there.expect_data("next"), next);
}

fn who_follows_from_the_link_misses_nobody(hub: &Hub) {
    let topic = fresh("room");
    let first = hub.subscribe(&topic);
    let answer = ask(hub, &path(hub, &["exact", &topic])).send().expect_status(200);
    let here = subscriptions(&body(&answer));
    assert_eq!(here.len(), 1);
    let _second = hub.subscribe(&topic);
    let cursor = last_event_id(&answer);
    let mut watcher = watching(hub, &topic).header("Last-Event-ID", &cursor).open();
    let document = announced(&mut watcher);
    assert_eq!(document["active"], true);
    assert_ne!(document["subscriber"], here[0]["subscriber"]);
    drop(first);
}

fn before_any_event_the_newest_is_earliest(suite: &Suite) {
    let hub = suite.launch(PRESENT);
    let answer = ask(&hub, &path(&hub, &[])).send().expect_status(200);
    assert_eq!(last_event_id(&answer), "earliest");
    assert_eq!(body(&answer)["subscriptions"], json!([]));
    let id = hub.publish(&[("topic", "a")]);
    let answer = ask(&hub, &path(&hub, &[])).send().expect_status(200);
    assert_eq!(last_event_id(&answer), id);
}

fn a_tag_changes_with_what_it_is_of(suite: &Suite) {
    let hub = suite.launch(PRESENT);
    let topic = fresh("room");
    hub.publish(&[("topic", &topic)]);
    let target = path(&hub, &["exact", &topic]);
    let get = || ask(&hub, &target);
    let tag = || get().send().expect_status(200).header("ETag").expect("there is an event");
    let before = tag();
    assert_eq!(tag(), before);
    let known = get().header("If-None-Match", &before).send().expect_status(304);
    assert_eq!(known.text(), "");
    let _member = hub.subscribe(&topic);
    let changed = get().header("If-None-Match", &before).send().expect_status(200);
    assert_eq!(subscriptions(&body(&changed)).len(), 1);
    assert_ne!(tag(), before);
}

fn they_can_only_be_read(hub: &Hub) {
    let token = hub.subscriber(Generation::V1, &["*"]);
    for variables in [&[][..], &["exact", "a"], &["exact", "a", "urn:uuid:b"]] {
        for method in ["POST", "PUT", "DELETE"] {
            let request = hub.request(method, path(hub, variables)).bearer(&token).body("");
            let answer = request.send();
            // A platform may send what is not read to a part of the hub that has none of this.
            assert!(matches!(answer.status, 404 | 405), "{answer}");
            assert!(answer.status == 404 || answer.head.lists("Allow", "GET"), "{answer}");
        }
    }
}
