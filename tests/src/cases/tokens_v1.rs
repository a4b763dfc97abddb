//! Tokens of protocol 1.0: RFC 9068 access tokens with Mercure authorization details.

use serde_json::{Value, json};

use crate::case::{Case, case};
use crate::http::Response;
use crate::hub::{Hub, fresh};
use crate::launch::Variables;
use crate::token::{DETAIL, Generation, detail, header_v1, now, sign, sign_bytes};

pub(crate) const CASES: &[Case] = &[
    case!(the_type_is_compared_in_any_case_without_its_prefix),
    case!(the_signature_is_of_the_configured_algorithm),
    case!(an_expiry_is_needed_and_enforced),
    case!(a_start_is_enforced_if_there_is_one),
    case!(dates_may_be_floats),
    case!(the_audience_must_name_the_hub),
    case!(the_issuer_must_be_the_trusted_one),
    case!(without_a_trusted_issuer_none_is_accepted on NO_ISSUER),
    case!(claims_that_the_hub_does_not_use_may_be_missing),
    case!(there_is_no_falling_back_to_the_mercure_claim),
    case!(without_details_nothing_is_granted),
    case!(details_of_other_types_are_not_the_hubs),
    case!(unknown_actions_grant_nothing_and_break_nothing),
    case!(one_bad_detail_rejects_the_token),
    case!(the_wildcard_needs_no_matcher_type),
    case!(a_matcher_without_a_type_is_exact),
    case!(a_pattern_that_is_none_is_invalid),
    case!(a_payload_may_be_anything),
];

const NO_ISSUER: Variables = &[("MERCURE_TRUSTED_ISSUERS", "")];

/// Publishes with a token that grants everything, but for this change to it.
fn publish_with(hub: &Hub, header: &Value, change: impl Fn(&mut Value)) -> Response {
    let mut claims = hub.claims_v1(json!([detail("publish", &["*"])]));
    change(&mut claims);
    hub.publication(&[("topic", &fresh("a"))])
        .bearer(&sign(header, &claims, &hub.keys.publisher))
        .send()
}

#[track_caller]
fn accepted(hub: &Hub, change: impl Fn(&mut Value)) {
    publish_with(hub, &header_v1(), change).expect_status(200);
}

#[track_caller]
fn invalid(hub: &Hub, change: impl Fn(&mut Value)) {
    publish_with(hub, &header_v1(), change).expect_challenge(401, Some("invalid_token"));
}

fn set(name: &'static str, value: Value) -> impl Fn(&mut Value) {
    move |claims| claims[name] = value.clone()
}

fn remove(name: &'static str) -> impl Fn(&mut Value) {
    move |claims| {
        claims.as_object_mut().expect("claims are an object").remove(name);
    }
}

// draft-08, "Token Validation", `typ`; RFC 7515, section 4.1.9
fn the_type_is_compared_in_any_case_without_its_prefix(hub: &Hub) {
    for typ in ["at+jwt", "AT+JWT", "At+Jwt", "application/at+jwt", "APPLICATION/AT+JWT"] {
        let header = json!({"alg": "HS256", "typ": typ});
        publish_with(hub, &header, |_| {}).expect_status(200);
        // So it must meet the rules of its kind.
        publish_with(hub, &header, remove("exp")).expect_challenge(401, Some("invalid_token"));
    }
}

// draft-08, "Token Validation", `alg`
fn the_signature_is_of_the_configured_algorithm(hub: &Hub) {
    for alg in ["none", "None", "HS384", "HS512", "RS256", "ES256", "EdDSA", "hs256", ""] {
        let header = json!({"alg": alg, "typ": "at+jwt"});
        publish_with(hub, &header, |_| {}).expect_challenge(401, Some("invalid_token"));
    }
    let header = json!({"typ": "at+jwt"});
    publish_with(hub, &header, |_| {}).expect_challenge(401, Some("invalid_token"));
    // The subscribers' key is not the publishers'.
    let claims = hub.claims_v1(json!([detail("publish", &["*"])]));
    hub.publication(&[("topic", &fresh("a"))])
        .bearer(&sign(&header_v1(), &claims, &hub.keys.subscriber))
        .send()
        .expect_challenge(401, Some("invalid_token"));
}

fn an_expiry_is_needed_and_enforced(hub: &Hub) {
    invalid(hub, remove("exp"));
    for exp in [json!(now() - 1), json!(0), json!(-1), json!("x"), json!(null), json!([])] {
        invalid(hub, set("exp", exp));
    }
    accepted(hub, set("exp", json!(now() + 600)));
}

fn a_start_is_enforced_if_there_is_one(hub: &Hub) {
    invalid(hub, set("nbf", json!(now() + 600)));
    invalid(hub, set("nbf", json!("x")));
    accepted(hub, set("nbf", json!(now() - 1)));
}

