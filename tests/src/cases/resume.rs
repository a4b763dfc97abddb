//! Resuming: where a cursor comes from, what is replayed, and what the answer says about it.
//!
//! draft-08, "Reconnection, State Reconciliation, and Event Sourcing", and "Resuming" among the
//! project's decisions.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::arguments::Capability;
use crate::case::{Case, Suite, case};
use crate::cases::silence::expect_nothing_yet;
use crate::hub::{Hub, fresh};
use crate::launch::Variables;
use crate::stream::Stream;

pub(crate) const CASES: &[Case] = &[
    case!(every_name_of_a_cursor_is_read),
    case!(the_first_cursor_that_is_not_empty_counts),
    case!(of_a_list_the_last_known_id_counts),
    case!(who_always_sends_a_list_gets_what_follows_alone),
    case!(earliest_replays_all_that_is_kept),
    case!(an_unknown_cursor_replays_all_that_is_kept),
    case!(a_repeated_id_is_its_earliest_update),
    case!(an_empty_cursor_replays_nothing),
    case!(what_was_acknowledged_is_history_at_once launching),
    case!(the_old_answer_field_comes_with_the_old_parameter),
    case!(a_cursor_comes_back_byte_for_byte).needing(&[Capability::RawRequests]),
    case!(a_cursor_of_another_topic_is_a_place_in_the_same_log),
    case!(a_replay_turns_live_without_a_gap_or_a_double),
    case!(an_empty_log_answers_earliest launching),
    case!(a_replay_is_cut_to_the_newest launching),
    case!(the_history_outlives_a_crash launching),
    case!(evicted_updates_are_unknown on SHORT).needing(&[Capability::HistorySize]),
];

const SHORT: Variables = &[("HISTORY_SIZE", "10")];
const CUT: Variables = &[("REPLAY_MAX", "3")];

/// Publishes updates with these data, and returns their ids.
fn history(hub: &Hub, topic: &str, data: &[&str]) -> Vec<String> {
    data.iter().map(|data| hub.publish(&[("topic", topic), ("data", data)])).collect()
}

/// The stream must say that it resumes from here.
#[track_caller]
fn resumed(stream: &Stream, from: &str) {
    assert_eq!(stream.header("Mercure-Last-Event-ID").as_deref(), Some(from));
}

fn every_name_of_a_cursor_is_read(hub: &Hub) {
    let topic = fresh("a");
    let ids = history(hub, &topic, &["1", "2", "3"]);
    let plain = hub.subscription(&[("match", &topic)]);
    for name in ["Last-Event-ID", "last-event-id", "LAST-EVENT-ID", "Last-Event-Id"] {
        let mut stream = plain.clone().header(name, &ids[0]).open();
        resumed(&stream, &ids[0]);
        stream.expect_data("2");
        stream.expect_data("3");
    }
    // Symfony uses the old name for its cursor even beside `match`.
    for selector in ["match", "topic"] {
        for name in ["last_event_id", "lastEventID", "lastEventId", "Last-Event-ID"] {
            let mut stream = hub.subscription(&[(selector, &topic), (name, &ids[1])]).open();
            resumed(&stream, &ids[1]);
            stream.expect_data("3");
        }
    }
}

// After a reconnection the cursors in the URL are stale; `lastEventId` is then appended to them.
fn the_first_cursor_that_is_not_empty_counts(hub: &Hub) {
    let topic = fresh("a");
    let ids = history(hub, &topic, &["1", "2"]);
    let (stale, newer) = (ids[0].as_str(), ids[1].as_str());
    let names = ["lastEventId", "last_event_id", "lastEventID", "Last-Event-ID"];
    for (position, name) in names.iter().enumerate() {
        // In the order of the query, the stale ones come first.
        let mut parameters = vec![("match", topic.as_str())];
        parameters.extend(names[position + 1..].iter().map(|name| (*name, stale)));
        parameters.push((name, newer));
        resumed(&hub.subscription(&parameters).open(), newer);

        parameters.push((name, stale));
        let with_header = hub.subscription(&parameters).header("Last-Event-ID", newer);
        resumed(&with_header.open(), newer);

        let mut parameters = vec![("match", topic.as_str()), ("last_event_id", newer)];
        parameters.extend(
            names.iter().filter(|other| **other != "last_event_id").map(|name| (*name, "")),
        );
        let with_empty_header = hub.subscription(&parameters).header("Last-Event-ID", "");
        resumed(&with_empty_header.open(), newer);
    }
}

