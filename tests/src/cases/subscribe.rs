//! Subscribing: which updates a request selects, and which requests are refused.

use crate::arguments::Capability;
use crate::case::{Case, case};
use crate::cases::silence::expect_nothing_yet;
use crate::form;
use crate::hub::{Hub, fresh};
use crate::launch::Variables;

pub(crate) const CASES: &[Case] = &[
    case!(match_match_exact_and_topic_select_one_topic),
    case!(exact_matchers_are_neither_resolved_nor_normalized),
    case!(the_wildcard_selects_every_topic_in_each_parameter),
    case!(several_matchers_select_the_union_once),
    case!(braces_in_an_exact_matcher_are_themselves),
    case!(values_may_come_unencoded),
    case!(a_query_is_parsed_as_a_form_is),
    case!(foreign_parameters_are_ignored),
    case!(a_matcher_is_needed),
    case!(an_unknown_matcher_type_is_refused),
    case!(matchers_are_clean_utf_8),
    case!(head_is_answered_as_get_without_a_stream),
    case!(other_methods_are_not_allowed),
    case!(subscriptions_are_not_there_yet).needing(&[Capability::WholeHost]),
    case!(anonymous_subscribers_can_be_refused on CLOSED),
    case!(a_token_in_the_query_is_foreign on CLOSED),
];

const CLOSED: Variables = &[("ANONYMOUS", "0")];

// draft-08, "Exact Matching"
fn match_match_exact_and_topic_select_one_topic(hub: &Hub) {
    for parameter in ["match", "match_exact", "topic"] {
        let topic = fresh("Book");
        let mut stream = hub.subscription(&[(parameter, &topic)]).open();
        for other in [topic.to_lowercase(), format!("{topic}/1"), topic.replace("ook", "")] {
            hub.publish(&[("topic", &other)]);
        }
        expect_nothing_yet(hub, &mut stream, &topic);
    }
}

// The same: bytes are compared, not what a URL or Unicode would make of them
fn exact_matchers_are_neither_resolved_nor_normalized(hub: &Hub) {
    let path = fresh("").replace("https://example.com", "");
    let at = |origin: &str, name: &str| format!("{origin}{path}{name}");
    let (hubs, other) = (hub.endpoint.origin(), "https://example.com");
    for (one, another) in [
        (at("", "a"), at(&hubs, "a")),
        (at(other, "a"), at("https://EXAMPLE.com", "a")),
        (at(other, "a"), at("https://example.com:443", "a")),
        (at("https://bücher.example", "a"), at("https://xn--bcher-kva.example", "a")),
        (at(other, "b"), at(other, "a/../b")),
        (at(other, "c"), at(other, "%63")),
        (at(other, "%c3%a9"), at(other, "%C3%A9")),
        (at(other, "é"), at(other, "%C3%A9")),
        (at(other, "\u{E9}"), at(other, "e\u{301}")),
        (at(other, "\u{FB01}"), at(other, "fi")),
    ] {
        for (matcher, topic) in [(&one, &another), (&another, &one)] {
            let mut stream = hub.subscribe(matcher);
            hub.publish(&[("topic", topic)]);
            expect_nothing_yet(hub, &mut stream, matcher);
        }
    }
}

// draft-08, "Matcher Types": recognized before the matcher type is resolved
fn the_wildcard_selects_every_topic_in_each_parameter(hub: &Hub) {
    for parameter in ["match", "match_exact", "topic"] {
        let mut stream = hub.subscription(&[(parameter, "*")]).open();
        let topic = fresh("any");
        let id = hub.publish(&[("topic", &topic)]);
        // Other cases publish to this hub as well.
        while stream.event().id != id {}
    }
}

fn several_matchers_select_the_union_once(hub: &Hub) {
    let (a, b, c) = (fresh("a"), fresh("b"), fresh("c"));
    let mut stream = hub
        .subscription(&[
            ("match", &a),
            ("match_exact", &b),
            ("topic", &c),
            ("topic", &a),
            ("match", &a),
        ])
        .open();
    for topics in [[&a, &b], [&b, &c], [&c, &a]] {
        let id = hub.publish(&[("topic", topics[0]), ("topic", topics[1])]);
        assert_eq!(stream.event().id, id);
    }
    expect_nothing_yet(hub, &mut stream, &a);
}

fn braces_in_an_exact_matcher_are_themselves(hub: &Hub) {
    let topic = fresh("books/{id}");
    let mut stream = hub.subscribe(&topic);
    hub.publish(&[("topic", &topic.replace("{id}", "1"))]);
    expect_nothing_yet(hub, &mut stream, &topic);
}

