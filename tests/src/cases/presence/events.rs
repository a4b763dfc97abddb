//! What is announced when a subscription begins or ends, and to whom (draft-08, "Subscription
//! Events").

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::asking::{PRESENT, active, announced, ask, history, path, pattern, watch};
use crate::arguments::Capability;
use crate::case::{Case, case};
use crate::cases::silence::expect_nothing_yet;
use crate::hub::{Hub, fresh};
use crate::launch::Variables;
use crate::token::Generation;

pub(super) const CASES: &[Case] = &[
    case!(a_subscription_that_begins_is_announced on PRESENT),
    case!(one_that_ends_is_announced on BRIEF),
    case!(one_whose_client_left_is_announced on PRESENT).needing(&[Capability::Disconnects]),
    case!(each_matcher_of_a_stream_is_a_subscription_of_one_subscriber on PRESENT),
    case!(each_connection_is_another_subscriber on PRESENT),
    case!(variables_are_encoded_once on PRESENT),
    case!(the_wildcard_keeps_its_type on PRESENT),
    case!(who_has_no_grant_hears_of_nobody on PRESENT),
    case!(events_have_their_place_in_the_log on PRESENT),
    case!(a_hub_without_presence_announces_nobody),
];

const BRIEF: Variables =
    &[("SUBSCRIPTIONS", "1"), ("STREAM_LIFETIME", "3s"), ("HEARTBEAT", "500ms")];

/// The document of a subscription without a payload.
fn described(hub: &Hub, match_type: &str, matcher: &str, subscriber: &str, active: bool) -> Value {
    json!({
        "id": path(hub, &[match_type, matcher, subscriber]),
        "type": "subscription",
        "match_type": match_type,
        "match": matcher,
        "subscriber": subscriber,
        "active": active,
    })
}

#[track_caller]
fn subscriber(document: &Value) -> &str {
    document["subscriber"].as_str().unwrap_or_else(|| panic!("{document}"))
}

fn a_subscription_that_begins_is_announced(hub: &Hub) {
    let topic = fresh("room");
    let mut watcher = watch(hub, &topic);
    let _member = hub.subscribe(&topic);
    let event = watcher.event();
    let document = super::asking::document(&event);
    let who = subscriber(&document);
    assert_eq!(document, described(hub, "exact", &topic, who, true));
    assert!(who.starts_with("urn:uuid:"), "{who}");
    assert!(event.id.starts_with("urn:uuid:") && event.id != who, "{event:?}");

    let pattern = format!("{topic}/:id");
    let mut watcher = watch(hub, &pattern);
    let _member = hub.subscription(&[("match_urlpattern", &pattern)]).open();
    let document = announced(&mut watcher);
    let who = subscriber(&document);
    assert_eq!(document, described(hub, "urlpattern", &pattern, who, true));
}

fn one_that_ends_is_announced(hub: &Hub) {
    let topic = fresh("room");
    hub.subscribe(&topic).rest();
    let documents = history(hub, &topic, 2);
    let who = subscriber(&documents[0]);
    assert_eq!(documents[0], described(hub, "exact", &topic, who, true));
    assert_eq!(documents[1], described(hub, "exact", &topic, who, false));
}

fn one_whose_client_left_is_announced(hub: &Hub) {
    let topic = fresh("room");
    let mut watcher = watch(hub, &topic);
    let member = hub.subscribe(&topic);
    let begun = announced(&mut watcher);
    drop(member);
    let who = subscriber(&begun);
    assert_eq!(announced(&mut watcher), described(hub, "exact", &topic, who, false));
    assert_eq!(active(hub, "exact", &topic), Vec::<Value>::new());
}

fn each_matcher_of_a_stream_is_a_subscription_of_one_subscriber(hub: &Hub) {
    let (a, b) = (fresh("a"), fresh("b"));
    let pattern = format!("{b}/:id");
    let mut watchers = [&a, &b, &pattern].map(|matcher| watch(hub, matcher));
    // What is asked for twice is one subscription.
    let parameters = [
        ("match", a.as_str()),
        ("match_urlpattern", &pattern),
        ("match_exact", &b),
        ("match_exact", &a),
    ];
    let _member = hub.subscription(&parameters).open();
    let documents = watchers.each_mut().map(announced);
    let who = subscriber(&documents[0]);
    let expected = [("exact", &a), ("exact", &b), ("urlpattern", &pattern)];
    for (document, (match_type, matcher)) in documents.iter().zip(expected) {
        assert_eq!(*document, described(hub, match_type, matcher, who, true));
    }
    assert_eq!(active(hub, "exact", &a).len(), 1);
    let _another = hub.subscription(&[("match", &a)]).open();
    assert_ne!(subscriber(&announced(&mut watchers[0])), who);
}

// One token is used by many tabs; and no client says who it is.
fn each_connection_is_another_subscriber(hub: &Hub) {
    let topic = fresh("room");
    for generation in Generation::BOTH {
        let token = hub.subscriber(generation, &[&topic]);
        let open = || {
            let own = [("match", topic.as_str()), ("subscriber", "urn:uuid:mine"), ("id", "mine")];
            hub.subscription(&own)
                .header("Subscriber", "urn:uuid:mine")
                .header("X-Request-Id", "urn:uuid:mine")
                .bearer(&token)
                .open()
        };
        let before: BTreeSet<String> = subscribers(hub, &topic);
        let _streams = [open(), open(), open()];
        let here = subscribers(hub, &topic);
        assert_eq!(here.difference(&before).count(), 3, "{here:?}");
        let random = |who: &String| {
            let uuid = who.strip_prefix("urn:uuid:").unwrap_or_default();
            uuid.len() == 36 && uuid.as_bytes()[14] == b'4'
        };
        assert!(here.iter().all(random), "{here:?}");
    }
}

