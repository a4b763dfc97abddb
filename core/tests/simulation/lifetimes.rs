//! How streams begin, stay alive, and end.

use std::time::Duration;

use serde_json::json;

use crate::client::Client;
use crate::world::{Ended, NATIVE, SCRIPT, World, subscriber};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_reader_that_is_not_native_is_greeted_with_a_comment_alone() {
    let mut world = World::new(&[]);
    let stream = world.subscribe("match=a", &[]);
    assert_eq!(world.take_all(stream), [":\n"]);
    assert_eq!(world.field(stream, "content-type").unwrap(), "text/event-stream");
    assert_eq!(world.field(stream, "mercure-last-event-id"), None);
}

#[test]
fn a_native_reader_is_told_its_position_first() {
    let mut world = World::new(&[]);
    let stream = world.subscribe("match=a", &NATIVE);
    let greeting = world.take_all(stream).concat();
    let (retry, rest) = greeting.strip_prefix("retry: ").unwrap().split_once('\n').unwrap();
    assert!((2_000..=8_000).contains(&retry.parse::<u32>().unwrap()));
    let id = rest.strip_prefix("event: cinnabar\ndata:\nid: #").unwrap();
    assert!(id.ends_with("\n\n"), "{rest}");
}

#[test]
fn retry_differs_from_stream_to_stream() {
    let mut world = World::new(&[]);
    let first = world.subscribe("match=a", &NATIVE);
    let second = world.subscribe("match=a", &NATIVE);
    let line = |chunks: Vec<String>| chunks[0].lines().next().unwrap().to_owned();
    assert_ne!(line(world.take_all(first)), line(world.take_all(second)));
}

#[test]
fn a_silent_stream_gets_a_comment_within_the_heartbeat() {
    let mut world = World::new(&[("HEARTBEAT", "16s")]);
    let streams = [world.subscribe("match=a", &[]), world.subscribe("match=a", &NATIVE)];
    for stream in streams {
        world.take_all(stream);
    }
    world.pass(16 * SECOND);
    for stream in streams {
        assert_eq!(world.take_all(stream), [":\n"]);
    }
    // Anything else that is written counts too.
    world.pass(10 * SECOND);
    world.publish_and_sync("topic=a");
    world.take_all(streams[0]);
    world.pass(14 * SECOND);
    assert!(world.take_all(streams[0]).is_empty());
    world.pass(2 * SECOND);
    assert_eq!(world.take_all(streams[0]), [":\n"]);
}

#[test]
fn comments_of_many_streams_share_a_write() {
    let mut world = World::new(&[("HEARTBEAT", "16s")]);
    let streams = [300, 400].map(|millis| {
        world.pass(Duration::from_millis(millis));
        world.subscribe("match=a", &[])
    });
    for stream in streams {
        world.take_all(stream);
    }
    // They arrived at 0.3 and 0.7 seconds; a comment may be early by a sixteenth of the heartbeat.
    world.pass(Duration::from_millis(15_299));
    assert!(streams.iter().all(|stream| world.connection(*stream).queue.is_empty()));
    world.pass(Duration::from_millis(1));
    for stream in streams {
        assert_eq!(world.take_all(stream), [":\n"]);
    }
}

#[test]
fn no_comment_for_who_has_not_taken_the_last() {
    let mut world = World::new(&[]);
    let stream = world.subscribe("match=a", &[]);
    world.pass(Duration::from_secs(2_000));
    assert_eq!(world.connection(stream).queue.len(), 1);
}

#[test]
fn no_stream_no_timer() {
    let mut world = World::new(&[]);
    assert_eq!(world.holder.poll_timeout(), None);
    let stream = world.subscribe("match=a", &[]);
    assert!(world.holder.poll_timeout().is_some());
    world.leave(stream);
    assert_eq!(world.holder.poll_timeout(), None);
    assert_eq!(world.holder.streams(), 0);
}

