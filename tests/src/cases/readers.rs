//! Native readers, which are told their position, and all others, which are not.
//!
//! Decisions of the project: the draft is silent about a reader that has received no update.

use crate::arguments::Capability;
use crate::case::{Case, case};
use crate::http::Request;
use crate::hub::{Hub, fresh};
use crate::launch::Variables;
use crate::stream::Stream;
use crate::token::Generation;

pub(crate) const CASES: &[Case] = &[
    case!(a_native_reader_is_told_its_position_first),
    case!(the_position_is_one_silent_event_with_a_retry).needing(&[Capability::Chunks]),
    case!(a_quiet_native_reader_resumes_from_its_position),
    case!(positions_disclose_nothing_and_cannot_be_forged),
    case!(each_native_stream_has_its_own_retry),
    case!(no_other_reader_is_told_a_position),
    case!(a_native_reader_with_a_cursor_is_replayed_first),
    case!(updates_that_wait_reach_a_native_reader_together on ALWAYS)
        .needing(&[Capability::Chunks]),
    case!(updates_that_wait_reach_any_other_reader_together on NEVER)
        .needing(&[Capability::Chunks]),
    case!(every_reader_can_be_native on ALWAYS),
    case!(no_reader_need_be_native on NEVER),
];

const ALWAYS: Variables = &[("NATIVE_READERS", "always"), ("CORS_ORIGINS", "*")];
const NEVER: Variables = &[("NATIVE_READERS", "never")];

/// Reads the position event that must come first, and returns its cursor.
#[track_caller]
fn position(stream: &mut Stream) -> String {
    let event = stream.event();
    assert_eq!((event.event_type.as_str(), event.data.as_str()), ("cinnabar", ""));
    assert!(event.id.starts_with('#'), "{event:?}");
    let retry = stream.retry().expect("a position event holds a retry");
    assert!((2_000..=8_000).contains(&retry), "{retry}");
    event.id
}

fn a_native_reader_is_told_its_position_first(hub: &Hub) {
    let mut stream = hub.subscription(&[("match", &fresh("a"))]).native().open();
    position(&mut stream);
    // Whatever the other fields say, this is a browser.
    for mode in ["cors", "no-cors", "same-origin", "navigate"] {
        let mut stream = hub
            .subscription(&[("topic", &fresh("a"))])
            .header("Cache-Control", "max-age=0, no-cache")
            .header("Sec-Fetch-Mode", mode)
            .header("Sec-Fetch-Site", "cross-site")
            .open();
        position(&mut stream);
    }
}

fn the_position_is_one_silent_event_with_a_retry(hub: &Hub) {
    let mut stream = hub.subscription(&[("match", &fresh("a"))]).native().open();
    let chunk = stream.text_chunk();
    let retry = stream.retry().unwrap_or_default();
    let id = stream.last_event_id().to_owned();
    assert_eq!(chunk, format!("retry: {retry}\nevent: cinnabar\ndata:\nid: {id}\n\n"));
}

fn a_quiet_native_reader_resumes_from_its_position(hub: &Hub) {
    let topic = fresh("a");
    hub.publish(&[("topic", &topic), ("data", "before")]);
    let request = hub.subscription(&[("match", &topic)]).native();
    let mut stream = request.open();
    let cursor = position(&mut stream);
    drop(stream);

    hub.publish(&[("topic", &topic), ("data", "in the gap")]);
    let mut stream = request.clone().header("Last-Event-ID", &cursor).open();
    assert_eq!(stream.header("Mercure-Last-Event-ID"), Some(cursor));
    let mut event = stream.event();
    // It may be told its position once more, before or after.
    while event.event_type == "cinnabar" {
        event = stream.event();
    }
    assert_eq!(event.data, "in the gap");
}

// A forged position is an unknown id: the whole history is replayed.
fn positions_disclose_nothing_and_cannot_be_forged(hub: &Hub) {
    let topic = fresh("a");
    hub.publish(&[("topic", &topic), ("data", "x")]);
    for forged in ["#", "#1", "#AAAAAAAAAAAAAAAAAAAAAA", "#AAAAAAAAAAAAAAAAAAAAAA==", "#é"] {
        let mut stream =
            hub.subscription(&[("match", &topic)]).header("Last-Event-ID", forged).open();
        assert_eq!(stream.header("Mercure-Last-Event-ID").as_deref(), Some("earliest"), "{forged}");
        stream.expect_data("x");
    }
}