fn subscribers(hub: &Hub, topic: &str) -> BTreeSet<String> {
    active(hub, "exact", topic).iter().map(|document| subscriber(document).to_owned()).collect()
}

// RFC 6570, section 3.2.2: all but unreserved characters, once
fn variables_are_encoded_once(hub: &Hub) {
    let odd = fresh("a b+c%20d%5Ce/é?f=g&h={i}#~_-.!*'()");
    for (match_type, matcher) in
        [("exact", odd.as_str()), ("urlpattern", &fresh(":id/%C3%A9/*")), ("exact", &odd[8..])]
    {
        let mut watcher = watch(hub, matcher);
        let parameter = format!("match_{match_type}");
        let _member = hub.subscription(&[(&parameter, matcher)]).open();
        let document = announced(&mut watcher);
        let who = subscriber(&document);
        assert_eq!(document, described(hub, match_type, matcher, who, true));
        // The same, decoded once, is where it is found.
        let id = document["id"].as_str().expect("checked above");
        let answer = ask(hub, id).send().expect_status(200);
        assert_eq!(super::asking::json(&answer), document);
        assert_eq!(active(hub, match_type, matcher), [document]);
    }
}

// draft-08, "Topic Matcher Types": `*` matches every topic, of whatever type
fn the_wildcard_keeps_its_type(hub: &Hub) {
    let before = ["exact", "urlpattern"].map(|match_type| active(hub, match_type, "*").len());
    let _exact = hub.subscription(&[("match", "*")]).open();
    let _pattern = hub.subscription(&[("match_urlpattern", "*")]).open();
    let after = ["exact", "urlpattern"].map(|match_type| active(hub, match_type, "*"));
    assert_eq!(after.each_ref().map(|listed| listed.len()), before.map(|count| count + 1));
    for (match_type, listed) in ["exact", "urlpattern"].iter().zip(&after) {
        for document in listed {
            let who = subscriber(document);
            assert_eq!(*document, described(hub, match_type, "*", who, true));
        }
    }
}

// They are private.
fn who_has_no_grant_hears_of_nobody(hub: &Hub) {
    let (topic, marker) = (fresh("room"), fresh("marker"));
    let pattern = pattern(hub, &topic);
    let parameters = [("match_urlpattern", pattern.as_str()), ("match", &marker)];
    let request = hub.subscription(&parameters);
    let tokens = Generation::BOTH.map(|generation| hub.subscriber(generation, &[&topic, &marker]));
    let [old, new] = tokens.map(|token| request.clone().bearer(&token).open());
    let mut listeners = [request.open(), old, new];
    let _member = hub.subscribe(&topic);
    let id = hub.publish(&[("topic", &marker), ("data", "marker")]);
    for listener in &mut listeners {
        assert_eq!(listener.expect_data("marker"), id);
    }
    let late = [parameters[0], parameters[1], ("last_event_id", "earliest")];
    let mut replayed = hub.subscription(&late).open();
    assert_eq!(replayed.expect_data("marker"), id);
}

// They are appended like any update: in order with the others, and replayed.
fn events_have_their_place_in_the_log(hub: &Hub) {
    let topic = fresh("room");
    hub.publish(&[("topic", &topic), ("data", "before")]);
    let mut member = hub.subscribe(&topic);
    hub.publish(&[("topic", &topic), ("data", "after")]);
    member.expect_data("after");

    let pattern = pattern(hub, &topic);
    let parameters = [("match", topic.as_str()), ("match_urlpattern", &pattern)];
    let token = hub.subscriber(Generation::V1, &["*"]);
    let from = |cursor: &str| {
        let request = hub.subscription(&parameters).bearer(&token);
        request.header("Last-Event-ID", cursor).open()
    };
    let mut replayed = from("earliest");
    replayed.expect_data("before");
    let begun = replayed.event();
    assert_eq!(begun.event_type, "mercure", "{begun:?}");
    replayed.expect_data("after");
    // Its id is a cursor like any other.
    let mut resumed = from(&begun.id);
    assert_eq!(resumed.header("Mercure-Last-Event-ID").as_deref(), Some(begun.id.as_str()));
    resumed.expect_data("after");
}

fn a_hub_without_presence_announces_nobody(hub: &Hub) {
    let (topic, marker) = (fresh("room"), fresh("marker"));
    let parameters = [("match_urlpattern", &*pattern(hub, &topic)), ("match", &marker)];
    let token = hub.subscriber(Generation::V1, &["*"]);
    let mut listener = hub.subscription(&parameters).bearer(&token).open();
    let _member = hub.subscribe(&topic);
    expect_nothing_yet(hub, &mut listener, &marker);
    for variables in [&[][..], &["exact", &topic], &["exact", &topic, "urn:uuid:a"]] {
        ask(hub, &path(hub, variables)).send().expect_no_challenge(404);
    }
}