#[test]
fn a_stream_ends_within_its_lifetime_and_a_fifth() {
    let mut world = World::new(&[("STREAM_LIFETIME", "100s"), ("HEARTBEAT", "1h")]);
    let (native, other) = (world.subscribe("match=a", &NATIVE), world.subscribe("match=a", &[]));
    let _ = (world.take_all(native), world.take_all(other));
    world.pass(80 * SECOND - Duration::from_millis(1));
    assert_eq!(world.connection(native).ended, None);
    let mut last_words = [String::new(), String::new()];
    for _ in 0..41 {
        world.pass(SECOND);
        for (stream, words) in [native, other].into_iter().zip(&mut last_words) {
            words.push_str(&world.take_all(stream).concat());
        }
    }
    for stream in [native, other] {
        assert_eq!(world.connection(stream).ended, Some(Ended::Cleanly));
    }
    // The native reader is told its position last; the other when to come back, without a blank
    // line that it might take for an event.
    assert!(last_words[0].contains("event: cinnabar"));
    assert!((2_000..=8_000).contains(&retry(&last_words[1])), "{last_words:?}");
}

/// The wait that a lone `retry:` line says.
fn retry(line: &str) -> u32 {
    let millis = line.strip_prefix("retry: ").and_then(|rest| rest.strip_suffix('\n'));
    millis.expect("a line with a retry, and no more").parse().unwrap()
}

#[test]
fn who_stops_at_a_clean_end_is_cut_once_it_has_everything() {
    let mut world = World::new(&[("STREAM_LIFETIME", "10s"), ("HEARTBEAT", "1h")]);
    let script = world.subscribe("match=a", &SCRIPT);
    world.take_all(script);
    world.publish_and_sync("topic=a&id=urn:1&data=1");
    world.pass(12 * SECOND);
    assert_eq!(world.connection(script).ended, None);
    let written = world.take_all(script);
    assert_eq!(written[0], "data: 1\nid: urn:1\n\n");
    // Where a platform cannot cut, or readers poll, it is told when to come back all the same.
    assert!((2_000..=8_000).contains(&retry(&written[1])), "{written:?}");
    assert_eq!(world.connection(script).ended, Some(Ended::Cut));
}

#[test]
fn a_stream_ends_before_its_token_expires() {
    let mut world = World::new(&[("HEARTBEAT", "1h")]);
    let expires = world.now.as_millis() as f64 / 1000.0 + 60.25;
    let token = subscriber(&json!({"exp": expires, "mercure": {}}));
    let cookie = format!("mercureAuthorization={token}");
    let fields: Vec<(&str, &str)> =
        NATIVE.into_iter().chain([("cookie", cookie.as_str())]).collect();
    let stream = world.subscribe("match=a", &fields);
    world.take_all(stream);
    for _ in 0..58 {
        world.pass(SECOND);
        world.take_all(stream);
    }
    assert_eq!(world.connection(stream).ended, None);
    world.pass(2 * SECOND);
    assert!(world.take_all(stream).concat().contains("event: cinnabar"));
    assert_eq!(world.connection(stream).ended, Some(Ended::Cleanly));
}

#[test]
fn the_end_waits_for_a_reader_that_has_yet_to_take_something() {
    let mut world = World::new(&[("STREAM_LIFETIME", "10s"), ("HEARTBEAT", "1h")]);
    let (slow, stalled) =
        (world.subscribe("match=a", &NATIVE), world.subscribe("match=a", &NATIVE));
    world.pass(12 * SECOND);
    assert_eq!(world.connection(slow).ended, None);
    world.take_all(slow);
    assert_eq!(world.connection(slow).ended, Some(Ended::Cleanly));
    // But not forever.
    world.pass(10 * SECOND);
    assert_eq!(world.connection(stalled).ended, Some(Ended::Cut));
}

