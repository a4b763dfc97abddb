//! Each call in turn goes wrong, in every way that calls do.
//!
//! Two publishers and two readers share a log. Whatever happens to a call, what is acknowledged is
//! read once, in the same order by all, and what is not acknowledged is read at most once.

use std::sync::Arc;
use std::time::Duration;

use cinnabar_core::Position;
use tokio::sync::Notify;

use cinnabar_core::IdOrigin;

use crate::clock::TestClock;
use crate::local::{Table, read_through, update};
use crate::proxy::{Fate, Proxy};

/// One number for each call of a publication, of a poll, of a seal.
const CALLS: [(&str, usize); 9] = [
    ("UpdateItem", 0),
    ("UpdateItem", 1),
    ("PutItem", 0),
    ("PutItem", 1),
    ("PutItem", 2),
    ("Query", 0),
    ("Query", 1),
    ("GetItem", 0),
    ("PutItem", 4),
];

/// A proxy that lets all calls pass but the one with this number.
async fn one_call(port: u16, operation: &'static str, number: usize, fate: Fate) -> Proxy {
    let mut seen = 0;
    Proxy::new(port, move |call| {
        if call.operation != operation {
            return Fate::Pass;
        }
        seen += 1;
        if seen == number + 1 { fate.clone() } else { Fate::Pass }
    })
    .await
}

async fn each_call_meets(fate: impl Fn() -> Fate) {
    for (operation, number) in CALLS {
        let table = Table::create().await;
        let proxy = one_call(table.port, operation, number, fate()).await;
        let publish = |ids: [&'static str; 2]| {
            let log = table.log_through(&proxy, &TestClock::new());
            tokio::spawn(async move {
                let mut acknowledged = Vec::new();
                for id in ids {
                    acknowledged.extend(
                        log.append(&update(id), IdOrigin::Publisher).await.ok().map(|_| id),
                    );
                }
                acknowledged
            })
        };
        let publishers = [publish(["a", "b"]), publish(["c", "d"])];
        let mut acknowledged = Vec::new();
        for publisher in publishers {
            acknowledged.push(publisher.await.unwrap());
        }
        table.take_number().await;
        let direct = table.log(&TestClock::new());
        direct.append(&update("e"), IdOrigin::Publisher).await.unwrap();
        let head = direct.head().await.unwrap();
        let clock = TestClock::new();
        let through = table.log_through(&proxy, &clock);
        let read = read_through(&through, &clock, Position::START, head).await;
        let again = read_through(&direct, &clock, Position::START, head).await;
        let what = format!("{operation} {number}: {acknowledged:?}, read {read:?}");
        assert_eq!(read, again, "{what}");
        for one in acknowledged {
            let of_one: Vec<_> = read.iter().filter(|id| one.contains(&id.as_str())).collect();
            assert_eq!(of_one, one.iter().collect::<Vec<_>>(), "{what}");
        }
        for id in ["a", "b", "c", "d"] {
            assert!(read.iter().filter(|read| *read == id).count() <= 1, "{what}");
        }
        assert_eq!(read.last().map(String::as_str), Some("e"), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_are_lost() {
    each_call_meets(|| Fate::Drop).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_are_lost() {
    each_call_meets(|| Fate::Cut).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_are_carried_out_twice() {
    each_call_meets(|| Fate::Repeat).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_are_throttled() {
    each_call_meets(|| Fate::Throttle).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_fail() {
    each_call_meets(|| Fate::Fail).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_seem_to_fail() {
    each_call_meets(|| Fate::FailAfter).await;
}

/// The sender gives up, and sends the call again; the first is carried out after the second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_arrive_late() {
    each_call_meets(|| {
        let released = Arc::new(Notify::new());
        let release = Arc::clone(&released);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(3)).await;
            release.notify_one();
        });
        Fate::Hold(released)
    })
    .await;
}
