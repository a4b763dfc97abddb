//! What readers deliver when numbers are missing, calls fail and answers are stale.

use std::sync::Arc;
use std::time::Duration;

use cinnabar_aws::log::{Clock, Log, LogError};
use cinnabar_core::{Fetch, IdOrigin, Page, PageLimit, Position, StreamId, Timestamp};

use crate::clock::TestClock;
use crate::local::{Table, place, read_through, subscribe, update};
use crate::proxy::{Fate, Proxy};

/// All updates after one position up to another, for a stream that arrives now.
fn whole(clock: &TestClock, after: u64, through: u64) -> Fetch {
    let limit = PageLimit { updates: 500, bytes: 1 << 20 };
    let (after, through) = (Position::new(after), Position::new(through));
    Fetch { stream: StreamId::new(1), after, through, limit, as_of: clock.now().wall }
}

fn ids(page: &Page) -> Vec<&str> {
    page.updates.iter().map(|appended| appended.update.id().as_str()).collect()
}

async fn publish(log: &Log, updates: &[&str]) {
    for id in updates {
        log.append(&update(id), IdOrigin::Publisher).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_number_of_a_publisher_that_died_is_sealed() {
    let table = Table::create().await;
    let clock = TestClock::new();
    let log = table.log(&clock);
    publish(&log, &["a"]).await;
    table.take_number().await;
    publish(&log, &["b"]).await;
    let mut tail = log.tail(place(Position::START, &clock));
    let read = tail.poll().await.unwrap();
    assert_eq!((read.updates.len(), read.reached, read.hole), (1, Position::new(1), true));
    let read = tail.poll().await.unwrap();
    assert_eq!((read.updates.len(), read.hole), (0, true), "it has to last");
    clock.advance(Duration::from_secs(2));
    let read = tail.poll().await.unwrap();
    assert_eq!((read.updates.len(), read.reached, read.hole), (1, Position::new(3), false));

    let tombstone = table.item(2).await.unwrap();
    let mut names: Vec<_> = tombstone.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["a", "k", "n", "s", "ttl", "x"]);
    let number = |name: &str| tombstone[name].as_n().unwrap().parse::<u64>().unwrap();
    assert!(number("ttl") * 1_000 >= number("a") + 600_000 + 3_600_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_that_seal_at_once_agree() {
    let table = Table::create().await;
    let log = table.log(&TestClock::new());
    for id in ["a", "b", "c", "d"] {
        table.take_number().await;
        publish(&log, &[id]).await;
    }
    let through = Position::new(8);
    let readers = (0..4).map(|_| {
        let clock = TestClock::new();
        let log = table.log(&clock);
        tokio::spawn(async move { read_through(&log, &clock, Position::START, through).await })
    });
    for reader in readers.collect::<Vec<_>>() {
        assert_eq!(reader.await.unwrap(), ["a", "b", "c", "d"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_stale_poll_does_not_show_is_not_skipped() {
    let table = Table::create().await;
    let log = table.log(&TestClock::new());
    publish(&log, &["a", "b", "c", "d"]).await;
    for hidden in [vec![1], vec![2], vec![1, 3], vec![4], vec![3, 4], vec![1, 2, 3, 4]] {
        let proxy = {
            let hidden = hidden.clone();
            let mut stale = 3;
            Proxy::new(table.port, move |call| {
                if call.operation == "Query" && stale > 0 {
                    stale -= 1;
                    return Fate::Hide(hidden.clone());
                }
                assert_ne!(call.operation, "PutItem", "sealed a number that holds an update");
                Fate::Pass
            })
            .await
        };
        let clock = TestClock::new();
        let reader = table.log_through(&proxy, &clock);
        let read = read_through(&reader, &clock, Position::START, Position::new(4)).await;
        assert_eq!(read, ["a", "b", "c", "d"], "{hidden:?}");
        proxy.decide({
            let mut stale = 3;
            move |call| {
                assert_ne!(call.operation, "PutItem", "sealed a number that holds an update");
                stale -= if call.operation == "Query" && stale > 0 { 1 } else { 0 };
                if stale > 0 { Fate::Hide(hidden.clone()) } else { Fate::Pass }
            }
        });
        let mut read = Vec::new();
        let mut reached = 0;
        while reached < 4 {
            let page = reader.page(&whole(&clock, reached, 4), &subscribe("other")).await.unwrap();
            assert!(page.reached.get() > reached, "the page makes no progress");
            reached = page.reached.get();
            read.extend(page.updates.iter().map(|read| read.update.id().to_string()));
        }
        assert_eq!(read, ["a", "b", "c", "d"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poll_that_fails_at_a_hole_keeps_what_came_before() {
    let table = Table::create().await;
    let log = table.log(&TestClock::new());
    publish(&log, &["a"]).await;
    table.take_number().await;
    publish(&log, &["b"]).await;
    let proxy = Proxy::new(table.port, |call| match call.operation.as_str() {
        "GetItem" => Fate::Throttle,
        _ => Fate::Pass,
    })
    .await;
    let clock = TestClock::new();
    let mut tail = table.log_through(&proxy, &clock).tail(place(Position::START, &clock));
    assert_eq!(tail.poll().await.unwrap().updates.len(), 1);
    clock.advance(Duration::from_secs(2));
    assert!(tail.poll().await.is_err());
    proxy.decide(|_| Fate::Pass);
    let read = tail.poll().await.unwrap();
    assert_eq!((read.updates.len(), read.reached), (1, Position::new(3)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_ends_where_it_is_told_to() {
    let table = Table::create().await;
    let clock = TestClock::new();
    let log = table.log(&clock);
    publish(&log, &["a", "b", "c", "d"]).await;
    let page = log.page(&whole(&clock, 1, 3), &subscribe("other")).await.unwrap();
    assert_eq!((ids(&page), page.reached), (vec!["b", "c"], Position::new(3)));
    assert!(page.since.is_some() && page.oldest == Position::new(2));

    let wants = subscribe("https://example.com/c");
    let page = log.page(&whole(&clock, 0, 4), &wants).await.unwrap();
    assert_eq!((ids(&page), page.reached), (vec!["c"], Position::new(4)));

    let limit = PageLimit { updates: 2, bytes: 1 << 20 };
    let page =
        log.page(&Fetch { limit, ..whole(&clock, 0, 4) }, &subscribe("other")).await.unwrap();
    assert_eq!((ids(&page), page.reached), (vec!["a", "b"], Position::new(2)));

    let limit = PageLimit { updates: 500, bytes: 1 };
    let page =
        log.page(&Fetch { limit, ..whole(&clock, 0, 4) }, &subscribe("other")).await.unwrap();
    assert_eq!((ids(&page), page.reached), (vec!["a"], Position::new(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_seals_a_number_that_nothing_follows() {
    let table = Table::create().await;
    table.take_number().await;
    let clock = TestClock::new();
    let log = table.log(&clock);
    assert_eq!(log.head().await, Ok(Position::new(1)));
    let page = log.page(&whole(&clock, 0, 1), &subscribe("other")).await.unwrap();
    assert_eq!((ids(&page), page.reached), (vec![], Position::new(1)));
    assert!(table.item(1).await.unwrap()["k"].as_s().is_ok_and(|kind| kind == "t"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn updates_that_had_expired_before_a_stream_arrived_are_not_delivered() {
    let table = Table::create().await;
    let clock = TestClock::new();
    let log = table.log(&clock);
    publish(&log, &["a", "b"]).await;
    clock.advance(Duration::from_secs(601));
    publish(&log, &["c"]).await;
    let read = log.tail(place(Position::START, &clock)).poll().await.unwrap();
    assert_eq!((read.updates.len(), read.reached), (1, Position::new(3)));
    let page = log.page(&whole(&clock, 0, 3), &subscribe("other")).await.unwrap();
    assert_eq!((ids(&page), page.reached), (vec!["c"], Position::new(3)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn updates_that_expire_once_a_stream_has_arrived_are_delivered() {
    let table = Table::create().await;
    let clock = TestClock::new();
    let log = table.log(&clock);
    publish(&log, &["a"]).await;
    clock.advance(Duration::from_secs(599));
    let (fetch, mut tail) = (whole(&clock, 0, 1), log.tail(place(Position::START, &clock)));
    clock.advance(Duration::from_secs(900));
    let page = log.page(&fetch, &subscribe("other")).await.unwrap();
    assert_eq!((ids(&page), page.reached), (vec!["a"], Position::new(1)));
    assert_eq!(page.oldest, Position::new(1));
    assert_eq!(tail.poll().await.unwrap().updates.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_may_have_missed_deleted_updates_ends() {
    let table = Table::create().await;
    let clock = TestClock::new();
    let log = table.log(&clock);
    publish(&log, &["a", "b"]).await;
    let (fetch, mut tail) = (whole(&clock, 0, 2), log.tail(place(Position::START, &clock)));
    // Nothing is read for an hour.
    clock.advance(Duration::from_secs(3_600));
    table.delete("hub", 1).await;
    let page = log.page(&fetch, &subscribe("other")).await.unwrap();
    assert!(page.updates.is_empty() && page.oldest > Position::new(1), "{page:?}");
    for _ in 0..2 {
        assert_eq!(tail.poll().await, Err(LogError::Overtaken));
    }
    assert!(table.item(1).await.is_none(), "it sealed a number whose update was deleted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tail_tells_the_time_before_it_looked() {
    let table = Table::create().await;
    let clock = TestClock::new();
    let log = table.log(&clock);
    let slow = {
        let clock = clock.clone();
        Proxy::new(table.port, move |call| {
            if call.operation == "Query" {
                clock.advance(Duration::from_secs(100));
            }
            Fate::Pass
        })
        .await
    };
    let began = clock.now().wall;
    let mut tail = table.log_through(&slow, &clock).tail(place(Position::START, &clock));
    let since = |as_of: Timestamp| as_of.since(began).as_secs() / 100;
    assert_eq!(since(tail.poll().await.unwrap().as_of), 0);
    assert_eq!(since(tail.poll().await.unwrap().as_of), 1);
    slow.decide(|_| Fate::Pass);

    // What waits behind a hole was published before the read that shows it.
    table.take_number().await;
    publish(&log, &["a"]).await;
    clock.advance(Duration::from_secs(100));
    assert_eq!(since(tail.poll().await.unwrap().as_of), 2);
    clock.advance(Duration::from_secs(100));
    let read = tail.poll().await.unwrap();
    assert_eq!((read.reached, since(read.as_of)), (Position::new(2), 4));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poll_may_be_dropped_at_any_moment() {
    let table = Table::create().await;
    let log = table.log(&TestClock::new());
    publish(&log, &["a"]).await;
    table.take_number().await;
    publish(&log, &["b"]).await;
    table.take_number().await;
    publish(&log, &["c"]).await;
    let held = Arc::new(tokio::sync::Notify::new());
    let holds = Arc::clone(&held);
    let (reached, is_reached) = tokio::sync::watch::channel(0);
    let mut probes = 0;
    let proxy = Proxy::new(table.port, move |call| {
        if call.operation == "GetItem" {
            probes += 1;
            let _ = reached.send(probes);
            if probes == 2 {
                return Fate::Hold(Arc::clone(&holds));
            }
        }
        Fate::Pass
    })
    .await;
    let clock = TestClock::new();
    let mut tail = table.log_through(&proxy, &clock).tail(place(Position::START, &clock));
    assert_eq!(tail.poll().await.unwrap().updates.len(), 1);
    clock.advance(Duration::from_secs(2));
    // It has sealed the first hole and read `b`, and is probing the second hole.
    let mut second = is_reached.clone();
    tokio::select! {
        biased;
        _ = second.wait_for(|probes| *probes == 2) => {}
        _ = tail.poll() => panic!("it should be waiting for the probe"),
    }
    held.notify_one();
    let read = tail.poll().await.unwrap();
    assert_eq!((read.updates.len(), read.reached), (2, Position::new(5)));
}