#[test]
fn last_words_that_are_not_taken_are_dropped_at_expiry() {
    let mut world = World::new(&[("HEARTBEAT", "1h")]);
    let expires = world.now.as_millis() / 1000 + 60;
    let cookie =
        format!("mercureAuthorization={}", subscriber(&json!({"exp": expires, "mercure": {}})));
    let fields: Vec<(&str, &str)> =
        NATIVE.into_iter().chain([("cookie", cookie.as_str())]).collect();
    let stream = world.subscribe("match=a", &fields);
    world.take_all(stream);
    world.pass(59 * SECOND + Duration::from_millis(500));
    assert_eq!(world.connection(stream).queue.len(), 1);
    // And nothing more is written after the last words.
    world.publish_and_sync("topic=a");
    assert_eq!(world.connection(stream).queue.len(), 1);
    world.pass(SECOND);
    assert_eq!(world.connection(stream).ended, Some(Ended::Cut));
}

#[test]
fn a_stream_whose_token_is_about_to_expire_says_farewell() {
    let mut world = World::new(&[]);
    let expires = world.now.as_millis() as f64 / 1000.0 + 0.3;
    let cookie =
        format!("mercureAuthorization={}", subscriber(&json!({"exp": expires, "mercure": {}})));
    let fields: Vec<(&str, &str)> =
        NATIVE.into_iter().chain([("cookie", cookie.as_str())]).collect();
    let stream = world.subscribe("match=a", &fields);
    let farewell = world.take_all(stream).concat();
    assert_eq!(farewell.matches("event: cinnabar").count(), 2);
    assert_eq!(world.connection(stream).ended, Some(Ended::Cleanly));
}

#[test]
fn nothing_is_written_after_expiry_even_if_no_timer_fired() {
    let mut world = World::new(&[]);
    let expires = world.now.as_millis() / 1000 + 60;
    let authorization = format!("Bearer {}", subscriber(&json!({"exp": expires, "mercure": {}})));
    let stream = world.subscribe("match=a", &[("authorization", &authorization)]);
    world.take_all(stream);
    // The clock moves, but no timer fires.
    world.now = world.now.plus(60 * SECOND);
    world.publish_and_sync("topic=a&data=late");
    assert_eq!(world.connection(stream).ended, Some(Ended::Cleanly));
    assert!(world.take_all(stream).is_empty());
}

#[test]
fn what_waits_at_expiry_is_dropped() {
    let mut world = World::new(&[]);
    let expires = world.now.as_millis() / 1000 + 60;
    let authorization = format!("Bearer {}", subscriber(&json!({"exp": expires, "mercure": {}})));
    let stream = world.subscribe("match=a", &[("authorization", &authorization)]);
    world.publish_and_sync("topic=a&data=waits");
    world.pass(61 * SECOND);
    assert_eq!(world.connection(stream).ended, Some(Ended::Cut));
    assert!(world.take_all(stream).is_empty());
}

#[test]
fn a_quiet_stream_is_told_when_its_last_id_grows_old() {
    let mut world = World::new(&[("HISTORY_SIZE", "40"), ("HEARTBEAT", "10s")]);
    let stream = world.subscribe("match=a", &NATIVE);
    let mut client = Client::default();
    client.read(world.take_all(stream).concat().as_bytes());
    let first = client.last_event_id.clone();
    // Updates for others: the stream sees nothing, but the log moves on.
    for _ in 0..9 {
        world.publish_and_sync("topic=b");
    }
    world.pass(10 * SECOND);
    assert_eq!(world.take_all(stream), [":\n"]);
    world.publish_and_sync("topic=b");
    world.pass(10 * SECOND);
    client.read(world.take_all(stream).concat().as_bytes());
    assert_ne!(client.last_event_id, first);
    assert!(client.updates().is_empty());
}

