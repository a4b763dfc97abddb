//! The task that owns streams, over a log in memory and in simulated time.

#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "all of it is a test")]

mod clock;
mod followed;
mod hub;
mod memory;

use std::time::Duration;

use cinnabar_runtime::{Fault, MOST_ARRIVALS, Opened};
use tokio::task::{JoinSet, yield_now};
use tokio::time::{Instant, sleep, timeout};

use crate::clock::now;
use crate::hub::{Hub, NATIVE};
use crate::memory::Memory;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_stream_begins_at_the_head_and_takes_what_comes() {
    let hub = Hub::new(&[]);
    hub.log.publish("urn:1", "a");
    let mut reader = hub.subscribe("match=a", &[]).await;
    assert_eq!(reader.next().await, ":\n");
    hub.log.publish("urn:2", "b");
    hub.log.publish("urn:3", "a");
    assert_eq!(reader.next().await, "data: \nid: urn:3\n\n");
}

#[tokio::test(start_paused = true)]
async fn a_later_subscriber_gets_nothing_older_than_itself() {
    let hub = Hub::new(&[]);
    let mut early = hub.subscribe("match=a", &[]).await;
    assert_eq!(early.next().await, ":\n");
    hub.log.publish("urn:1", "a");
    // Before the next look at the log.
    let mut late = hub.subscribe("match=a", &[]).await;
    assert_eq!(late.next().await, ":\n");
    assert_eq!(early.next().await, "data: \nid: urn:1\n\n");
    hub.log.publish("urn:2", "a");
    for reader in [&mut early, &mut late] {
        assert_eq!(reader.next().await, "data: \nid: urn:2\n\n");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_resumes_and_goes_on_live() {
    let hub = Hub::new(&[]);
    for id in ["urn:1", "urn:2", "urn:3"] {
        hub.log.publish(id, "a");
    }
    let mut reader = hub.subscribe("match=a", &[("last-event-id", "urn:1")]).await;
    assert_eq!(reader.field("mercure-last-event-id"), Some("urn:1"));
    assert_eq!(reader.next().await, ":\n");
    // What waits comes as one chunk, behind the first.
    let replayed = ["urn:2", "urn:3"].map(|id| format!("data: \nid: {id}\n\n"));
    assert_eq!(reader.next().await, replayed.concat());
    hub.log.publish("urn:4", "a");
    assert_eq!(reader.next().await, "data: \nid: urn:4\n\n");
}

#[tokio::test(start_paused = true)]
async fn nobody_asks_the_log_without_streams() {
    let hub = Hub::new(&[]);
    sleep(60 * SECOND).await;
    assert_eq!(hub.log.polls(), 0);
    let mut first = hub.subscribe("match=a", &[]).await;
    let mut second = hub.subscribe("match=a", &[]).await;
    let _ = (first.next().await, second.next().await);
    sleep(10 * SECOND).await;
    assert!(hub.log.polls() > 5);
    drop(first);
    sleep(10 * SECOND).await;
    let polls = hub.log.polls();
    assert!(polls > 10);
    drop(second);
    sleep(60 * SECOND).await;
    assert!(hub.log.polls() <= polls + 1, "{polls}, {}", hub.log.polls());

    // The next holder begins where the log ends then.
    hub.log.publish("urn:1", "a");
    let mut third = hub.subscribe("match=a", &[]).await;
    assert_eq!(third.next().await, ":\n");
    hub.log.publish("urn:2", "a");
    assert_eq!(third.next().await, "data: \nid: urn:2\n\n");
}

#[tokio::test(start_paused = true)]
async fn looks_become_rarer_while_nothing_comes_and_when_they_fail() {
    let hub = Hub::new(&[("HEARTBEAT", "1h")]);
    let mut reader = hub.subscribe("match=a", &[]).await;
    reader.next().await;
    sleep(60 * SECOND).await;
    let quiet = hub.log.polls();
    assert!((60..80).contains(&quiet), "{quiet}");
    hub.log.fail(Fault::Passing);
    sleep(60 * SECOND).await;
    let failing = hub.log.polls() - quiet;
    assert!((6..25).contains(&failing), "{failing}");
    // Streams outlive it.
    hub.log.fail(None);
    hub.log.publish("urn:1", "a");
    assert_eq!(reader.next().await, "data: \nid: urn:1\n\n");
}

#[tokio::test(start_paused = true)]
async fn a_log_that_fails_is_a_passing_failure() {
    let hub = Hub::new(&[]);
    hub.log.fail(Fault::Passing);
    assert!(matches!(hub.open("match=a", &[]).await, Opened::Answer(_)));
    hub.log.fail(None);
    let mut reader = hub.subscribe("match=a", &[]).await;
    assert_eq!(reader.next().await, ":\n");
    hub.log.fail(Fault::Passing);
    let opened = hub.open("match=a", &[("last-event-id", "urn:1")]).await;
    assert!(matches!(opened, Opened::Answer(_)));
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_before_its_deadline_with_its_position() {
    let hub = Hub::new(&[("HEARTBEAT", "1h")]);
    let begin = Instant::now();
    let mut reader = hub.subscribe_until("match=a", &NATIVE, 60 * SECOND).await;
    assert!(reader.next().await.contains("event: cinnabar"));
    assert!(reader.next().await.contains("event: cinnabar"));
    assert_eq!(reader.end().await, Vec::<String>::new());
    assert!((57 * SECOND..60 * SECOND).contains(&begin.elapsed()), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_takes_nothing_is_cut_at_the_deadline() {
    let hub = Hub::new(&[]);
    let mut reader = hub.subscribe_until("match=a", &[], 60 * SECOND).await;
    hub.log.publish("urn:1", "a");
    sleep(60 * SECOND).await;
    assert_eq!(reader.end().await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn polls_end_by_themselves() {
    let hub = Hub::new(&[("STREAM_LIFETIME", "0")]);
    let begin = Instant::now();
    let mut reader = hub.subscribe("match=a", &NATIVE).await;
    let chunks = reader.end().await;
    assert_eq!(chunks[0], ":\n");
    let cursor = chunks[1].split("id: ").nth(1).unwrap().lines().next().unwrap().to_owned();
    hub.log.publish("urn:1", "a");
    let fields = [NATIVE.as_slice(), &[("last-event-id", &cursor)]].concat();
    let mut reader = hub.subscribe("match=a", &fields).await;
    assert!(reader.end().await.concat().contains("data: \nid: urn:1\n\nretry: "));
    assert!(begin.elapsed() < SECOND);
    sleep(SECOND).await;
    assert_eq!(hub.log.polls(), 0);
}

#[tokio::test(start_paused = true)]
async fn numbers_without_updates_are_passed() {
    let hub = Hub::new(&[]);
    let mut reader = hub.subscribe("match=a", &[]).await;
    reader.next().await;
    hub.log.seal();
    sleep(2 * SECOND).await;
    // It is live at the place after the sealed number, and so is a subscriber that comes now.
    let mut other = hub.subscribe("match=a", &[]).await;
    other.next().await;
    hub.log.publish("urn:2", "a");
    for reader in [&mut reader, &mut other] {
        assert_eq!(reader.next().await, "data: \nid: urn:2\n\n");
    }
}

#[tokio::test(start_paused = true)]
async fn streams_end_with_the_process_and_no_more_are_opened() {
    let hub = Hub::new(&[]);
    let mut native = hub.subscribe("match=a", &NATIVE).await;
    native.next().await;
    let mut other = hub.subscribe("match=a", &[]).await;
    other.next().await;
    let streams = hub.streams.clone();
    let done = tokio::spawn(async move { streams.shut_down().await });
    let last_words = native.end().await;
    assert!(last_words.concat().contains("event: cinnabar\ndata:\nid: #"), "{last_words:?}");
    assert!(other.end().await.concat().starts_with("retry: "));
    done.await.unwrap();
    assert!(matches!(hub.open("match=a", &[]).await, Opened::Answer(_)));
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_process_does_not_wait_for_the_log() {
    let hub = Hub::new(&[]);
    let mut reader = hub.subscribe("match=a", &[]).await;
    reader.next().await;
    hub.log.hang(true);
    let waiting = tokio::spawn({
        let hub = hub.clone();
        async move { hub.open("match=a", &[]).await }
    });
    yield_now().await;
    let done = tokio::spawn(async move { hub.streams.shut_down().await });
    assert!(matches!(waiting.await.unwrap(), Opened::Answer(_)));
    assert!(reader.end().await.concat().starts_with("retry: "));
    timeout(60 * SECOND, done).await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_waits_outlives_the_last_stream() {
    let hub = Hub::new(&[]);
    let mut first = hub.subscribe("match=a", &[]).await;
    first.next().await;
    hub.log.hang(true);
    let waiting = tokio::spawn({
        let hub = hub.clone();
        async move { hub.subscribe("match=a", &[]).await }
    });
    yield_now().await;
    drop(first);
    sleep(SECOND).await;
    hub.log.hang(false);
    let mut second = timeout(60 * SECOND, waiting).await.unwrap().unwrap();
    assert_eq!(second.next().await, ":\n");
    hub.log.publish("urn:1", "a");
    assert_eq!(second.next().await, "data: \nid: urn:1\n\n");
}

#[tokio::test(start_paused = true)]
async fn past_the_bound_subscribers_are_asked_to_come_back_at_once() {
    let hub = Hub::new(&[("MAX_STREAMS", "100000")]);
    hub.log.hang(true);
    let mut waiting = JoinSet::new();
    for _ in 0..MOST_ARRIVALS {
        let hub = hub.clone();
        waiting.spawn(async move { hub.subscribe("match=a", &[]).await });
    }
    // Some of them wait for a lookup, and all others for the next.
    sleep(SECOND).await;
    let at_once = timeout(Duration::ZERO, hub.open("match=a", &[])).await;
    assert!(matches!(at_once, Ok(Opened::Answer(_))));
    hub.log.hang(false);
    assert_eq!(waiting.join_all().await.len(), MOST_ARRIVALS as usize);
    // Streams do not wait, so there is room again.
    hub.subscribe("match=a", &[]).await.next().await;
}

#[tokio::test(start_paused = true)]
async fn subscribers_with_large_matchers_take_more_of_the_room() {
    let hub = Hub::new(&[("MAX_STREAMS", "100000")]);
    hub.log.hang(true);
    let matchers: Vec<String> =
        (0..7).map(|number| format!("match={number}{}", "x".repeat(4_000))).collect();
    let query = matchers.join("&");
    let mut waiting = JoinSet::new();
    for _ in 0..MOST_ARRIVALS {
        let (hub, query) = (hub.clone(), query.clone());
        waiting.spawn(async move { hub.open(&query, &[]).await });
    }
    sleep(SECOND).await;
    let mut refused = 0;
    while let Some(opened) = waiting.try_join_next() {
        assert!(matches!(opened, Ok(Opened::Answer(_))));
        refused += 1;
    }
    assert!((100..300).contains(&refused), "{refused}");
    hub.log.hang(false);
    assert_eq!(waiting.join_all().await.len() + refused, MOST_ARRIVALS as usize);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_calls_is_heard_at_once() {
    let hub = Hub::over(Memory::calling(), &[("HEARTBEAT", "1h")]);
    hub.log.publish("urn:1", "a");
    let mut reader = hub.subscribe("match=a", &[("last-event-id", "earliest")]).await;
    assert_eq!(reader.next().await, ":\n");
    assert_eq!(reader.next().await, "data: \nid: urn:1\n\n");
    sleep(60 * SECOND).await;
    let begin = Instant::now();
    for id in ["urn:2", "urn:3"] {
        hub.log.publish(id, "a");
        assert_eq!(reader.next().await, format!("data: \nid: {id}\n\n"));
    }
    assert!(begin.elapsed() < Duration::from_millis(5), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_position_that_is_told_is_as_old_as_the_last_look() {
    let hub = Hub::new(&[("HEARTBEAT", "1h")]);
    let begin = now();
    let mut reader = hub.subscribe_until("match=a", &NATIVE, 600 * SECOND).await;
    sleep(100 * SECOND).await;
    hub.log.fail(Fault::Passing);
    let failing = now();
    let told = reader.end().await.concat();
    assert!(now() > failing.plus(400 * SECOND));
    hub.log.fail(None);
    let cursor = told.split("id: ").last().and_then(|rest| rest.lines().next()).unwrap();
    let fields = [NATIVE.as_slice(), &[("last-event-id", cursor)]].concat();
    hub.subscribe("match=a", &fields).await;
    let since = hub.log.told().unwrap().since;
    assert!(since > begin.plus(90 * SECOND) && since <= failing, "{begin:?} {since:?} {failing:?}");
}

#[tokio::test(start_paused = true)]
async fn a_tail_that_was_overtaken_cuts_streams_and_others_are_opened() {
    for log in [Memory::default(), Memory::calling()] {
        let hub = Hub::over(log, &[]);
        let mut reader = hub.subscribe("match=a", &[]).await;
        assert_eq!(reader.next().await, ":\n");
        hub.log.fail(Fault::Overtaken);
        assert_eq!(timeout(SECOND, reader.end()).await, Ok(Vec::new()));
        hub.log.fail(None);
        hub.log.publish("urn:1", "a");
        let mut reader = hub.subscribe("match=a", &[]).await;
        assert_eq!(reader.next().await, ":\n");
        hub.log.publish("urn:2", "a");
        assert_eq!(reader.next().await, "data: \nid: urn:2\n\n");
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_cuts_streams_and_others_are_opened() {
    let hub = Hub::new(&[]);
    let mut reader = hub.subscribe("match=a", &[]).await;
    assert_eq!(reader.next().await, ":\n");
    let opened = hub.open("match=a", &[("last-event-id", memory::PANIC)]).await;
    assert!(matches!(opened, Opened::Answer(_)));
    assert_eq!(reader.end().await, Vec::<String>::new());
    let mut reader = hub.subscribe("match=a", &[]).await;
    assert_eq!(reader.next().await, ":\n");
}

/// The events of beginnings and ends that a stream was sent.
fn told(chunks: &str) -> (usize, usize) {
    (chunks.matches("\"active\":true").count(), chunks.matches("\"active\":false").count())
}

const PRESENT: [(&str, &str); 2] = [
    ("SUBSCRIPTIONS", "1"),
    ("MERCURE_SUBSCRIBER_JWT_KEY", "a subscribers' key of thirty-two bytes"),
];

/// A 0.x token of that key, which grants every topic.
const ALL: (&str, &str) = (
    "authorization",
    "Bearer eyJhbGciOiJIUzI1NiJ9.eyJtZXJjdXJlIjp7InN1YnNjcmliZSI6WyIqIl19fQ.X6A7fWu7KLm5B3m5yZysU9MCHu08ZyV61NHEi103uCE",
);

#[tokio::test(start_paused = true)]
async fn others_are_told_who_comes_and_goes() {
    for log in [Memory::default(), Memory::calling()] {
        let hub = Hub::over(log, &PRESENT);
        let members = "match_urlpattern=/.well-known/mercure/subscriptions/exact/a/:s";
        let mut watcher = hub.subscribe(members, &[ALL]).await;
        assert_eq!(watcher.next().await, ":\n");
        let member = hub.subscribe("match=a", &[]).await;
        assert_eq!(told(&watcher.next().await), (1, 0));
        assert_eq!(hub.log.active(), 2, "it is noted once its stream is open");
        drop(member);
        assert_eq!(told(&watcher.next().await), (0, 1));
        drop(watcher);
        hub.streams.shut_down().await;
        assert_eq!(hub.log.active(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn who_cannot_be_noted_is_asked_to_come_back() {
    let hub = Hub::over(Memory::calling(), &PRESENT);
    let mut first = hub.subscribe("match=a", &[]).await;
    assert_eq!(first.next().await, ":\n");
    hub.log.refuse(true);
    assert!(matches!(hub.open("match=a", &[]).await, Opened::Answer(_)));
    // Nor can it be told that the first has gone; but that is tried again.
    drop(first);
    sleep(30 * SECOND).await;
    assert_eq!(hub.log.active(), 1);
    hub.log.refuse(false);
    sleep(30 * SECOND).await;
    assert_eq!(hub.log.active(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_a_killed_process_left_behind_ends() {
    let log = Memory::calling();
    let killed = Hub::over(log.clone(), &PRESENT);
    let readers = [killed.subscribe("match=a&match=b", &[]).await];
    assert_eq!(log.active(), 2);
    // Nothing of it runs any more.
    std::mem::forget(readers);
    let hub = Hub::over(log.clone(), &PRESENT);
    let _here = hub.subscribe("match=c", &[]).await;
    sleep(SECOND).await;
    assert_eq!(log.active(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_registration_that_outlives_its_stream_is_undone_once_it_is_over() {
    let hub = Hub::over(Memory::calling(), &PRESENT);
    hub.log.hold(true);
    let waiting = tokio::spawn({
        let hub = hub.clone();
        async move { hub.open("match=a", &[]).await }
    });
    sleep(SECOND).await;
    hub.log.fail(Fault::Overtaken);
    assert!(matches!(waiting.await.unwrap(), Opened::Answer(_)));
    hub.log.fail(None);
    // Whoever looks finds it noted, and no stream that has it. But it has yet to begin.
    sleep(30 * SECOND).await;
    assert_eq!((hub.log.untold(), hub.log.active()), (1, 0));
    hub.log.hold(false);
    sleep(SECOND).await;
    assert_eq!((hub.log.untold(), hub.log.active()), (0, 0));
}
