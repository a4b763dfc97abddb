//! What calls cost, in DynamoDB's units: the figures that docs/cost.md is based on.

use std::sync::{Arc, Mutex};

use cinnabar_aws::log::Clock;
use cinnabar_core::{Fetch, IdOrigin, PageLimit, Position, StoredUpdate, StreamId, Update};

use crate::clock::TestClock;
use crate::local::{Table, place, subscribe};
use crate::proxy::{Fate, Proxy};

/// The units of all calls since it was last read.
#[derive(Clone, Default)]
struct Meter(Arc<Mutex<f64>>);

impl Meter {
    async fn proxy(&self, table: &Table) -> Proxy {
        let units = Arc::clone(&self.0);
        Proxy::new(table.port, move |_| Fate::Measure(Arc::clone(&units))).await
    }

    fn read(&self) -> f64 {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn update(data: usize) -> Update {
    Update::restore(StoredUpdate {
        id: "urn:uuid:550e8400-e29b-41d4-a716-446655440000".into(),
        topics: "https://example.com/books/1".into(),
        targets: String::new(),
        data: "x".repeat(data),
        private: false,
        event_type: None,
        retry: None,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_update_costs_three_write_units() {
    let (table, meter) = (Table::create().await, Meter::default());
    let proxy = meter.proxy(&table).await;
    let log = table.log_through(&proxy, &TestClock::new());
    for (data, cost) in [(10, 3.0), (800, 3.0), (1_500, 4.0)] {
        log.append(&update(data), IdOrigin::Publisher).await.unwrap();
        assert_eq!(meter.read(), cost, "{data} bytes");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_costs_half_a_read_unit_and_an_arrival_a_whole_one() {
    let (table, meter) = (Table::create().await, Meter::default());
    let proxy = meter.proxy(&table).await;
    let clock = TestClock::new();
    let log = table.log_through(&proxy, &clock);
    log.append(&update(500), IdOrigin::Publisher).await.unwrap();
    meter.read();

    // A new stream asks where the log ends.
    let head = log.head().await.unwrap();
    assert_eq!(meter.read(), 1.0);
    // Open streams look for what is new. (DynamoDB charges half a unit even for nothing.)
    let mut tail = log.tail(place(head, &clock));
    log.append(&update(500), IdOrigin::Publisher).await.unwrap();
    meter.read();
    tail.poll().await.unwrap();
    assert_eq!(meter.read(), 0.5);
    // One that comes back fetches what it missed.
    let limit = PageLimit { updates: 500, bytes: 1 << 18 };
    let (through, as_of) = (Position::new(2), clock.now().wall);
    let fetch = Fetch { stream: StreamId::new(1), after: head, through, limit, as_of };
    let page = log.page(&fetch, &subscribe("https://example.com/books/1")).await.unwrap();
    assert_eq!((page.updates.len(), meter.read()), (1, 0.5));
}