fn dates_may_be_floats(hub: &Hub) {
    let seconds = |offset: f64| json!(u32::try_from(now()).map_or(0.0, f64::from) + offset);
    accepted(hub, |claims| {
        claims["exp"] = seconds(600.123456);
        claims["iat"] = seconds(-1.123456);
        claims["nbf"] = seconds(-1.123456);
    });
    invalid(hub, set("exp", seconds(-1.5)));
    invalid(hub, set("nbf", seconds(600.5)));
}

// draft-08, "Token Validation", `aud`
fn the_audience_must_name_the_hub(hub: &Hub) {
    let audience = &hub.keys.audience;
    accepted(hub, set("aud", json!([audience])));
    accepted(hub, set("aud", json!(["https://other.example", audience])));
    invalid(hub, remove("aud"));
    for aud in [
        json!("https://other.example/.well-known/mercure"),
        json!(["https://other.example"]),
        json!([]),
        json!(null),
        json!(1),
        json!({"a": audience}),
        json!([[audience]]),
        json!(format!("{audience}/")),
        json!(format!("{audience} https://other.example")),
        json!(audience.to_uppercase()),
    ] {
        invalid(hub, set("aud", aud));
    }
}

// draft-08, "Token Validation", `iss`
fn the_issuer_must_be_the_trusted_one(hub: &Hub) {
    let issuer = &hub.keys.issuer;
    invalid(hub, remove("iss"));
    for iss in [
        json!("https://other.example"),
        json!(format!("{issuer}/")),
        json!(issuer.to_uppercase()),
        json!([issuer]),
        json!(null),
        json!(""),
    ] {
        invalid(hub, set("iss", iss));
    }
}

// "The token": if unset, `at+jwt` is refused, and the log says why
fn without_a_trusted_issuer_none_is_accepted(hub: &Hub) {
    invalid(hub, |_| {});
    invalid(hub, set("iss", json!("")));
    let token = hub.subscriber(Generation::V1, &["*"]);
    hub.subscription(&[("match", "a")])
        .bearer(&token)
        .send()
        .expect_challenge(401, Some("invalid_token"));
    hub.publish(&[("topic", &fresh("a"))]);
    assert!(hub.log().contains("MERCURE_TRUSTED_ISSUERS"), "{}", hub.log());
}

// draft-08, "Token Validation": `sub`, `client_id`, `iat`, `jti` oblige issuers
fn claims_that_the_hub_does_not_use_may_be_missing(hub: &Hub) {
    for name in ["sub", "client_id", "iat", "jti"] {
        accepted(hub, remove(name));
    }
    accepted(hub, set("more", json!({"of": ["it"]})));
}

fn there_is_no_falling_back_to_the_mercure_claim(hub: &Hub) {
    publish_with(hub, &header_v1(), |claims| {
        claims["mercure"] = json!({"publish": ["*"]});
        claims["authorization_details"] = json!([]);
    })
    .expect_challenge(403, Some("insufficient_scope"));
    invalid(hub, |claims| {
        *claims = json!({"mercure": {"publish": ["*"]}, "exp": now() + 600});
    });
}

// draft-08, "Authorization Details": without a Mercure detail, nothing is granted
fn without_details_nothing_is_granted(hub: &Hub) {
    for change in [None, Some(json!([]))] {
        let mut claims = hub.claims_v1(json!([]));
        match change {
            None => remove("authorization_details")(&mut claims),
            Some(details) => claims["authorization_details"] = details,
        }
        hub.publication(&[("topic", &fresh("a"))])
            .bearer(&sign(&header_v1(), &claims, &hub.keys.publisher))
            .send()
            .expect_challenge(403, Some("insufficient_scope"));
        hub.subscription(&[("match", "a")])
            .bearer(&sign(&header_v1(), &claims, &hub.keys.subscriber))
            .open();
    }
}

// The same: a Mercure detail is recognized by its type, compared byte by byte
fn details_of_other_types_are_not_the_hubs(hub: &Hub) {
    let other =
        |kind: &str| json!({"type": kind, "actions": ["publish"], "topics": [{"match": "*"}]});
    for kind in ["payment_initiation", "https://mercure.rocks/authorization-detail/", ""] {
        publish_with(hub, &header_v1(), set("authorization_details", json!([other(kind)])))
            .expect_challenge(403, Some("insufficient_scope"));
    }
    let foreign = json!({"type": "account_information", "actions": 1, "locations": ["x"]});
    accepted(hub, set("authorization_details", json!([foreign, detail("publish", &["*"])])));
}

