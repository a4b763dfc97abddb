//! The life of a stream: heartbeats, its end, and what readers are told when none can be opened.

use std::thread;
use std::time::{Duration, Instant, UNIX_EPOCH};

use serde_json::json;

use crate::arguments::Capability;
use crate::case::{Case, Suite, case};
use crate::http::{DEADLINE, Request};
use crate::hub::{Hub, fresh};
use crate::launch::Variables;
use crate::sse::Item;
use crate::stream::{End, Stream};
use crate::token::{Generation, now};

pub(crate) const CASES: &[Case] = &[
    case!(a_quiet_stream_gets_comments_alone on BRISK).needing(&[Capability::Chunks]),
    case!(a_stream_ends_cleanly_after_its_lifetime on BRISK),
    case!(a_script_that_stops_at_a_clean_end_has_everything_at_its_end on BRISK),
    case!(a_native_stream_ends_with_its_position on BRISK),
    case!(a_poll_never_says_less_than_the_hub_does on POLLED),
    case!(a_reader_is_told_its_position_when_an_environment_ends launching)
        .needing(&[Capability::Environments]),
    case!(a_position_event_comes_when_the_log_has_moved on QUIET),
    case!(a_stream_ends_when_its_token_does),
    case!(a_native_stream_ends_when_its_token_does).needing(&[Capability::Cookies]),
    case!(a_token_that_is_about_to_expire_gets_an_answer),
    case!(a_browser_is_asked_to_come_back_when_the_hub_is_full on FULL),
    case!(a_stream_that_was_left_makes_room on FULL).needing(&[Capability::Disconnects]),
];

const BRISK: Variables = &[("HEARTBEAT", "500ms"), ("STREAM_LIFETIME", "3s")];
/// A quarter of this history is five updates.
const QUIET: Variables = &[("HEARTBEAT", "500ms"), ("REPLAY_MAX", "20")];
const POLLED: Variables = &[("STREAM_LIFETIME", "0")];
const FULL: Variables = &[("MAX_STREAMS", "1"), ("HEARTBEAT", "500ms")];

// draft-08, "Subscription": a comment line, never with a blank line, which some mistake for an
// event
fn a_quiet_stream_gets_comments_alone(hub: &Hub) {
    let mut plain = hub.subscribe(&fresh("a"));
    for _ in 0..3 {
        assert_eq!(plain.text_chunk(), ":\n");
    }
    let mut native = hub.subscription(&[("match", &fresh("a"))]).native().open();
    assert!(native.text_chunk().contains("event: cinnabar"));
    assert_eq!(native.text_chunk(), ":\n");
}

// draft-08, "Subscribers": a maximum connection lifetime
fn a_stream_ends_cleanly_after_its_lifetime(hub: &Hub) {
    let topic = fresh("a");
    let mut stream = hub.subscribe(&topic);
    let id = hub.publish(&[("topic", &topic)]);
    let mut text = String::new();
    while let Some(chunk) = stream.chunk() {
        text.push_str(&String::from_utf8_lossy(&chunk));
    }
    let (events, end) = stream.rest();
    let ids: Vec<&str> = events.iter().map(|event| event.id.as_str()).collect();
    assert_eq!((ids, end), (vec![id.as_str()], End::Clean));
    // It is told when to come back, without a blank line that it might take for an event.
    let retry = stream.retry().expect("the last words");
    assert!((2_000..=8_000).contains(&retry), "{retry}");
    assert!(text.ends_with(&format!("\nretry: {retry}\n")), "{text:?}");
}

// A clean end is final for @microsoft/fetch-event-source. A platform may have no other end.
fn a_script_that_stops_at_a_clean_end_has_everything_at_its_end(hub: &Hub) {
    let topic = fresh("a");
    let mut stream = hub
        .subscription(&[("match", &topic)])
        .header("Sec-Fetch-Mode", "cors")
        .header("Sec-Fetch-Site", "same-origin")
        .open();
    let id = hub.publish(&[("topic", &topic)]);
    let (events, _) = stream.rest();
    assert_eq!(events.iter().map(|event| event.id.as_str()).collect::<Vec<_>>(), [id]);
    assert!(stream.retry().is_some_and(|millis| (2_000..=8_000).contains(&millis)));
}