// A client, its library and a proxy may each add the field; platforms join them.
fn of_a_list_the_last_known_id_counts(hub: &Hub) {
    let topic = fresh("a");
    let ids = history(hub, &topic, &["1", "2", "3"]);
    let (first, second) = (&ids[0], &ids[1]);
    let unknown = "urn:uuid:00000000-0000-4000-8000-000000000000";
    let plain = || hub.subscription(&[("match", &topic)]);
    for (fields, found) in [
        (vec![format!("{first}, {second}")], second),
        (vec![format!("{first},{second}")], second),
        (vec![format!("{second}, {first}")], first),
        (vec![format!("{first}, {second}, {unknown}, #x")], second),
        (vec![first.clone(), second.clone()], second),
        (vec![second.clone(), unknown.to_owned()], second),
    ] {
        let request =
            fields.iter().fold(plain(), |request, field| request.header("Last-Event-ID", field));
        let mut stream = request.open();
        resumed(&stream, found);
        stream.expect_data(if found == first { "2" } else { "3" });
    }
    let mut stream = hub
        .subscription(&[("match", &topic), ("last_event_id", &format!("{first},{second}"))])
        .open();
    resumed(&stream, second);
    stream.expect_data("3");
    // An id with commas is one id.
    let listed = hub.publish(&[("topic", &topic), ("id", &format!("{second}, {first}"))]);
    history(hub, &topic, &["4"]);
    let mut stream = plain().header("Last-Event-ID", &listed).open();
    resumed(&stream, &listed);
    stream.expect_data("4");
}

fn who_always_sends_a_list_gets_what_follows_alone(hub: &Hub) {
    let topic = fresh("a");
    let first = history(hub, &topic, &["0"]).remove(0);
    let mut newest = first.clone();
    for data in ["1", "2", "3"] {
        hub.publish(&[("topic", &topic), ("data", data)]);
        let list = format!("{first}, {newest}");
        let mut stream =
            hub.subscription(&[("match", &topic)]).header("Last-Event-ID", &list).open();
        resumed(&stream, &newest);
        newest = stream.expect_data(data);
    }
}

fn earliest_replays_all_that_is_kept(hub: &Hub) {
    let topic = fresh("a");
    let ids = history(hub, &topic, &["1", "2", "3"]);
    for request in [
        hub.subscription(&[("match", &topic), ("last_event_id", "earliest")]),
        hub.subscription(&[("topic", &topic), ("lastEventID", "earliest")]),
        hub.subscription(&[("match", &topic)]).header("Last-Event-ID", "earliest"),
    ] {
        let mut stream = request.open();
        resumed(&stream, "earliest");
        for (id, data) in ids.iter().zip(["1", "2", "3"]) {
            assert_eq!(&stream.expect_data(data), id);
        }
    }
}

fn an_unknown_cursor_replays_all_that_is_kept(hub: &Hub) {
    let topic = fresh("a");
    history(hub, &topic, &["1", "2"]);
    for cursor in ["urn:uuid:00000000-0000-4000-8000-000000000000", "#fragment", "EARLIEST", "/"] {
        let mut stream = hub.subscription(&[("match", &topic), ("last_event_id", cursor)]).open();
        resumed(&stream, "earliest");
        stream.expect_data("1");
        stream.expect_data("2");
    }
}

fn a_repeated_id_is_its_earliest_update(hub: &Hub) {
    let (topic, id) = (fresh("a"), fresh("id"));
    hub.publish(&[("topic", &topic), ("data", "0")]);
    for data in ["1", "2"] {
        hub.publish(&[("topic", &topic), ("data", data), ("id", &id)]);
    }
    let mut stream = hub.subscription(&[("match", &topic), ("last_event_id", &id)]).open();
    resumed(&stream, &id);
    assert_eq!(stream.expect_data("2"), id);
}