#[test]
fn a_last_id_grows_old_with_time_too() {
    let mut world = World::new(&[("HISTORY_AGE", "4m"), ("HEARTBEAT", "10s")]);
    let stream = world.subscribe("match=a", &NATIVE);
    world.take_all(stream);
    world.publish_and_sync("topic=b");
    let mut told = Vec::new();
    for _ in 0..7 {
        world.pass(10 * SECOND);
        told.push(world.take_all(stream).concat().contains("cinnabar"));
    }
    assert_eq!(told.iter().filter(|told| **told).count(), 1, "{told:?}");
    assert!(!told[4]);
    // The log has not moved since.
    for _ in 0..10 {
        world.pass(10 * SECOND);
        assert_eq!(world.take_all(stream), [":\n"]);
    }
}

#[test]
fn a_full_holder_asks_event_sources_to_come_back() {
    let mut world = World::new(&[("MAX_STREAMS", "1")]);
    let first = world.subscribe("match=a", &[]);
    let native = world.subscribe("match=a&lastEventId=x", &NATIVE);
    let answer = world.connection(native).unavailable.clone().unwrap();
    let body = String::from_utf8(answer.body().clone()).unwrap();
    assert_eq!(answer.status(), 200);
    assert!(body.starts_with(":\nretry: "), "{body}");
    assert!(body.ends_with("\nevent: cinnabar\ndata:\nid: x\n\n"), "{body}");
    let held = [native, world.subscribe("match=a", &NATIVE)].map(|stream| {
        let held = world.connection(stream).held;
        assert!((2 * SECOND..=5 * SECOND).contains(&held), "{held:?}");
        held
    });
    assert_ne!(held[0], held[1], "they do not come back together");

    let library = world.subscribe("match=a", &[("accept", "text/event-stream")]);
    let answer = world.connection(library).unavailable.clone().unwrap();
    let body = String::from_utf8(answer.body().clone()).unwrap();
    assert!((2_000..=8_000).contains(&retry(body.strip_prefix(":\n").unwrap())), "{body}");
    assert!(world.connection(library).held >= 2 * SECOND);

    let other = world.subscribe("match=a", &[("accept", "*/*")]);
    let answer = world.connection(other).unavailable.clone().unwrap();
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));

    world.leave(first);
    let next = world.subscribe("match=a", &[]);
    assert!(world.connection(next).head.is_some());
}

#[test]
fn a_holder_is_full_when_its_matchers_are_too_large_together() {
    let mut world = World::new(&[]);
    let long = "x".repeat(4_000);
    // As many patterns as a request may have, no two of them alike.
    let matchers = |number: usize| {
        let matcher = |part| format!("match={number}-{part}-{long}");
        (0..8).map(matcher).collect::<Vec<_>>().join("&")
    };
    let mut opened = Vec::new();
    let refused = loop {
        let stream = world.subscribe(&matchers(opened.len()), &[]);
        match &world.connection(stream).unavailable {
            None if opened.len() < 4_000 => opened.push(stream),
            refused => break refused.clone(),
        }
    };
    assert!(opened.len() > 500, "{}", opened.len());
    assert_eq!(refused.unwrap().status(), 503);
    // One that leaves makes room for another.
    world.leave(opened[0]);
    let next = world.subscribe(&matchers(0), &[]);
    assert!(world.connection(next).head.is_some());
}

#[test]
fn a_log_that_fails_is_a_passing_failure() {
    let mut world = World::new(&[]);
    world.publish_and_sync("topic=a");
    let begun = world.begin("match=a&last_event_id=earliest", &[("accept", "text/event-stream")]);
    world.fail_one();
    assert_eq!(world.connection(begun).unavailable.as_ref().unwrap().status(), 200);

    // Once open, the stream is just cut: its reader knows where it was.
    let open = world.begin("match=a&last_event_id=earliest", &[]);
    world.answer_one();
    world.take(open);
    world.take(open);
    world.fail_one();
    assert_eq!(world.connection(open).ended, Some(Ended::Cut));
    assert_eq!(world.holder.streams(), 0);
}