// It resumes from there even though it has received nothing.
fn a_native_stream_ends_with_its_position(hub: &Hub) {
    let topic = fresh("a");
    let (mut stream, first) = quiet_reader(hub, &topic);
    let last = position_at_its_end(&mut stream);
    assert_ne!(last, first);
    expect_what_was_missed(hub, &topic, &last);
}

// As when Lambda takes an environment away: the process is asked to end, and given some time.
fn a_reader_is_told_its_position_when_an_environment_ends(suite: &Suite) {
    let hub = suite.launch(&[]);
    let topic = fresh("a");
    let (mut stream, _) = quiet_reader(&hub, &topic);
    hub.ask_to_end();
    let last = position_at_its_end(&mut stream);
    hub.kill();
    hub.restart();
    expect_what_was_missed(&hub, &topic, &last);
}

// One update with `retry=0` would make them come back without a pause.
fn a_poll_never_says_less_than_the_hub_does(hub: &Hub) {
    let topic = fresh("a");
    hub.publish(&[("topic", &topic), ("retry", "0")]);
    let request = hub.subscription(&[("match", &topic), ("last_event_id", "earliest")]);
    for request in [request.clone(), request.native()] {
        let mut stream = request.open();
        let mut text = String::new();
        while let Some(chunk) = stream.chunk() {
            text.push_str(&String::from_utf8_lossy(&chunk));
        }
        let retries: Vec<u64> = text
            .lines()
            .filter_map(|line| line.strip_prefix("retry: "))
            .map(|millis| millis.parse().expect("a whole number"))
            .collect();
        assert_eq!(retries.len(), 2, "the update's, and the hub's own: {text:?}");
        assert!(retries.iter().all(|retry| (4_000..=6_000).contains(retry)), "{text:?}");
    }
}

/// A native reader of a topic, its first position, and a log that has moved since.
#[track_caller]
fn quiet_reader(hub: &Hub, topic: &str) -> (Stream, String) {
    let mut stream = hub.subscription(&[("match", topic)]).native().open();
    let first = stream.event().id;
    hub.publish(&[("topic", &fresh("other"))]);
    (stream, first)
}

/// The position that a stream ends with.
#[track_caller]
fn position_at_its_end(stream: &mut Stream) -> String {
    let (events, end) = stream.rest();
    assert_eq!(end, End::Clean);
    let last = events.last().expect("the last event is a position");
    assert_eq!((last.event_type.as_str(), last.data.as_str()), ("cinnabar", ""));
    last.id.clone()
}

#[track_caller]
fn expect_what_was_missed(hub: &Hub, topic: &str, position: &str) {
    hub.publish(&[("topic", topic), ("data", "in the gap")]);
    let request = hub.subscription(&[("match", topic)]).native();
    let mut stream = request.header("Last-Event-ID", position).open();
    let mut event = stream.event();
    while event.event_type == "cinnabar" {
        event = stream.event();
    }
    assert_eq!(event.data, "in the gap");
}

fn a_position_event_comes_when_the_log_has_moved(hub: &Hub) {
    let mut stream = hub.subscription(&[("match", &fresh("a"))]).native().open();
    let first = stream.event();
    let other = fresh("other");
    for _ in 0..6 {
        hub.publish(&[("topic", &other)]);
    }
    let second = stream.event();
    assert_eq!((first.event_type.as_str(), second.event_type.as_str()), ("cinnabar", "cinnabar"));
    assert_ne!(first.id, second.id);
}

// draft-08, "Subscribers": no later than `exp`
fn a_stream_ends_when_its_token_does(hub: &Hub) {
    let topic = fresh("a");
    let exp = now() + 4;
    let mut streams = Generation::BOTH.map(|generation| {
        let token = hub.subscriber_until(generation, &[&topic], exp);
        hub.subscription(&[("match", &topic)]).bearer(&token).open()
    });
    let id = hub.publish(&[("topic", &topic), ("private", "on")]);
    while now() < exp {
        thread::sleep(Duration::from_millis(50));
    }
    hub.publish(&[("topic", &topic), ("data", "too late")]);
    for stream in &mut streams {
        let (events, end) = stream.rest();
        let ids: Vec<&str> = events.iter().map(|event| event.id.as_str()).collect();
        assert_eq!((ids, end), (vec![id.as_str()], End::Clean));
    }
}