fn an_empty_cursor_replays_nothing(hub: &Hub) {
    let topic = fresh("a");
    history(hub, &topic, &["before"]);
    for request in [
        hub.subscription(&[("match", &topic), ("last_event_id", "")]),
        hub.subscription(&[("match", &topic), ("lastEventId", ""), ("Last-Event-ID", "")]),
        hub.subscription(&[("match", &topic)]).header("Last-Event-ID", ""),
        hub.subscription_by(&format!("match={topic}&last_event_id")),
    ] {
        let mut stream = request.open();
        // The answer has the field whenever a cursor was sent, even an empty one.
        let place = stream.header("Mercure-Last-Event-ID");
        assert!(place.is_some_and(|place| !place.is_empty()), "{request}");
        expect_nothing_yet(hub, &mut stream, &topic);
    }
    let stream = hub.subscription(&[("match", &topic)]).open();
    assert_eq!(stream.header("Mercure-Last-Event-ID"), None);
}

// An application publishes, and renders a page that subscribes from the id in the answer. On a hub
// of its own, since cases that ask a hub for its whole history would get these updates too.
fn what_was_acknowledged_is_history_at_once(suite: &Suite) {
    let hub = &suite.launch(&[]);
    let done = AtomicBool::new(false);
    let (busy, large) = (fresh("busy"), "x".repeat(100_000));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    hub.publish(&[("topic", &busy), ("private", "on"), ("data", &large)]);
                }
            });
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            for _ in 0..25 {
                let topic = fresh("a");
                let id = hub.publish(&[("topic", &topic), ("data", "before")]);
                let resuming =
                    hub.subscription(&[("match", &topic), ("last_event_id", &id)]).open();
                resumed(&resuming, &id);
                let mut new = hub.subscribe(&topic);
                expect_nothing_yet(hub, &mut new, &topic);
            }
        }));
        done.store(true, Ordering::Relaxed);
        if let Err(panic) = outcome {
            resume_unwind(panic);
        }
    });
}

fn the_old_answer_field_comes_with_the_old_parameter(hub: &Hub) {
    let topic = fresh("a");
    let ids = history(hub, &topic, &["1"]);
    let id = ids[0].as_str();
    for (parameters, old) in [
        (vec![("topic", topic.as_str()), ("lastEventID", id)], Some(id)),
        (vec![("topic", &topic), ("last_event_id", id)], Some(id)),
        (vec![("match", &topic), ("topic", "x"), ("last_event_id", id)], Some(id)),
        (vec![("match", &topic), ("lastEventID", id)], None),
    ] {
        let stream = hub.subscription(&parameters).open();
        resumed(&stream, id);
        assert_eq!(stream.header("Last-Event-ID").as_deref(), old, "{parameters:?}");
    }
    let stream = hub.subscription(&[("topic", &topic)]).open();
    assert_eq!(stream.header("Last-Event-ID"), None);
}

// Browsers send the id of an event as raw UTF-8.
fn a_cursor_comes_back_byte_for_byte(hub: &Hub) {
    for name in ["é\u{1F600}", "a b;c,d\"e", "%41+&=", "a#b"] {
        let (topic, id) = (fresh("a"), fresh(name));
        hub.publish(&[("topic", &topic), ("id", &id)]);
        hub.publish(&[("topic", &topic), ("data", "after")]);
        for request in [
            hub.subscription(&[("match", &topic)]).header("Last-Event-ID", &id),
            hub.subscription(&[("match", &topic), ("last_event_id", &id)]),
        ] {
            let mut stream = request.open();
            resumed(&stream, &id);
            stream.expect_data("after");
        }
    }
}

// draft-08, "Publication", `id`: one hub-wide sequence
fn a_cursor_of_another_topic_is_a_place_in_the_same_log(hub: &Hub) {
    let (topic, other) = (fresh("a"), fresh("other"));
    hub.publish(&[("topic", &topic), ("data", "before")]);
    let cursor = hub.publish(&[("topic", &other), ("private", "on")]);
    hub.publish(&[("topic", &topic), ("data", "after")]);
    let mut stream = hub.subscription(&[("match", &topic), ("last_event_id", &cursor)]).open();
    resumed(&stream, &cursor);
    stream.expect_data("after");
}

