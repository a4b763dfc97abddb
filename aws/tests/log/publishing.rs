//! What publishers are told, and what is then in the table.

use std::sync::Arc;
use std::time::Duration;

use cinnabar_aws::log::{AppendError, ITEM_LIMIT, LogError};
use cinnabar_core::{IdOrigin, Position, StoredUpdate, Update};
use tokio::sync::Notify;

use crate::clock::TestClock;
use crate::local::{Table, place, read_through, update};
use crate::proxy::{Fate, Proxy};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn updates_are_numbered_and_come_back_whole() {
    let table = Table::create().await;
    let clock = TestClock::new();
    let log = table.log(&clock);
    let updates = [
        update("a"),
        Update::restore(StoredUpdate {
            id: "é #2".into(),
            topics: "b".into(),
            targets: "/users/1".into(),
            data: String::new(),
            private: true,
            event_type: Some("ping".into()),
            retry: Some(u32::MAX),
        }),
    ];
    assert_eq!(log.head().await, Ok(Position::START));
    for (number, update) in (1..).zip(&updates) {
        assert_eq!(log.append(update, IdOrigin::Publisher).await, Ok(Position::new(number)));
    }
    assert_eq!(log.head().await, Ok(Position::new(2)));
    let read = log.tail(place(Position::START, &clock)).poll().await.unwrap();
    let whole: Vec<&Update> = read.updates.iter().map(|read| &*read.update).collect();
    assert_eq!(whole, updates.each_ref());
    assert_eq!((read.reached, read.hole, read.more), (Position::new(2), false, false));
    log.check_health().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_publishers_at_once_lose_and_double_nothing() {
    let table = Table::create().await;
    let log = table.log(&TestClock::new());
    let publishers: Vec<_> = (0..16)
        .map(|publisher| {
            let log = log.clone();
            tokio::spawn(async move {
                let mut acknowledged = Vec::new();
                for number in 0..8 {
                    let id = format!("{publisher}-{number}");
                    // On a slow machine some are refused, and published again.
                    while log.append(&update(&id), IdOrigin::Publisher).await.is_err() {}
                    acknowledged.push(id);
                }
                acknowledged
            })
        })
        .collect();
    let mut acknowledged = Vec::new();
    for publisher in publishers {
        acknowledged.push(publisher.await.unwrap());
    }
    let head = log.head().await.unwrap();
    let clock = TestClock::new();
    let reader = table.log(&clock);
    let read = read_through(&reader, &clock, Position::START, head).await;
    let again = read_through(&reader, &clock, Position::START, head).await;
    assert_eq!(read, again, "two readers see one order");
    for one in acknowledged {
        let of_one: Vec<_> = read.iter().filter(|id| one.contains(id)).collect();
        assert_eq!(of_one, one.iter().collect::<Vec<_>>(), "in the order they were acknowledged");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_whose_number_is_sealed_gets_another() {
    let table = Table::create().await;
    let released = Arc::new(Notify::new());
    let holds = Arc::clone(&released);
    let mut first = true;
    let proxy = Proxy::new(table.port, move |call| {
        let held = call.operation == "PutItem" && std::mem::take(&mut first);
        if held { Fate::Hold(Arc::clone(&holds)) } else { Fate::Pass }
    })
    .await;
    let slow = table.log_through(&proxy, &TestClock::new());
    let publisher =
        tokio::spawn(async move { slow.append(&update("slow"), IdOrigin::Publisher).await });
    let clock = TestClock::new();
    let reader = table.log(&clock);
    while reader.head().await.unwrap() == Position::START {}
    assert_eq!(reader.append(&update("quick"), IdOrigin::Publisher).await, Ok(Position::new(2)));
    let read = read_through(&reader, &clock, Position::START, Position::new(2)).await;
    // Either the call was held for less than an attempt may take, or its repetition found the seal.
    released.notify_one();
    let number = publisher.await.unwrap().unwrap();
    let rest = read_through(&reader, &clock, Position::new(2), number.max(Position::new(2))).await;
    let all: Vec<String> = read.into_iter().chain(rest).collect();
    let count = |id: &str| all.iter().filter(|read| *read == id).count();
    assert_eq!((count("slow"), count("quick")), (1, 1), "{all:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn past_its_lease_a_publisher_is_not_told_that_its_update_is_there() {
    let table = Table::create().await;
    let released = Arc::new(Notify::new());
    let holds = Arc::clone(&released);
    let (held, is_held) = tokio::sync::watch::channel(false);
    let proxy = Proxy::new(table.port, move |call| {
        if call.operation != "PutItem" {
            return Fate::Pass;
        }
        let _ = held.send(true);
        Fate::Hold(Arc::clone(&holds))
    })
    .await;
    let clock = TestClock::new();
    let paused = table.log_through(&proxy, &clock);
    let publisher =
        tokio::spawn(async move { paused.append(&update("paused"), IdOrigin::Publisher).await });
    is_held.clone().wait_for(|held| *held).await.unwrap();
    clock.advance(Duration::from_millis(10_001));
    // The write was sent in time, so it is still carried out.
    released.notify_one();
    assert!(matches!(publisher.await.unwrap(), Err(AppendError::Unavailable(_))));
    let written = async {
        while table.item(1).await.is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::local::DEADLINE, written).await.unwrap();
    let reader = table.log(&TestClock::new());
    let read = reader.tail(place(Position::START, &clock)).poll().await.unwrap();
    assert_eq!(read.updates.len(), 1, "it may become visible, but once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn past_its_lease_nothing_more_is_sent() {
    let table = Table::create().await;
    let clock = TestClock::new();
    let late = clock.clone();
    let proxy = Proxy::new(table.port, move |call| {
        assert_ne!(call.operation, "PutItem", "sent past the lease");
        late.advance(Duration::from_millis(10_001));
        Fate::Pass
    })
    .await;
    let refused =
        table.log_through(&proxy, &clock).append(&update("late"), IdOrigin::Publisher).await;
    assert!(matches!(refused, Err(AppendError::Unavailable(_))), "{refused:?}");
    assert_eq!(table.item(1).await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_that_no_item_holds_is_refused_before_a_number_is_taken() {
    let table = Table::create().await;
    let log = table.log(&TestClock::new());
    let update_of = |length: usize| {
        Update::restore(StoredUpdate {
            id: "a".into(),
            topics: "b".into(),
            targets: String::new(),
            data: "x".repeat(length),
            private: false,
            event_type: None,
            retry: None,
        })
    };
    let Err(AppendError::TooLarge { bytes, limit }) =
        log.append(&update_of(ITEM_LIMIT), IdOrigin::Publisher).await
    else {
        panic!("an item larger than DynamoDB takes");
    };
    assert_eq!(limit, ITEM_LIMIT);
    assert_eq!(log.head().await, Ok(Position::START));
    // DynamoDB accepts the largest that fits.
    let largest = ITEM_LIMIT - (bytes - ITEM_LIMIT);
    assert_eq!(log.append(&update_of(largest), IdOrigin::Publisher).await, Ok(Position::new(1)));
    let larger = log.append(&update_of(largest + 1), IdOrigin::Publisher).await;
    assert_eq!(larger, Err(AppendError::TooLarge { bytes: ITEM_LIMIT + 1, limit: ITEM_LIMIT }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_head_is_an_alarm_and_never_made_again() {
    let table = Table::create().await;
    let log = table.log(&TestClock::new());
    log.append(&update("a"), IdOrigin::Publisher).await.unwrap();
    table.delete("head#hub", 0).await;
    assert!(matches!(
        log.append(&update("b"), IdOrigin::Publisher).await,
        Err(AppendError::Broken(_))
    ));
    assert!(matches!(log.open().await, Err(LogError::Broken(_))));
    assert!(matches!(log.head().await, Err(LogError::Broken(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_went_back_is_an_alarm() {
    let table = Table::create().await;
    let log = table.log(&TestClock::new());
    log.append(&update("a"), IdOrigin::Publisher).await.unwrap();
    table.delete("head#hub", 0).await;
    let cell = table.item(1).await.unwrap();
    table.delete("hub", 1).await;
    // Someone has made the head again, while the cells are still there.
    log.open().await.unwrap();
    let put = table.client.put_item().table_name(&table.name).set_item(Some(cell));
    put.send().await.unwrap();
    assert!(matches!(
        log.append(&update("b"), IdOrigin::Publisher).await,
        Err(AppendError::Broken(_))
    ));
}
