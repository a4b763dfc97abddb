//! Where resuming readers begin.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cinnabar_aws::log::{Clock, Log};
use cinnabar_core::{EventId, IdOrigin, Located, Location, Place, Position};

use crate::clock::TestClock;
use crate::local::{Table, place, update};
use crate::proxy::{Fate, Proxy};

async fn by_ids(log: &Log, ids: &[&str]) -> Option<(String, u64)> {
    let ids = ids.iter().copied().map(EventId::restored).collect();
    match log.locate(Location::Ids { ids, floor: Position::START }).await.unwrap() {
        Located::Found(place, found) => Some((found.to_string(), place.position.get())),
        Located::Unknown => None,
        other => panic!("{other:?}"),
    }
}

async fn by_id(log: &Log, id: &str) -> Option<u64> {
    by_ids(log, &[id]).await.map(|(found, position)| {
        assert_eq!(found, id);
        position
    })
}

/// Where the longest replay begins.
async fn replay_from(log: &Log, floor: u64) -> Located {
    let end = log.head().await.unwrap();
    log.locate(Location::Floor { floor: Position::new(floor), end }).await.unwrap()
}

fn oldest(number: u64) -> Located {
    Located::Oldest(Position::new(number))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_is_its_first_number() {
    let table = Table::create().await;
    let clock = TestClock::new();
    let log = table.log(&clock);
    for id in ["a", "b", "a", "c", "d"] {
        let origin = if id == "c" { IdOrigin::Hub } else { IdOrigin::Publisher };
        log.append(&update(id), origin).await.unwrap();
    }
    assert_eq!(by_id(&log, "a").await, Some(1));
    assert_eq!(by_id(&log, "c").await, Some(4));
    assert_eq!(by_id(&log, "x").await, None);

    // The index does not have the first yet.
    let proxy = Proxy::new(table.port, |call| match call.body.get("IndexName") {
        Some(_) => Fate::Hide(vec![1, 2]),
        None => Fate::Pass,
    })
    .await;
    let behind = table.log_through(&proxy, &clock);
    assert_eq!(by_id(&behind, "a").await, Some(1));
    assert_eq!(by_id(&behind, "b").await, Some(2));

    // For one of the hub's own ids the index is enough.
    let proxy = Proxy::new(table.port, |call| {
        assert!(call.operation != "Query" || call.body.get("IndexName").is_some());
        Fate::Pass
    })
    .await;
    assert_eq!(by_id(&table.log_through(&proxy, &clock), "c").await, Some(4));

    // The newest cells are read as far back as the index may lag.
    clock.advance(Duration::from_secs(80));
    let proxy = Proxy::new(table.port, |call| match call.body.get("IndexName") {
        Some(_) => Fate::Hide(vec![1]),
        None => Fate::Hide(vec![1, 3]),
    })
    .await;
    let page_of_one = table.log_through(&proxy, &clock);
    assert_eq!(by_id(&page_of_one, "b").await, Some(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn for_several_ids_the_newest_cells_are_read_once() {
    let table = Table::create().await;
    let clock = TestClock::new();
    let log = table.log(&clock);
    for id in ["a", "b", "a", "c", "d"] {
        log.append(&update(id), IdOrigin::Publisher).await.unwrap();
    }
    // The index has heard of the second `a` alone.
    let reads = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reads);
    let proxy = Proxy::new(table.port, move |call| match call.body.get("IndexName") {
        Some(_) => Fate::Hide(vec![1, 2, 4, 5]),
        None => {
            counted.fetch_add(usize::from(call.operation == "Query"), Ordering::Relaxed);
            Fate::Pass
        }
    })
    .await;
    let behind = table.log_through(&proxy, &clock);
    for (ids, found) in [
        (["x, y", "x", "y", "d"], Some(("d", 5))),
        (["x", "a", "a", "c"], Some(("a", 1))),
        (["c", "b", "x", "a"], Some(("c", 4))),
        (["w", "x", "y", "z"], None),
    ] {
        let found = found.map(|(id, position)| (id.to_owned(), position));
        assert_eq!(by_ids(&behind, &ids).await, found, "{ids:?}");
        assert_eq!(reads.swap(0, Ordering::Relaxed), 1, "{ids:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_is_forgotten_before_what_followed_it() {
    let table = Table::create().await;
    let clock = TestClock::new();
    let log = table.log(&clock);
    log.append(&update("a"), IdOrigin::Hub).await.unwrap();
    clock.advance(Duration::from_secs(580));
    assert_eq!(by_id(&log, "a").await, Some(1));
    clock.advance(Duration::from_secs(6));
    assert_eq!(by_id(&log, "a").await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_position_is_as_good_as_its_time() {
    let table = Table::create().await;
    let clock = TestClock::new();
    let log = table.log(&clock);
    log.append(&update("a"), IdOrigin::Publisher).await.unwrap();
    let since = clock.now().wall;
    let told = Location::Told(Place { position: Position::START, since });
    clock.advance(Duration::from_secs(550));
    assert_eq!(log.locate(told.clone()).await, Ok(Located::Kept));
    clock.advance(Duration::from_secs(6));
    assert_eq!(log.locate(told).await, Ok(Located::Unknown));

    // Nothing follows the end of the log, however long ago it was told.
    let end = Location::Told(Place { position: Position::new(1), since });
    assert_eq!(log.locate(end).await, Ok(Located::Kept));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn earliest_begins_at_the_first_cell() {
    let table = Table::create().await;
    let clock = TestClock::new();
    let log = table.log(&clock);
    assert_eq!(replay_from(&log, 0).await, oldest(1));
    for id in ["a", "b", "c"] {
        log.append(&update(id), IdOrigin::Publisher).await.unwrap();
    }
    assert_eq!(replay_from(&log, 0).await, oldest(1));

    // Time to live has deleted some. That can only be long after they expired, so `c` is old.
    table.delete("hub", 1).await;
    table.delete("hub", 2).await;
    let before = clock.now().wall;
    assert_eq!(replay_from(&log, 0).await, oldest(3));
    let waited = clock.now().wall.since(before);
    assert!(waited >= Duration::from_secs(14), "a lower number might have been under way");
    table.delete("hub", 3).await;
    assert_eq!(replay_from(&log, 0).await, oldest(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_longest_replay_tells_the_id_before_it() {
    let table = Table::create().await;
    let clock = TestClock::new();
    let log = table.log(&clock);
    log.append(&update("a"), IdOrigin::Publisher).await.unwrap();
    table.take_number().await;
    log.append(&update("b"), IdOrigin::Publisher).await.unwrap();
    // The second number is sealed.
    let mut tail = log.tail(place(Position::START, &clock));
    for _ in 0..2 {
        tail.poll().await.unwrap();
        clock.advance(Duration::from_secs(2));
    }
    let newest = async |number| log.locate(Location::Newest(Position::new(number))).await.unwrap();
    for (located, number, id) in [
        (replay_from(&log, 1).await, 1, "a"),
        (replay_from(&log, 2).await, 1, "a"),
        (replay_from(&log, 3).await, 3, "b"),
        (newest(1).await, 1, "a"),
        (newest(2).await, 1, "a"),
        (newest(3).await, 3, "b"),
    ] {
        let Located::Found(place, found) = located else { panic!("{located:?}") };
        assert_eq!((place.position.get(), found.as_str()), (number, id));
        assert!(place.since.as_millis() > 0);
    }
    assert_eq!(newest(0).await, Located::Unknown);
    clock.advance(Duration::from_secs(590));
    assert_eq!(replay_from(&log, 1).await, oldest(2));
    clock.advance(Duration::from_secs(10));
    assert_eq!(newest(3).await, Located::Unknown);
}
