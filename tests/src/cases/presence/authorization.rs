//! Who may know who is here (draft-08, "Subscription API" and "Authorization").

use serde_json::json;

use super::asking::{PRESENT, active, path};
use crate::arguments::Capability;
use crate::case::{Case, case};
use crate::form;
use crate::hub::{Hub, fresh};
use crate::token::{DETAIL, Generation, detail};

pub(super) const CASES: &[Case] = &[
    case!(nobody_reads_without_a_grant_of_the_url on PRESENT),
    case!(an_exact_grant_is_of_one_url on PRESENT),
    case!(one_pattern_covers_urls_and_events on PRESENT),
    case!(a_query_is_no_part_of_what_is_granted on PRESENT),
    case!(a_token_may_come_in_a_cookie on PRESENT).needing(&[Capability::Cookies]),
    case!(a_token_of_0_x_may_come_in_the_query on PRESENT),
];

/// A subscription, and the three URLs that show it.
fn urls(hub: &Hub, topic: &str) -> [String; 3] {
    let here = active(hub, "exact", topic);
    let who = here[0]["subscriber"].as_str().expect("somebody is here");
    [path(hub, &[]), path(hub, &["exact", topic]), path(hub, &["exact", topic, who])]
}

// The hub allows anonymous subscribers, who may know nothing of one another.
fn nobody_reads_without_a_grant_of_the_url(hub: &Hub) {
    let topic = fresh("room");
    let _member = hub.subscribe(&topic);
    let patterns = json!([{
        "type": DETAIL,
        "actions": ["publish"],
        "topics": [{"match": "*"}],
    }]);
    let mut insufficient = vec![hub.subscriber_v1(json!([])), hub.subscriber_v1(patterns)];
    for generation in Generation::BOTH {
        insufficient.push(hub.subscriber(generation, &[&topic, hub.path(), &hub.url()]));
    }
    for url in urls(hub, &topic) {
        let request = || hub.request("GET", url.as_str());
        request().send().expect_challenge(401, None);
        request().bearer("a.b.c").send().expect_challenge(401, Some("invalid_token"));
        let publisher = hub.publisher(Generation::V1, &["*"]);
        request().bearer(&publisher).send().expect_challenge(401, Some("invalid_token"));
        for token in &insufficient {
            request().bearer(token).send().expect_challenge(403, Some("insufficient_scope"));
        }
    }
    // What does not exist is no secret's proof: the grant comes first.
    let nowhere = path(hub, &["exact", &topic, "urn:uuid:nobody"]);
    let request = hub.request("GET", nowhere).bearer(&insufficient[0]);
    request.send().expect_challenge(403, Some("insufficient_scope"));
}

fn an_exact_grant_is_of_one_url(hub: &Hub) {
    let topic = fresh("room");
    let _member = hub.subscribe(&topic);
    let urls = urls(hub, &topic);
    for granted in &urls {
        let token = hub.subscriber_v1(json!([detail("subscribe", &[granted])]));
        for asked in &urls {
            let answer = hub.request("GET", asked.as_str()).bearer(&token).send();
            answer.expect_status(if asked == granted { 200 } else { 403 });
        }
    }
}

// Laravel's grant, and an absolute one
fn one_pattern_covers_urls_and_events(hub: &Hub) {
    let topic = fresh("room");
    let _member = hub.subscribe(&topic);
    let [all, matcher, single] = urls(hub, &topic);
    let room = format!("/subscriptions/:match_type/{}", form::encode(&topic));
    let grants = [
        format!("{}{room}{{/:subscriber}}?", hub.path()),
        format!("{}{room}{{/:subscriber}}?", hub.url()),
    ];
    for grant in grants {
        let token = hub.subscriber_v1(json!([{
            "type": DETAIL,
            "actions": ["subscribe"],
            "topics": [{"match": grant, "match_type": "urlpattern"}],
        }]));
        let get = |url: &str| hub.request("GET", url).bearer(&token).send();
        get(&matcher).expect_status(200);
        get(&single).expect_status(200);
        get(&all).expect_challenge(403, Some("insufficient_scope"));
        get(&path(hub, &["exact", &fresh("other")])).expect_status(403);
        let events = format!("{}{room}/:subscriber", hub.path());
        let mut watcher = hub.subscription(&[("match_urlpattern", &events)]).bearer(&token).open();
        let _another = hub.subscribe(&topic);
        assert_eq!(super::asking::announced(&mut watcher)["match"], topic.as_str());
    }
}

fn a_query_is_no_part_of_what_is_granted(hub: &Hub) {
    let topic = fresh("room");
    let _member = hub.subscribe(&topic);
    for url in urls(hub, &topic) {
        let token = hub.subscriber_v1(json!([detail("subscribe", &[&url])]));
        let with_query = hub.request("GET", format!("{url}?a=b&match=c"));
        with_query.bearer(&token).send().expect_status(200);
    }
}

fn a_token_may_come_in_a_cookie(hub: &Hub) {
    let topic = fresh("room");
    let _member = hub.subscribe(&topic);
    for url in urls(hub, &topic) {
        for (generation, name) in [
            (Generation::V0, "mercureAuthorization"),
            (Generation::V1, "__Secure-mercure_access_token"),
        ] {
            let token = hub.subscriber(generation, &["*"]);
            hub.request("GET", url.as_str()).cookie(name, &token).send().expect_status(200);
        }
    }
}

// flask-mercure-sse and mercure_dart
fn a_token_of_0_x_may_come_in_the_query(hub: &Hub) {
    let topic = fresh("room");
    let _member = hub.subscribe(&topic);
    for url in urls(hub, &topic) {
        let get = |token: &str| {
            hub.request("GET", format!("{url}?{}", form::pairs(&[("authorization", token)]))).send()
        };
        get(&hub.subscriber(Generation::V0, &["*"])).expect_status(200);
        let modern = hub.subscriber(Generation::V1, &["*"]);
        get(&modern).expect_challenge(401, Some("invalid_token"));
    }
}
