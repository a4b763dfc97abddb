//! Where readers that resume begin.

use std::time::Duration;

use cinnabar_aws::log::Log;
use cinnabar_core::{EventId, Located, Location, Place, Position};

use crate::clock::TestClock;
use crate::local::{Table, place, update, update_of_hub};
use crate::proxy::{Fate, Proxy};

async fn by_id(log: &Log, id: &str) -> Option<u64> {
    let holder = log.head().await.unwrap();
    let location = Location::Id(EventId::restored(id));
    let located = log.locate(location, Position::START, holder).await.unwrap();
    let (place, found) = located.found?;
    assert_eq!(found.as_str(), id);
    Some(place.position.get())
}

async fn locate(log: &Log, location: Location) -> Located {
    let holder = log.head().await.unwrap();
    log.locate(location, Position::START, holder).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_is_its_first_number() {
    let table = Table::create().await;
    let clock = TestClock::new();
    let log = table.log(&clock);
    for update in [update("a"), update("b"), update("a"), update_of_hub("c"), update("d")] {
        log.append(&update).await.unwrap();
    }
    assert_eq!(by_id(&log, "a").await, Some(1));
    assert_eq!(by_id(&log, "c").await, Some(4));
    assert_eq!(by_id(&log, "x").await, None);

    // The index has not heard of the first.
    let proxy = Proxy::new(table.port, |call| match call.body.get("IndexName") {
        Some(_) => Fate::Hide(vec![1, 2]),
        None => Fate::Pass,
    })
    .await;
    let behind = table.log_through(&proxy, &clock);
    assert_eq!(by_id(&behind, "a").await, Some(1));
    assert_eq!(by_id(&behind, "b").await, Some(2));

    // For an id of the hub's the index is enough.
    let proxy = Proxy::new(table.port, |call| {
        assert!(call.operation != "Query" || call.body.get("IndexName").is_some());
        Fate::Pass
    })
    .await;
    assert_eq!(by_id(&table.log_through(&proxy, &clock), "c").await, Some(4));

    // The newest cells are read as far back as the index may lack.
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
async fn an_id_is_forgotten_before_what_followed_it() {
    let table = Table::create().await;
    let clock = TestClock::new();
    let log = table.log(&clock);
    log.append(&update_of_hub("a")).await.unwrap();
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
    log.append(&update("a")).await.unwrap();
    let since = cinnabar_aws::log::Clock::now(&clock).wall;
    let told = Place { position: Position::START, since };
    clock.advance(Duration::from_secs(550));
    assert!(locate(&log, Location::Told(told)).await.oldest <= Position::new(1));
    clock.advance(Duration::from_secs(6));
    assert!(locate(&log, Location::Told(told)).await.oldest > Position::new(1));

    // Nothing followed the end of the log, however old it is.
    let end = Place { position: Position::new(1), since };
    assert!(locate(&log, Location::Told(end)).await.oldest <= Position::new(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn earliest_begins_at_the_first_cell() {
    let table = Table::create().await;
    let clock = TestClock::new();
    let log = table.log(&clock);
    let earliest = Location::At(Position::START);
    let nothing = locate(&log, earliest.clone()).await;
    assert_eq!((nothing.found, nothing.oldest), (None, Position::new(1)));
    for id in ["a", "b", "c"] {
        log.append(&update(id)).await.unwrap();
    }
    assert_eq!(locate(&log, earliest.clone()).await.oldest, Position::new(1));

    // Time to live has deleted some. That is long ago, and so `c` is old.
    table.delete("hub", 1).await;
    table.delete("hub", 2).await;
    let before = cinnabar_aws::log::Clock::now(&clock).wall;
    assert_eq!(locate(&log, earliest.clone()).await.oldest, Position::new(3));
    let waited = cinnabar_aws::log::Clock::now(&clock).wall.since(before);
    assert!(waited >= Duration::from_secs(14), "a lower number might have been under way");
    table.delete("hub", 3).await;
    assert_eq!(locate(&log, earliest).await.oldest, Position::new(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_longest_replay_tells_the_id_before_it() {
    let table = Table::create().await;
    let clock = TestClock::new();
    let log = table.log(&clock);
    log.append(&update("a")).await.unwrap();
    table.take_number().await;
    log.append(&update("b")).await.unwrap();
    // The second number is sealed.
    let mut tail = log.tail(place(Position::START, &clock));
    for _ in 0..2 {
        tail.poll().await.unwrap();
        clock.advance(Duration::from_secs(2));
    }
    let newest = |number| Location::Newest(Position::new(number));
    for (location, number, id) in [
        (Location::At(Position::new(1)), 1, "a"),
        (Location::At(Position::new(2)), 1, "a"),
        (Location::At(Position::new(3)), 3, "b"),
        (newest(1), 1, "a"),
        (newest(2), 1, "a"),
        (newest(3), 3, "b"),
    ] {
        let (place, found) = locate(&log, location).await.found.unwrap();
        assert_eq!((place.position.get(), found.as_str()), (number, id));
        assert!(place.since.as_millis() > 0);
    }
    assert_eq!(locate(&log, newest(0)).await.found, None);
    clock.advance(Duration::from_secs(590));
    assert_eq!(locate(&log, Location::At(Position::new(1))).await.found, None);
    clock.advance(Duration::from_secs(10));
    assert_eq!(locate(&log, newest(3)).await.found, None);
}