// The same: an unrecognized action grants nothing and does not invalidate the token
fn unknown_actions_grant_nothing_and_break_nothing(hub: &Hub) {
    let with =
        |actions: Value| json!([{"type": DETAIL, "actions": actions, "topics": [{"match": "*"}]}]);
    accepted(hub, set("authorization_details", with(json!(["administer", "publish"]))));
    for actions in [json!(["administer"]), json!(["Publish"]), json!([""])] {
        publish_with(hub, &header_v1(), set("authorization_details", with(actions)))
            .expect_challenge(403, Some("insufficient_scope"));
    }
}

// The same, and "Topic Matcher List": partial acceptance is forbidden
fn one_bad_detail_rejects_the_token(hub: &Hub) {
    let topics = json!([{"match": "*"}]);
    let with_topics =
        |topics: Value| json!({"type": DETAIL, "actions": ["publish"], "topics": topics});
    let with_actions =
        |actions: Value| json!({"type": DETAIL, "actions": actions, "topics": topics});
    for bad in [
        json!({"type": DETAIL, "topics": [{"match": "*"}]}),
        json!({"type": DETAIL, "actions": ["publish"]}),
        with_actions(json!([])),
        with_actions(json!("publish")),
        with_actions(json!(["publish", 1])),
        with_actions(json!([null])),
        with_actions(json!({"publish": true})),
        with_topics(json!([])),
        with_topics(json!("*")),
        with_topics(json!({"match": "*"})),
        with_topics(json!(["*"])),
        with_topics(json!([{"match": "*"}, null])),
        with_topics(json!([[]])),
        with_topics(json!([{}])),
        with_topics(json!([{"match_type": "exact"}])),
        with_topics(json!([{"match": 1}])),
        with_topics(json!([{"match": "a", "match_type": "Exact"}])),
        with_topics(json!([{"match": "a", "match_type": "regex"}])),
        with_topics(json!([{"match": "a", "match_type": ""}])),
        with_topics(json!([{"match": "a", "match_type": 1}])),
        with_topics(json!([{"match": "a", "match_type": ["exact"]}])),
    ] {
        let good = detail("publish", &["*"]);
        invalid(hub, set("authorization_details", json!([bad.clone(), good.clone()])));
        invalid(hub, set("authorization_details", json!([good, bad])));
    }
    for details in [json!({}), json!("x"), json!(1), json!(detail("publish", &["*"])), json!(["x"])]
    {
        invalid(hub, set("authorization_details", details));
    }
}

// draft-08, "Topic Matcher List"
fn the_wildcard_needs_no_matcher_type(hub: &Hub) {
    for matcher in [
        json!({"match": "*"}),
        json!({"match": "*", "match_type": "exact"}),
        json!({"match": "*", "match_type": "urlpattern"}),
    ] {
        let details = json!([{"type": DETAIL, "actions": ["publish"], "topics": [matcher]}]);
        accepted(hub, set("authorization_details", details));
    }
}

// The same: a matcher without a type is not a pattern
fn a_matcher_without_a_type_is_exact(hub: &Hub) {
    let base = fresh("books");
    let pattern = format!("{base}/:id");
    let publish = |matcher: &Value, topic: &str| {
        let topics = json!([matcher]);
        let token =
            hub.publisher_v1(json!([{"type": DETAIL, "actions": ["publish"], "topics": topics}]));
        hub.publication(&[("topic", topic)]).bearer(&token).send()
    };
    for exact in [json!({"match": pattern}), json!({"match": pattern, "match_type": "exact"})] {
        publish(&exact, &pattern).expect_status(200);
        publish(&exact, &format!("{base}/1")).expect_challenge(403, Some("insufficient_scope"));
    }
    let typed = json!({"match": pattern, "match_type": "urlpattern"});
    publish(&typed, &format!("{base}/1")).expect_status(200);
}

// draft-08, "Authorization Details": if one is not valid, the token is rejected
fn a_pattern_that_is_none_is_invalid(hub: &Hub) {
    for pattern in ["/books/(", "https://example.com/(?<=a)b", "/(a)(\\1)", "https://[/"] {
        let pattern = json!({"match": pattern, "match_type": "urlpattern"});
        let details = json!([
            detail("publish", &["*"]),
            {"type": DETAIL, "actions": ["subscribe"], "topics": [pattern]},
        ]);
        invalid(hub, set("authorization_details", details));
    }
}

// Laravel sends `true`; PHP's JSON escapes slashes.
fn a_payload_may_be_anything(hub: &Hub) {
    for payload in [json!(true), json!(null), json!([1]), json!("x"), json!({"a": {"b": 1}})] {
        let mut entry = detail("publish", &["*"]);
        entry["payload"] = payload;
        accepted(hub, set("authorization_details", json!([entry])));
    }
    let claims = hub.claims_v1(json!([detail("publish", &["*"])]));
    let escaped = claims.to_string().replace('/', "\\/");
    hub.publication(&[("topic", &fresh("a"))])
        .bearer(&sign_bytes(header_v1().to_string(), escaped, &hub.keys.publisher))
        .send()
        .expect_status(200);
}
