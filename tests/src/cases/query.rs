//! Subscriptions with QUERY, whose matchers may be in the body.

use crate::arguments::Capability;
use crate::case::{Case, case};
use crate::form;
use crate::http::Request;
use crate::hub::{Hub, fresh};
use crate::token::Generation;

pub(crate) const CASES: &[Case] = &[
    case!(matchers_may_be_in_the_body).needing(&[Capability::Query]),
    case!(query_and_body_are_one).needing(&[Capability::Query]),
    case!(the_querys_cursor_comes_before_the_bodys).needing(&[Capability::Query]),
    case!(a_token_grants_as_with_get).needing(&[Capability::Query]),
    case!(a_body_that_is_no_form_is_refused).needing(&[Capability::Query]),
    case!(a_body_that_is_too_large_is_refused).needing(&[Capability::Query]),
];

fn query(hub: &Hub, parameters: &[(&str, &str)], body: &[(&str, &str)]) -> Request {
    let target = match form::pairs(parameters) {
        parameters if parameters.is_empty() => hub.path().to_owned(),
        parameters => format!("{}?{parameters}", hub.path()),
    };
    hub.request("QUERY", target)
        .header("Accept", "text/event-stream")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(form::pairs(body))
}

// draft-08, "Subscription"
fn matchers_may_be_in_the_body(hub: &Hub) {
    let (one, other) = (fresh("a"), fresh("b"));
    let pattern = format!("{other}/:id");
    let body = [("match", one.as_str()), ("match_urlpattern", &pattern), ("foreign", "x")];
    let mut stream = query(hub, &[], &body).open();
    hub.publish(&[("topic", &one), ("data", "1")]);
    stream.expect_data("1");
    hub.publish(&[("topic", &format!("{other}/2")), ("data", "2")]);
    stream.expect_data("2");
    query(hub, &[], &[("MATCH", "a")]).send().expect_no_challenge(400);
    query(hub, &[], &[]).send().expect_no_challenge(400);
}

// draft-08, "Subscription": the union, as if all pairs had appeared in one component
fn query_and_body_are_one(hub: &Hub) {
    let (one, other) = (fresh("a"), fresh("b"));
    let mut stream = query(hub, &[("match", &one)], &[("match_exact", &other)]).open();
    for topic in [&one, &other] {
        let id = hub.publish(&[("topic", topic)]);
        assert_eq!(stream.event().id, id);
    }
}

// draft-08, "Subscription"
fn the_querys_cursor_comes_before_the_bodys(hub: &Hub) {
    let topic = fresh("a");
    let ids = ["1", "2", "3"].map(|data| hub.publish(&[("topic", &topic), ("data", data)]));
    let body = [("match", topic.as_str()), ("last_event_id", &ids[0])];
    query(hub, &[], &body).open().expect_data("2");
    query(hub, &[("last_event_id", &ids[1])], &body).open().expect_data("3");
    let by_header =
        query(hub, &[("last_event_id", &ids[0])], &body).header("Last-Event-ID", &ids[1]);
    by_header.open().expect_data("3");
}

fn a_token_grants_as_with_get(hub: &Hub) {
    let topic = fresh("a");
    for generation in Generation::BOTH {
        let token = hub.subscriber(generation, &[&topic]);
        let mut stream = query(hub, &[], &[("match", &topic)]).bearer(&token).open();
        hub.publish(&[("topic", &topic), ("data", "secret"), ("private", "on")]);
        stream.expect_data("secret");
    }
    query(hub, &[], &[("match", &topic)])
        .bearer("a.b.c")
        .send()
        .expect_challenge(401, Some("invalid_token"));
}

fn a_body_that_is_no_form_is_refused(hub: &Hub) {
    let request = hub.request("QUERY", hub.path()).body("match=a");
    request.header("Content-Type", "application/json").send().expect_no_challenge(415);
}

fn a_body_that_is_too_large_is_refused(hub: &Hub) {
    let padding = "x".repeat(100_000);
    query(hub, &[], &[("match", "a"), ("padding", &padding)]).send().expect_no_challenge(413);
}