fn a_native_stream_ends_when_its_token_does(hub: &Hub) {
    let topic = fresh("a");
    let token = hub.subscriber_until(Generation::V1, &[&topic], now() + 4);
    let mut stream = hub
        .subscription(&[("match", &topic)])
        .native()
        .cookie("__Secure-mercure_access_token", &token)
        .open();
    let (events, end) = stream.rest();
    assert_eq!(end, End::Clean);
    assert!(events.iter().all(|event| event.event_type == "cinnabar"), "{events:?}");
    assert!(events.len() >= 2, "the last event is a position: {events:?}");
}

// "What it promises": an answer rather than a broken connection, and the stream ends by then
fn a_token_that_is_about_to_expire_gets_an_answer(hub: &Hub) {
    let topic = fresh("a");
    for native in [false, true] {
        for millis in [5, 50, 200, 500, 900, 990, 1_000, 1_010, 1_100, 1_300] {
            let exp = UNIX_EPOCH.elapsed().expect("the clock is past 1970")
                + Duration::from_millis(millis);
            let claims = json!({"mercure": {"subscribe": [topic]}, "exp": exp.as_secs_f64()});
            let token = hub.subscriber_v0(claims);
            let request = hub.subscription(&[("match", &topic)]);
            let request = if native {
                request.native().cookie("mercureAuthorization", &token)
            } else {
                request.bearer(&token)
            };
            for request in [request.clone(), request.header("Last-Event-ID", "unknown")] {
                let answer = request.send();
                assert!(matches!(answer.status, 200 | 401), "{answer}");
            }
        }
    }
}

/// Takes the hub's only stream as soon as it is free.
fn occupy(hub: &Hub) -> Stream {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let (head, body) = fetched(hub).start().expect("the hub answers");
        if head.status == 200 {
            return Stream::new(head, body);
        }
        assert!(Instant::now() < deadline, "no stream was freed");
        thread::sleep(Duration::from_millis(100));
    }
}

/// A reader that learns from the status that there is no room.
fn fetched(hub: &Hub) -> Request {
    hub.subscription(&[("match", "a")]).without_header("Accept").header("Accept", "*/*")
}

// "Passing failure of a subscription": `EventSource` gives up for good at any other status.
fn a_browser_is_asked_to_come_back_when_the_hub_is_full(hub: &Hub) {
    let _only = occupy(hub);
    let plain = || hub.subscription(&[("match", "a")]);

    // Over plain http, browsers send no `Sec-Fetch-Mode`.
    let mut stream = plain().open();
    let mut text = String::new();
    while let Some(chunk) = stream.chunk() {
        text.push_str(&String::from_utf8_lossy(&chunk));
    }
    let retry = stream.retry().expect("it is told when to come back");
    assert!((2_000..=8_000).contains(&retry), "{retry}");
    assert_eq!(text, format!(":\nretry: {retry}\n"));

    let mut stream = plain().native().header("Last-Event-ID", "my-cursor").open();
    let (events, end) = stream.rest();
    assert_eq!((events.len(), end), (1, End::Clean));
    assert_eq!(events[0].event_type, "cinnabar");
    assert_eq!(stream.last_event_id(), "my-cursor");
    assert!(stream.retry().is_some());

    // Wrappers of `fetch` take a clean end for the last word.
    let script = plain().header("Sec-Fetch-Mode", "cors").header("Sec-Fetch-Site", "same-origin");
    for request in [script, fetched(hub)] {
        let answer = request.send().expect_no_challenge(503);
        let seconds = answer.header("Retry-After").unwrap_or_default();
        assert!(seconds.parse::<u32>().is_ok_and(|seconds| seconds > 0), "{answer}");
    }
}

// Within two heartbeats, since a hub learns of it when it writes one.
fn a_stream_that_was_left_makes_room(hub: &Hub) {
    for _ in 0..2 {
        let mut stream = occupy(hub);
        assert!(matches!(stream.item(), Some(Item::Comment(_))));
    }
}