fn a_replay_turns_live_without_a_gap_or_a_double(hub: &Hub) {
    let topic = fresh("a");
    let count = 60;
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..count {
                hub.publish(&[("topic", &topic), ("data", &number.to_string())]);
            }
        });
        // Streams that open at different moments, and a reader that changes streams midway.
        for _ in 0..3 {
            let mut stream =
                hub.subscription(&[("match", &topic), ("last_event_id", "earliest")]).open();
            // Not the stream's last: what was written together has been read together.
            let mut cursor = String::new();
            for number in 0..count / 2 {
                cursor = stream.expect_data(&number.to_string());
            }
            drop(stream);
            let mut stream =
                hub.subscription(&[("match", &topic)]).header("Last-Event-ID", cursor).open();
            for number in count / 2..count {
                stream.expect_data(&number.to_string());
            }
        }
    });
}

fn an_empty_log_answers_earliest(suite: &Suite) {
    let hub = suite.launch(&[]);
    for cursor in ["earliest", "unknown", ""] {
        let stream = hub.subscription(&[("match", "a"), ("last_event_id", cursor)]).open();
        resumed(&stream, "earliest");
    }
    // Now there is a newest id to resume from, after which nothing is replayed.
    let id = hub.publish(&[("topic", "a"), ("private", "on")]);
    resumed(&hub.subscription(&[("match", "a"), ("last_event_id", "")]).open(), &id);
}

fn a_replay_is_cut_to_the_newest(suite: &Suite) {
    let hub = suite.launch(CUT);
    let ids = history(&hub, "a", &["1", "2", "3", "4", "5"]);
    let replay =
        |cursor: &str| hub.subscription(&[("match", "a"), ("last_event_id", cursor)]).open();
    for cursor in ["earliest", &ids[0]] {
        let mut stream = replay(cursor);
        // The id just before the first that is replayed: the answer is honest.
        resumed(&stream, &ids[1]);
        for data in ["3", "4", "5"] {
            stream.expect_data(data);
        }
    }
    replay("unknown").expect_data("3");
    let mut uncut = replay(&ids[2]);
    resumed(&uncut, &ids[2]);
    uncut.expect_data("4");
}

// "What it promises": an acknowledged update survives the death of any process
fn the_history_outlives_a_crash(suite: &Suite) {
    let hub = suite.launch(&[]);
    let mut quiet = hub.subscription(&[("match", "a")]).native().open();
    let position = quiet.event().id;
    let ids = history(&hub, "a", &["1", "2"]);
    hub.kill();
    hub.restart();
    let mut stream = hub.subscription(&[("match", "a"), ("last_event_id", "earliest")]).open();
    resumed(&stream, "earliest");
    assert_eq!([stream.expect_data("1"), stream.expect_data("2")], ids[..]);
    // Also from a position told before the restart.
    let mut stream = hub.subscription(&[("match", "a")]).header("Last-Event-ID", &position).open();
    resumed(&stream, &position);
    stream.expect_data("1");
    history(&hub, "a", &["3"]);
    stream.expect_data("2");
    stream.expect_data("3");
}

// draft-08: the field says `earliest` if the requested event was discarded
fn evicted_updates_are_unknown(hub: &Hub) {
    let topic = fresh("a");
    let first = history(hub, &topic, &["first"]).remove(0);
    // How far a hub lets its history grow past the limit is up to the hub.
    for round in 0.. {
        let newest = hub.publish(&[("topic", &topic), ("data", "more")]);
        let mut stream = hub.subscription(&[("match", &topic), ("last_event_id", &first)]).open();
        if stream.header("Mercure-Last-Event-ID").as_deref() == Some("earliest") {
            while stream.event().id != newest {}
            break;
        }
        assert!(round < 500, "nothing was evicted");
    }
}
