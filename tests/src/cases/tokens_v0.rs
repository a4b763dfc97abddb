//! 0.x tokens, as clients in the field write them.

use serde_json::{Value, json};

use crate::case::{Case, case};
use crate::http::Response;
use crate::hub::{Hub, fresh};
use crate::token::{now, sign};

/// Configurations of some cases.
const NO_QUERY: &[(&str, &str)] = &[("QUERY_AUTHORIZATION", "0")];
const UNGRANTED: &[(&str, &str)] = &[("PUBLISH_UNGRANTED", "1")];

pub(crate) const CASES: &[Case] = &[
    case!(neither_typ_nor_dates_are_needed),
    case!(dates_count_if_they_are_there),
    case!(dates_may_be_floats),
    case!(the_claim_may_be_namespaced),
    case!(a_publishers_token_needs_a_publish_member),
    case!(an_empty_publish_member_grants_nothing),
    case!(a_subscribers_token_needs_no_grant),
    case!(a_template_that_would_grant_more_than_it_says_is_invalid),
    case!(a_token_may_come_in_the_query),
    case!(a_token_in_the_query_is_foreign_where_that_is_turned_off on NO_QUERY),
    case!(public_updates_need_no_grant_in_the_older_meaning on UNGRANTED),
    case!(details_do_not_count),
];

fn publish(hub: &Hub, claims: Value) -> Response {
    hub.publication(&[("topic", &fresh("a"))]).bearer(&hub.publisher_v0(claims)).send()
}

fn subscribe(hub: &Hub, claims: Value) -> u16 {
    let request = hub.subscription(&[("match", "a")]).bearer(&hub.subscriber_v0(claims));
    request.start().expect("the hub answers").0.status
}

fn neither_typ_nor_dates_are_needed(hub: &Hub) {
    let claims = json!({"mercure": {"publish": ["*"], "payload": []}, "more": {}});
    for header in [json!({"alg": "HS256"}), json!({"alg": "HS256", "typ": "jwt", "kid": "1"})] {
        hub.publication(&[("topic", &fresh("a"))])
            .bearer(&sign(&header, &claims, &hub.keys.publisher))
            .send()
            .expect_status(200);
    }
}

fn dates_count_if_they_are_there(hub: &Hub) {
    let claims = |name: &str, date: Value| json!({"mercure": {"publish": ["*"]}, name: date});
    for (name, date) in [
        ("exp", json!(now() - 10)),
        ("exp", json!(0)),
        ("exp", json!("2999-01-01")),
        ("exp", json!((now() + 3600).to_string())),
        ("exp", json!(true)),
        ("nbf", json!(now() + 3600)),
        ("nbf", json!("x")),
    ] {
        publish(hub, claims(name, date)).expect_challenge(401, Some("invalid_token"));
    }
    publish(hub, claims("exp", json!(now() + 3600))).expect_status(200);
    publish(hub, claims("nbf", json!(now() - 10))).expect_status(200);
    publish(hub, claims("iss", json!("https://anybody.example"))).expect_status(200);
    publish(hub, claims("aud", json!("https://anywhere.example"))).expect_status(200);
}

// PHP's lcobucci/jwt writes microseconds.
fn dates_may_be_floats(hub: &Hub) {
    let seconds = |offset: f64| json!(u32::try_from(now()).map_or(0.0, f64::from) + offset);
    let claims = |exp: f64| {
        json!({
            "mercure": {"publish": ["*"]},
            "exp": seconds(exp), "iat": seconds(-10.123456), "nbf": seconds(-10.123456),
        })
    };
    publish(hub, claims(3600.123456)).expect_status(200);
    publish(hub, claims(-1.5)).expect_challenge(401, Some("invalid_token"));
}

fn the_claim_may_be_namespaced(hub: &Hub) {
    publish(hub, json!({"https://mercure.rocks/": {"publish": ["*"]}})).expect_status(200);
}

// "0.x publishing"
fn a_publishers_token_needs_a_publish_member(hub: &Hub) {
    for claims in [
        json!({}),
        json!({"mercure": []}),
        json!({"mercure": {}}),
        json!({"mercure": {"subscribe": ["*"]}}),
        json!({"mercure": {"payload": {"publish": ["*"]}}}),
    ] {
        publish(hub, claims).expect_challenge(401, Some("invalid_token"));
    }
}

// Browsers' cookies carry such a token, often signed with the publishers' own key.
fn an_empty_publish_member_grants_nothing(hub: &Hub) {
    publish(hub, json!({"mercure": {"publish": [], "subscribe": ["*"]}}))
        .expect_challenge(403, Some("insufficient_scope"));
}

// Symfony writes `"mercure": []` where nothing is granted.
fn a_subscribers_token_needs_no_grant(hub: &Hub) {
    for claims in [
        json!({}),
        json!({"mercure": []}),
        json!({"mercure": {}}),
        json!({"mercure": {"subscribe": []}}),
        json!({"mercure": {"publish": ["*"]}}),
        json!({"mercure": {"subscribe": ["a"], "payload": "any"}}),
    ] {
        assert_eq!(subscribe(hub, claims.clone()), 200, "{claims}");
    }
}

// The two would have to be equal, which cannot be checked in reasonable time.
fn a_template_that_would_grant_more_than_it_says_is_invalid(hub: &Hub) {
    let template = "https://example.com/users/{id}/inbox/{id}";
    assert_eq!(subscribe(hub, json!({"mercure": {"subscribe": ["a", template]}})), 401);
    publish(hub, json!({"mercure": {"publish": ["*", template]}}))
        .expect_challenge(401, Some("invalid_token"));
}

// Clients in browsers and in Dart have no other way to send it.
fn a_token_may_come_in_the_query(hub: &Hub) {
    let topic = fresh("a");
    let token = hub.subscriber_v0(json!({"mercure": {"subscribe": [topic]}}));
    let mut stream = hub.subscription(&[("topic", &topic), ("authorization", &token)]).open();
    let id = hub.publish(&[("topic", &topic), ("private", "on")]);
    assert_eq!(stream.event().id, id);
    // draft-08, "Security Considerations": a 1.0 token must not be sent this way.
    let modern = hub.subscriber_v1(json!([crate::token::detail("subscribe", &["*"])]));
    hub.subscription(&[("topic", &topic), ("authorization", &modern)])
        .send()
        .expect_challenge(401, Some("invalid_token"));
}

fn a_token_in_the_query_is_foreign_where_that_is_turned_off(hub: &Hub) {
    let topic = fresh("a");
    let mut stream = hub.subscription(&[("topic", &topic), ("authorization", "x")]).open();
    hub.publish(&[("topic", &topic), ("private", "on")]);
    let id = hub.publish(&[("topic", &topic)]);
    assert_eq!(stream.event().id, id);
}

fn public_updates_need_no_grant_in_the_older_meaning(hub: &Hub) {
    let token = hub.publisher_v0(json!({"mercure": {"publish": []}}));
    let publish = |fields: &[(&str, &str)]| hub.publication(fields).bearer(&token).send();
    publish(&[("topic", "a")]).expect_status(200);
    publish(&[("topic", "a"), ("private", "on")]).expect_challenge(403, Some("insufficient_scope"));
}

fn details_do_not_count(hub: &Hub) {
    let mut claims = hub.claims_v1(json!([crate::token::detail("publish", &["*"])]));
    publish(hub, claims.clone()).expect_challenge(401, Some("invalid_token"));
    claims["mercure"] = json!({"publish": []});
    publish(hub, claims).expect_challenge(403, Some("insufficient_scope"));
}
