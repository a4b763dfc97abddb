//! Limits: 413 for publications, 400 and 414 for subscriptions; nothing is ever truncated.

use crate::arguments::Capability;
use crate::case::{Case, case};
use crate::form;
use crate::hub::{Hub, fresh};
use crate::launch::Variables;

pub(crate) const CASES: &[Case] = &[
    case!(a_body_of_the_limit_is_accepted_and_one_above_is_413),
    case!(the_size_is_checked_before_the_token),
    case!(a_chunked_body_above_the_limit_is_413).needing(&[Capability::RawRequests]),
    case!(an_update_whose_frames_are_too_large_is_413),
    case!(topics_are_counted_without_repetitions),
    case!(a_field_that_is_too_long_is_413),
    case!(matchers_are_counted_without_repetitions),
    case!(a_matcher_that_is_too_long_is_400),
    case!(a_url_of_16_kib_is_accepted_and_a_boundless_one_is_414),
    case!(configured_limits_are_kept on SMALL),
];

const SMALL: Variables = &[
    ("MAX_REQUEST_BODY_SIZE", "2KiB"),
    ("MAX_UPDATE_SIZE", "1KiB"),
    ("MAX_TOPICS", "3"),
    ("MAX_MATCHERS", "2"),
];

/// A body of exactly this many bytes, on a topic of its own. Most of them are in a field that hubs
/// ignore, since an update may have to be smaller.
fn body_of(size: usize) -> String {
    let mut body = format!("topic={}&padding=", form::encode(fresh("a")));
    body.extend(std::iter::repeat_n('x', size - body.len()));
    body
}

fn a_body_of_the_limit_is_accepted_and_one_above_is_413(hub: &Hub) {
    let limit = hub.limits.max_request_body_size;
    let publish = |size| hub.publication_of(body_of(size)).bearer(&hub.anyone()).send();
    publish(limit).expect_status(200);
    publish(limit + 1).expect_no_challenge(413);
}

// "Statuses": size, then token
fn the_size_is_checked_before_the_token(hub: &Hub) {
    let body = body_of(hub.limits.max_request_body_size + 1);
    hub.publication_of(body).send().expect_no_challenge(413);
}

fn a_chunked_body_above_the_limit_is_413(hub: &Hub) {
    let body = body_of(hub.limits.max_request_body_size + 1);
    let chunks: Vec<&[u8]> = body.as_bytes().chunks(64 * 1024).collect();
    hub.publication_of("").bearer(&hub.anyone()).chunks(&chunks).send().expect_no_challenge(413);
}

// "Streams": a line break takes one byte in a body, and seven in a stream
fn an_update_whose_frames_are_too_large_is_413(hub: &Hub) {
    let topic = fresh("a");
    let mut stream = hub.subscribe(&topic);
    let publish = |lines: usize| {
        let body = format!("topic={}&data={}", form::encode(&topic), "\n".repeat(lines));
        hub.publication_of(body).bearer(&hub.anyone()).send()
    };
    let lines = hub.limits.max_update_size / "data: \n".len();
    publish(lines + 1).expect_no_challenge(413);
    // The update's other fields take some bytes too.
    publish(lines - 100).expect_status(200);
    assert_eq!(stream.event().data.len(), lines - 100);
}

fn topics_are_counted_without_repetitions(hub: &Hub) {
    let limit = hub.limits.max_topics;
    let topic = fresh("");
    let publish = |count: usize, repetitions: usize| {
        let topics: Vec<String> = (0..count)
            .flat_map(|number| vec![format!("topic={}{number}", form::encode(&topic)); repetitions])
            .collect();
        hub.publication_of(topics.join("&")).bearer(&hub.anyone()).send()
    };
    publish(limit, 2).expect_status(200);
    publish(limit + 1, 1).expect_no_challenge(413);
}

fn a_field_that_is_too_long_is_413(hub: &Hub) {
    let long = "x".repeat(100_000);
    let topic = fresh("a");
    hub.granted(&[("topic", &long)]).send().expect_no_challenge(413);
    hub.granted(&[("topic", &topic), ("id", &long)]).send().expect_no_challenge(413);
    hub.granted(&[("topic", &topic), ("type", &long)]).send().expect_no_challenge(413);
}

// draft-08, "Subscription"; lists of React components repeat their topics at every render
fn matchers_are_counted_without_repetitions(hub: &Hub) {
    let limit = hub.limits.max_matchers;
    let subscribe = |count: usize, repetitions: usize| {
        let matchers: Vec<String> =
            (0..count).flat_map(|number| vec![format!("match=t{number}"); repetitions]).collect();
        hub.subscription_by(&matchers.join("&"))
    };
    subscribe(limit, 3).open();
    subscribe(limit + 1, 1).send().expect_no_challenge(400);
}

fn a_matcher_that_is_too_long_is_400(hub: &Hub) {
    hub.subscription_by(&format!("match={}", "x".repeat(20_000))).send().expect_no_challenge(400);
}

fn a_url_of_16_kib_is_accepted_and_a_boundless_one_is_414(hub: &Hub) {
    let query = |bytes| format!("match=a&padding={}", "x".repeat(bytes));
    hub.subscription_by(&query(16 << 10)).open();
    let answer = hub.subscription_by(&query(100_000)).send();
    // A server in front of the hub may have a limit of its own.
    assert!(matches!(answer.status, 414 | 431), "{answer}");
}

fn configured_limits_are_kept(hub: &Hub) {
    let publish = |body: String| hub.publication_of(body).bearer(&hub.anyone()).send();
    let (topic, lines) = (form::encode(fresh("a")), "\n".repeat(200));
    publish(format!("topic={topic}&padding={}", "x".repeat(1_000))).expect_status(200);
    publish(format!("topic={topic}&padding={}", "x".repeat(2_048))).expect_status(413);
    publish(format!("topic={topic}&data={lines}")).expect_status(413);
    publish(format!("topic={topic}&topic=b&topic=c")).expect_status(200);
    publish(format!("topic={topic}&topic=b&topic=c&topic=d")).expect_status(413);
    hub.subscription_by("match=a&topic=b").open();
    hub.subscription_by("match=a&topic=b&match=c").send().expect_status(400);
}
