//! URL patterns, and the URI templates of 0.x hubs.

use serde_json::json;

use crate::case::{Case, case};
use crate::cases::silence::expect_nothing_yet;
use crate::hub::{Hub, fresh};
use crate::token::DETAIL;

pub(crate) const CASES: &[Case] = &[
    case!(a_pattern_selects_topics_live_and_replayed),
    case!(relative_patterns_and_topics_are_the_hubs),
    case!(a_pattern_is_case_sensitive_but_for_its_host),
    case!(a_topic_that_is_no_url_matches_no_pattern),
    case!(nested_quantifiers_hold_nobody_up),
    case!(what_is_no_pattern_is_400_and_named),
    case!(a_template_selects_what_it_expands_to),
    case!(percent_encodings_in_a_template_are_data),
    case!(a_pattern_grants_private_updates),
    case!(a_template_grants_private_updates),
    case!(patterns_and_templates_grant_publishing),
];

// draft-08, "URL Pattern"
fn a_pattern_selects_topics_live_and_replayed(hub: &Hub) {
    let base = fresh("books");
    let pattern = format!("{base}/:id");
    let first = hub.publish(&[("topic", &format!("{base}/1"))]);
    let mut live = hub.subscription(&[("match_urlpattern", &pattern)]).open();
    let mut replayed =
        hub.subscription(&[("match_urlpattern", &pattern), ("last_event_id", "earliest")]).open();
    assert_eq!(replayed.event().id, first);
    hub.publish(&[("topic", &format!("{base}/1/pages"))]);
    let second = hub.publish(&[("topic", "urn:x"), ("topic", &format!("{base}/2"))]);
    assert_eq!(live.event().id, second);
    assert_eq!(replayed.event().id, second);
}

fn relative_patterns_and_topics_are_the_hubs(hub: &Hub) {
    let name = fresh("x").replace("https://example.com", "");
    let mut relative = hub.subscription(&[("match_urlpattern", &format!("{name}/:id"))]).open();
    let absolute = format!("{}{name}/:id", hub.endpoint.origin());
    let mut absolute = hub.subscription(&[("match_urlpattern", &absolute)]).open();
    for topic in [format!("{name}/1"), format!("{}{name}/2", hub.endpoint.origin())] {
        let id = hub.publish(&[("topic", &topic)]);
        assert_eq!((relative.event().id, absolute.event().id), (id.clone(), id));
    }
    // Echo's pattern for the presence of a channel.
    let presence = "/.well-known/mercure/subscriptions/:match_type/https%3A%2F%2Fa/:subscriber";
    hub.subscription(&[("match_urlpattern", presence)]).open();
    let optional = "/.well-known/mercure/subscriptions/:match_type/a{/:subscriber}?";
    hub.subscription(&[("match_urlpattern", optional)]).open();
}

// The same: hubs must not enable `ignoreCase`
fn a_pattern_is_case_sensitive_but_for_its_host(hub: &Hub) {
    let base = fresh("Books");
    let shouted = base.replace("https://example.com", "HTTPS://EXAMPLE.com");
    let pattern = format!("{shouted}/:id\\?q=X");
    let mut stream = hub.subscription(&[("match_urlpattern", &pattern)]).open();
    for topic in [format!("{}/1?q=X", base.to_lowercase()), format!("{base}/1?q=x")] {
        hub.publish(&[("topic", &topic)]);
    }
    for topic in [format!("{base}/1?q=X"), format!("{shouted}/1?q=X")] {
        let id = hub.publish(&[("topic", &topic)]);
        assert_eq!(stream.event().id, id, "{topic}");
    }
}

fn a_topic_that_is_no_url_matches_no_pattern(hub: &Hub) {
    let unique = fresh("a");
    let mut stream =
        hub.subscription(&[("match_urlpattern", "http://*/*"), ("match", &unique)]).open();
    hub.publish(&[("topic", &format!("http://[{unique}"))]);
    expect_nothing_yet(hub, &mut stream, &unique);
}

