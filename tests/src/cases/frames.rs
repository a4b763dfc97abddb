//! The bytes of a stream: how an update is written, and that no publisher can write anything else.

use crate::arguments::Capability;
use crate::case::{Case, case};
use crate::cases::silence::expect_nothing_yet;
use crate::hub::{Hub, fresh};

pub(crate) const CASES: &[Case] = &[
    case!(a_stream_opens_with_a_comment_alone).needing(&[Capability::Chunks]),
    case!(an_update_is_one_chunk_of_ordered_fields).needing(&[Capability::Chunks]),
    case!(the_answer_is_an_event_stream_that_nobody_keeps),
    case!(no_retry_makes_readers_come_back_without_a_pause),
    case!(data_is_split_at_every_line_break),
    case!(data_cannot_forge_a_field),
    case!(data_comes_out_as_it_went_in),
    case!(a_large_update_arrives_whole),
];

// A reader that takes every chunk for one event must not lose an event behind the comment.
fn a_stream_opens_with_a_comment_alone(hub: &Hub) {
    let mut stream = hub.subscribe(&fresh("a"));
    assert_eq!(stream.text_chunk(), ":\n");
}

// "Bytes of a stream": event, retry, data, and id last, since an id counts for some once its line
// has arrived
fn an_update_is_one_chunk_of_ordered_fields(hub: &Hub) {
    let topic = fresh("a");
    let mut stream = hub.subscribe(&topic);
    assert_eq!(stream.text_chunk(), ":\n");

    hub.publish(&[
        ("data", "one\ntwo"),
        ("id", "1"),
        ("retry", "5000"),
        ("type", "news"),
        ("topic", &topic),
    ]);
    let all = "event: news\nretry: 5000\ndata: one\ndata: two\nid: 1\n\n";
    assert_eq!(stream.text_chunk(), all);

    hub.publish(&[("topic", &topic), ("data", "x"), ("id", "é")]);
    assert_eq!(stream.text_chunk(), "data: x\nid: é\n\n");
}

fn the_answer_is_an_event_stream_that_nobody_keeps(hub: &Hub) {
    let stream = hub.subscribe(&fresh("a"));
    // Some compare it as a whole.
    assert_eq!(stream.header("Content-Type").as_deref(), Some("text/event-stream"));
    assert!(stream.head.lists("Cache-Control", "no-store"), "{:?}", stream.head);
    assert_eq!(stream.header("Content-Encoding"), None);
    assert_eq!(stream.header("Content-Length"), None);
}

// Readers obey a zero, for ever.
fn no_retry_makes_readers_come_back_without_a_pause(hub: &Hub) {
    let topic = fresh("a");
    let mut stream = hub.subscribe(&topic);
    for (published, said) in [("0", 1_000), ("999", 1_000), ("1000", 1_000), ("1001", 1_001)] {
        hub.publish(&[("topic", &topic), ("data", published), ("retry", published)]);
        stream.expect_data(published);
        assert_eq!(stream.retry(), Some(said));
    }
}

// draft-08, "Publication", `data`: CR, LF and CRLF
fn data_is_split_at_every_line_break(hub: &Hub) {
    let topic = fresh("a");
    let mut stream = hub.subscribe(&topic);
    for (sent, received) in [
        ("a\nb", "a\nb"),
        ("a\rb", "a\nb"),
        ("a\r\nb", "a\nb"),
        ("a\n\rb", "a\n\nb"),
        ("a\r\r\n\nb", "a\n\n\nb"),
        ("\na\n", "\na\n"),
        ("\n", "\n"),
        ("a\u{85}b\u{2028}c\u{B}d", "a\u{85}b\u{2028}c\u{B}d"),
    ] {
        hub.publish(&[("topic", &topic), ("data", sent)]);
        stream.expect_data(received);
    }
}

// draft-08, "Server-Sent Events Field Injection"
fn data_cannot_forge_a_field(hub: &Hub) {
    let topic = fresh("a");
    let mut stream = hub.subscribe(&topic);
    for line_break in ["\n", "\r", "\r\n", "\n\n", "\r\r", "\r\n\r\n"] {
        for field in ["event: mercure", "id: forged", "retry: 1", ": comment", "data: more"] {
            let data = format!("x{line_break}{field}{line_break}{line_break}{field}");
            let id = hub.publish(&[("topic", &topic), ("data", &data)]);
            let event = stream.event();
            assert_eq!((event.event_type.as_str(), &event.id), ("message", &id), "{data:?}");
            assert!(event.data.ends_with(field), "{event:?}");
            assert_eq!(stream.retry(), None, "{data:?}");
        }
    }
    expect_nothing_yet(hub, &mut stream, &topic);
}

fn data_comes_out_as_it_went_in(hub: &Hub) {
    let topic = fresh("a");
    let mut stream = hub.subscribe(&topic);
    for data in [
        " leading and trailing ",
        ":",
        "data: x",
        "\u{FEFF}bom",
        "a\0b",
        "\t",
        "é\u{1F600}\u{10FFFF}\u{200B}",
        r#"{"a":"b"}"#,
    ] {
        hub.publish(&[("topic", &topic), ("data", data)]);
        stream.expect_data(data);
    }
}

fn a_large_update_arrives_whole(hub: &Hub) {
    let topic = fresh("a");
    let mut stream = hub.subscribe(&topic);
    let size = (hub.limits.max_request_body_size / 2).min(hub.limits.max_update_size - 1024);
    let data = "0123456789abcdef".repeat(size / 16);
    hub.publish(&[("topic", &topic), ("data", &data)]);
    assert!(stream.event().data == data, "the data differs");
}
