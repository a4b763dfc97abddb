//! What a subscriber takes, what it sends, and what answers tell of both: what the specification has
//! said since draft-08 (dunglas/mercure#1385), after RFC 9110, RFC 10008 and
//! draft-ietf-httpbis-incremental.

use crate::arguments::Capability;
use crate::case::{Case, case};
use crate::http::Request;
use crate::hub::{Hub, fresh};

pub(crate) const CASES: &[Case] = &[
    case!(a_subscriber_that_refuses_event_streams_is_answered_406),
    case!(the_most_precise_range_decides),
    case!(an_accept_that_is_absent_or_unreadable_refuses_nothing),
    case!(the_token_comes_before_what_is_accepted_and_that_before_the_fields),
    case!(a_publisher_may_accept_anything),
    case!(a_query_names_the_type_of_its_body).needing(&[Capability::Query]),
    case!(every_answer_to_a_subscription_tells_of_query_and_of_its_increments),
];

fn accepting(hub: &Hub, accept: &str) -> Request {
    hub.subscription(&[("match", &fresh("a"))]).without_header("Accept").header("Accept", accept)
}

// RFC 9110, section 15.5.7
fn a_subscriber_that_refuses_event_streams_is_answered_406(hub: &Hub) {
    for accept in ["application/json", "text/html", "image/*", "text/event-stream;q=0", "*/*;q=0.0"]
    {
        let answer = accepting(hub, accept).send().expect_no_challenge(406);
        assert!(answer.text().contains("text/event-stream"), "{answer}");
    }
    let target = format!("{}?match=a", hub.path());
    hub.request("HEAD", target).header("Accept", "application/json").send().expect_status(406);
}

// RFC 9110, section 12.5.1
fn the_most_precise_range_decides(hub: &Hub) {
    for accept in
        ["text/event-stream;q=0, */*", "text/*;q=0, */*;q=1", "application/json, text/*;q=0"]
    {
        accepting(hub, accept).send().expect_no_challenge(406);
    }
    for accept in
        ["*/*", "text/*", "text/event-stream;q=0.1, */*;q=0", "application/json, text/plain, */*"]
    {
        accepting(hub, accept).open();
    }
}

fn an_accept_that_is_absent_or_unreadable_refuses_nothing(hub: &Hub) {
    hub.subscription(&[("match", "a")]).without_header("Accept").open();
    // The last is what Java sends by default.
    for accept in
        ["", "json", "application/json;q=9", "text/html, image/gif, *; q=.2, image/jpeg; q=.2"]
    {
        accepting(hub, accept).open();
    }
}

// "Statuses": the order of the checks
fn the_token_comes_before_what_is_accepted_and_that_before_the_fields(hub: &Hub) {
    let refusing = || accepting(hub, "application/json");
    refusing().bearer("a.b.c").send().expect_challenge(401, Some("invalid_token"));
    let without_topics = hub.request("GET", hub.path()).header("Accept", "application/json");
    without_topics.send().expect_no_challenge(406);
}

fn a_publisher_may_accept_anything(hub: &Hub) {
    let publication = hub.granted(&[("topic", &fresh("a"))]);
    publication.header("Accept", "application/json").send().expect_status(200);
}

// RFC 10008, section 2.3
fn a_query_names_the_type_of_its_body(hub: &Hub) {
    let query = |types: &[&str]| {
        let request = hub.request("QUERY", hub.path()).body("match=a");
        types.iter().fold(request, |request, value| request.header("Content-Type", value))
    };
    query(&[]).send().expect_no_challenge(400);
    for unreadable in ["form", "application/", "application/x-www-form-urlencoded; charset"] {
        query(&[unreadable]).send().expect_no_challenge(400);
    }
    query(&["text/plain"]).send().expect_no_challenge(415);
    query(&["Application/X-WWW-Form-Urlencoded; charset=\"utf-8\""]).open();
    // Nobody has to do so with POST.
    let publication = hub.granted(&[("topic", &fresh("a"))]).without_header("Content-Type");
    publication.send().expect_status(200);
}

fn every_answer_to_a_subscription_tells_of_query_and_of_its_increments(hub: &Hub) {
    let subscription = || hub.subscription(&[("match", "a")]);
    for request in [
        subscription(),
        subscription().native(),
        subscription().bearer("a.b.c"),
        accepting(hub, "application/json"),
        hub.subscription(&[]),
        hub.request("HEAD", format!("{}?match=a", hub.path())),
    ] {
        let (head, _) = request.start().unwrap_or_else(|error| panic!("{error}: {request}"));
        let field = |name| head.header(name).unwrap_or_default();
        assert_eq!(field("Accept-Query"), "application/x-www-form-urlencoded", "{request}");
        assert_eq!(field("Incremental"), "?1", "{request}");
    }
}