// The same: in linear time; an engine that backtracks would not finish before the case gives up.
fn nested_quantifiers_hold_nobody_up(hub: &Hub) {
    let base = fresh("deep");
    let patterns = ["((?:a+)+)", "((?:a|aa)+)", "((?:.*a){20})"].map(|end| format!("{base}/{end}"));
    let mut parameters = vec![("match", base.as_str())];
    parameters.extend(patterns.iter().map(|pattern| ("match_urlpattern", pattern.as_str())));
    let mut stream = hub.subscription(&parameters).open();
    let many = "a".repeat(3_000);
    hub.publish(&[("topic", &format!("{base}/{many}!"))]);
    expect_nothing_yet(hub, &mut stream, &base);
    let id = hub.publish(&[("topic", &format!("{base}/{many}"))]);
    assert_eq!(stream.event().id, id);
}

fn what_is_no_pattern_is_400_and_named(hub: &Hub) {
    for pattern in ["/a(", "/(?=a)b", "/(?<!a)b", "/(a)(\\1)", "https://[/", "/:a/:a"] {
        let answer = hub.subscription(&[("match", "a"), ("match_urlpattern", pattern)]).send();
        let answer = answer.expect_status(400);
        assert!(answer.text().contains("match_urlpattern"), "{answer}");
    }
}

fn a_template_selects_what_it_expands_to(hub: &Hub) {
    let base = fresh("books");
    let template = format!("{base}/{{id}}{{?page}}");
    let mut stream = hub.subscription(&[("topic", &template)]).open();
    hub.publish(&[("topic", &format!("{base}/1/pages"))]);
    for topic in [format!("{base}/1"), format!("{base}/2?page=3"), template] {
        let id = hub.publish(&[("topic", &topic)]);
        assert_eq!(stream.event().id, id, "{topic}");
    }
}

// Turbo's topics contain `%5C`, which is text like any other.
fn percent_encodings_in_a_template_are_data(hub: &Hub) {
    let base = format!("{}/App%5CEntity%5CBook", fresh("ux-turbo"));
    let mut stream = hub.subscription(&[("topic", &format!("{base}/{{id}}"))]).open();
    hub.publish(&[("topic", &format!("{}/1", base.replace("%5C", "\\")))]);
    let id = hub.publish(&[("topic", &format!("{base}/1"))]);
    assert_eq!(stream.event().id, id);
}

// draft-08, "Subscribers"
fn a_pattern_grants_private_updates(hub: &Hub) {
    let base = fresh("users/42");
    let pattern = json!({"match": format!("{base}/*"), "match_type": "urlpattern"});
    let token =
        hub.subscriber_v1(json!([{"type": DETAIL, "actions": ["subscribe"], "topics": [pattern]}]));
    granted(hub, &token, &base);
}

fn a_template_grants_private_updates(hub: &Hub) {
    let base = fresh("users/42");
    let token = hub.subscriber_v0(json!({"mercure": {"subscribe": [format!("{base}/{{topic}}")]}}));
    granted(hub, &token, &base);
}

/// A subscriber to every topic who may read private updates only below `base`.
fn granted(hub: &Hub, token: &str, base: &str) {
    let (mine, other) = (format!("{base}/books"), fresh("other"));
    let mut stream = hub.subscription(&[("match", &mine), ("match", &other)]).bearer(token).open();
    hub.publish(&[("topic", &other), ("private", "on")]);
    let id = hub.publish(&[("topic", &mine), ("private", "on")]);
    assert_eq!(stream.event().id, id);
    // An alternate topic counts as well.
    let id = hub.publish(&[("topic", &other), ("topic", &mine), ("private", "on")]);
    assert_eq!(stream.event().id, id);
}

// draft-08, "Publishers": every topic must be granted
fn patterns_and_templates_grant_publishing(hub: &Hub) {
    let base = fresh("books");
    let pattern = json!({"match": format!("{base}/:id"), "match_type": "urlpattern"});
    let tokens = [
        hub.publisher_v1(json!([{"type": DETAIL, "actions": ["publish"], "topics": [pattern]}])),
        hub.publisher_v0(json!({"mercure": {"publish": [format!("{base}/{{id}}")]}})),
    ];
    for token in tokens {
        let publish = |topics: &[&str]| {
            let fields: Vec<(&str, &str)> = topics.iter().map(|topic| ("topic", *topic)).collect();
            hub.publication(&fields).bearer(&token).send()
        };
        publish(&[&format!("{base}/1")]).expect_status(200);
        publish(&[&format!("{base}/1"), "elsewhere"])
            .expect_challenge(403, Some("insufficient_scope"));
    }
}