// Clients concatenate query strings, some with `&` at the end.
fn values_may_come_unencoded(hub: &Hub) {
    let topic = fresh("a:b");
    let mut stream = hub.subscription_by(&format!("topic={topic}&topic=x&")).open();
    hub.publish(&[("topic", &topic), ("data", "x")]);
    stream.expect_data("x");
}

// draft-08, "Subscription": the algorithm of the URL standard, as in `URLSearchParams`
fn a_query_is_parsed_as_a_form_is(hub: &Hub) {
    let unique = fresh("");
    let (topic, start) = (format!("{unique}a b+c;d=e%zz"), form::encode(&unique));
    for query in [
        format!("match={start}a+b%2Bc%3Bd%3De%25zz"),
        format!("match={start}a%20b%2bc;d=e%zz"),
        format!("&foreign&%6Datch={start}a+b%2Bc;d=e%25zz&&"),
    ] {
        let mut stream = hub.subscription_by(&query).open();
        let id = hub.publish(&[("topic", &topic)]);
        assert_eq!(stream.event().id, id, "{query}");
    }
}

fn foreign_parameters_are_ignored(hub: &Hub) {
    let topic = fresh("a");
    let query = format!(
        "padding=true&stream=1&&=&a%00=%01&Topic=b&access_token=x&amatch=c&match={}",
        form::encode(&topic)
    );
    let mut stream = hub.subscription_by(&query).open();
    hub.publish(&[("topic", "b"), ("data", "not selected")]);
    expect_nothing_yet(hub, &mut stream, &topic);
}

fn a_matcher_is_needed(hub: &Hub) {
    hub.request("GET", hub.path()).send().expect_no_challenge(400);
    hub.subscription_by("").send().expect_no_challenge(400);
    hub.subscription_by("last_event_id=earliest&foreign=1").send().expect_no_challenge(400);
}

// draft-08, "Subscription": the whole prefix is reserved, in any case
fn an_unknown_matcher_type_is_refused(hub: &Hub) {
    for name in [
        "match_",
        "match_regex",
        "match_Exact",
        "match_EXACT",
        "Match",
        "MATCH",
        "Match_exact",
        "matches",
        "match[]",
        "match%5B%5D",
        "m%61tch_x",
        "matchx",
        "match%20",
    ] {
        hub.subscription_by(&format!("match=a&{name}=b")).send().expect_no_challenge(400);
        hub.subscription_by(&format!("match=a&{name}")).send().expect_no_challenge(400);
    }
}

fn matchers_are_clean_utf_8(hub: &Hub) {
    for value in ["a%00", "a%0A", "%7F", "%C2%85", "%E2%80%8B", "%EF%BB%BF", "%C2%AD", "%FF", "%C3"]
    {
        for name in ["match", "match_exact", "match_urlpattern", "topic"] {
            hub.subscription_by(&format!("{name}=a{value}")).send().expect_no_challenge(400);
        }
    }
}

fn head_is_answered_as_get_without_a_stream(hub: &Hub) {
    let target = format!("{}?match=a", hub.path());
    let answer = hub.request("HEAD", target).send().expect_status(200);
    let content_type = answer.header("Content-Type").unwrap_or_default();
    assert!(content_type.starts_with("text/event-stream"), "{answer}");
    hub.request("HEAD", hub.path()).send().expect_status(400);
}

fn other_methods_are_not_allowed(hub: &Hub) {
    for method in ["PUT", "DELETE", "PATCH"] {
        let answer = hub.request(method, hub.path()).body("").send().expect_status(405);
        assert!(answer.head.lists("Allow", "GET"), "{answer}");
        assert!(answer.head.lists("Allow", "POST"), "{answer}");
    }
}

fn subscriptions_are_not_there_yet(hub: &Hub) {
    let path = hub.path();
    for path in [format!("{path}/subscriptions"), format!("{path}/subscriptions/exact/a/b")] {
        hub.request("GET", path).send().expect_status(404);
    }
}

// draft-08, "Authorization", "Error Responses"
fn anonymous_subscribers_can_be_refused(hub: &Hub) {
    hub.subscription(&[("match", "a")]).send().expect_challenge(401, None);
    let token = hub.subscriber_v0(serde_json::json!({"mercure": []}));
    hub.subscription(&[("match", "a")]).bearer(&token).open();
    // There is no point in telling a browser to come back: it would not get in later either.
    hub.subscription(&[("match", "a")]).native().send().expect_challenge(401, None);
}

// draft-08, "Presenting the Access Token": `access_token` is not accepted
fn a_token_in_the_query_is_foreign(hub: &Hub) {
    let token = hub.subscriber_v0(serde_json::json!({"mercure": []}));
    hub.subscription(&[("match", "a"), ("access_token", &token)])
        .send()
        .expect_challenge(401, None);
}
