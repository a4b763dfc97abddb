//! Subscribers that come and go while others publish: so many a second, whether or not the hub keeps
//! up. Each opens a stream, stays for a moment, and leaves.
//!
//! They run in a thread of their own, and what they subscribe to is not published to: what they cost
//! is their coming and going, and what the hub tells others of it.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::LocalSet;
use tokio::time::{self, Instant};

use crate::connection::Connection;
use crate::failure::Failure;
use crate::figures::{Arrivals, Latencies};
use crate::hub::Hub;

/// How long each stays.
const STAY: Duration = Duration::from_secs(1);

/// How long it waits for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many rooms there are, which they enter in turn.
const ROOMS: usize = 100;

/// What became of them.
struct Tally {
    opened: Cell<u64>,
    refused: Cell<u64>,
    waits: RefCell<Latencies>,
}

/// Lets subscribers arrive for so long at this rate, and waits until the last has left.
pub(crate) fn arrive(hub: &Hub, rate: f64, duration: Duration) -> io::Result<Arrivals> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let tally = Rc::new(Tally {
            opened: Cell::new(0),
            refused: Cell::new(0),
            waits: RefCell::new(Latencies::new()),
        });
        let start = Instant::now();
        let mut subscribers = Vec::new();
        for number in 0_usize.. {
            time::sleep_until(start + Duration::from_secs_f64(number as f64 / rate)).await;
            if start.elapsed() >= duration {
                break;
            }
            let (hub, tally) = (hub.holder(number).clone(), Rc::clone(&tally));
            subscribers.push(tokio::task::spawn_local(async move {
                let visited = time::timeout(PATIENCE, visit(&hub, number % ROOMS)).await;
                let Ok(Ok((waited, stream))) = visited else {
                    tally.refused.set(tally.refused.get() + 1);
                    return;
                };
                tally.opened.set(tally.opened.get() + 1);
                tally.waits.borrow_mut().record(waited.as_nanos().try_into().unwrap_or(u64::MAX));
                time::sleep(STAY).await;
                drop(stream);
            }));
        }
        for subscriber in subscribers {
            subscriber.await.map_err(io::Error::other)?;
        }
        let opening = tally.waits.borrow().summary();
        Ok(Arrivals {
            opened: tally.opened.get(),
            per_second: tally.opened.get() as f64 / duration.as_secs_f64(),
            refused: tally.refused.get(),
            opening,
        })
    })
}

/// Opens a stream. Returns how long that took, from connecting to the head of the answer.
async fn visit(hub: &Hub, room: usize) -> Result<(Duration, crate::connection::Opened), Failure> {
    let asked = Instant::now();
    let request = hub.subscription(&format!("https://bench.example/rooms/{room}"));
    let stream = Connection::open(hub).await?.stream("a subscription", &request).await?;
    Ok((asked.elapsed(), stream))
}