// So that a deployment does not bring them all back at once
fn each_native_stream_has_its_own_retry(hub: &Hub) {
    let retries: Vec<Option<u64>> = (0..8)
        .map(|_| {
            let mut stream = hub.subscription(&[("match", "a")]).native().open();
            position(&mut stream);
            stream.retry()
        })
        .collect();
    assert!(retries.iter().any(|retry| *retry != retries[0]), "{retries:?}");
}

fn no_other_reader_is_told_a_position(hub: &Hub) {
    let topic = fresh("a");
    let plain = || hub.subscription(&[("match", &topic)]);
    let no_accept = || plain().without_header("Accept");
    let cached = |request: Request| request.header("Cache-Control", "no-cache");
    let in_node = |request: Request| request.header("Sec-Fetch-Mode", "cors");
    let fetched = |request: Request| in_node(request).header("Sec-Fetch-Site", "same-origin");
    let token = hub.subscriber(Generation::V0, &[&topic]);
    for request in [
        plain(),
        cached(plain()),
        in_node(cached(plain())),
        fetched(plain()),
        fetched(plain()).header("Cache-Control", "no-store"),
        cached(fetched(no_accept())),
        cached(fetched(no_accept())).header("Accept", "*/*"),
        cached(fetched(no_accept())).header("Accept", "text/event-stream, */*"),
        cached(fetched(plain())).bearer(&token),
    ] {
        let mut stream = request.open();
        let id = hub.publish(&[("topic", &topic)]);
        let event = stream.event();
        assert_eq!((event.id, stream.retry()), (id, None), "{request}");
    }
}

fn a_native_reader_with_a_cursor_is_replayed_first(hub: &Hub) {
    let topic = fresh("a");
    let first = hub.publish(&[("topic", &topic), ("data", "1")]);
    let second = hub.publish(&[("topic", &topic), ("data", "2")]);
    let mut stream =
        hub.subscription(&[("match", &topic)]).native().header("Last-Event-ID", &first).open();
    hub.publish(&[("topic", &topic), ("data", "3")]);
    let mut received = Vec::new();
    while received.len() < 2 {
        let event = stream.event();
        if event.event_type != "cinnabar" {
            received.push((event.id, event.data));
        }
    }
    assert_eq!(received[0], (second, "2".to_owned()));
    assert_eq!(received[1].1, "3");
}

fn updates_that_wait_reach_a_native_reader_together(hub: &Hub) {
    leave_together(hub, |stream| {
        position(stream);
    });
}

fn updates_that_wait_reach_any_other_reader_together(hub: &Hub) {
    leave_together(hub, |stream| assert_eq!(stream.text_chunk(), ":\n"));
}

/// Updates that wait come in one chunk, behind the first bytes, which come alone. On hubs with few
/// updates: history is read page by page, and large updates fill a page.
#[track_caller]
fn leave_together(hub: &Hub, greeted: impl Fn(&mut Stream)) {
    let topic = fresh("a");
    let mut live = hub.subscribe(&topic);
    greeted(&mut live);
    for data in ["1", "2", "3"] {
        hub.publish(&[("topic", &topic), ("data", data)]);
        live.expect_data(data);
    }
    let mut stream = hub.subscription(&[("match", &topic), ("last_event_id", "earliest")]).open();
    greeted(&mut stream);
    let chunk = stream.text_chunk();
    assert_eq!(chunk.matches("\n\n").count(), 3, "{chunk:?}");
    for data in ["1", "2", "3"] {
        stream.expect_data(data);
    }
}

fn every_reader_can_be_native(hub: &Hub) {
    let mut stream = hub.subscription(&[("match", "a")]).open();
    position(&mut stream);
}

fn no_reader_need_be_native(hub: &Hub) {
    let topic = fresh("a");
    let mut stream = hub.subscription(&[("match", &topic)]).native().open();
    let id = hub.publish(&[("topic", &topic)]);
    assert_eq!((stream.event().id, stream.retry()), (id, None));
}
