//! What calls cost, in DynamoDB's units: the figures that docs/cost.md is based on.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cinnabar_aws::log::Clock;
use cinnabar_aws::log::presence::Presence;
use cinnabar_core::{
    ActiveSubscription, Fetch, IdOrigin, PageLimit, Position, StoredUpdate, StreamId,
    Subscriptions, Update,
};
use serde_json::{Value, json};

use crate::clock::TestClock;
use crate::local::{Table, place, subscribe};
use crate::presence::question;
use crate::proxy::{Fate, Proxy};

/// The units of all calls since it was last read.
#[derive(Clone, Default)]
struct Meter(Arc<Mutex<f64>>);

impl Meter {
    async fn proxy(&self, table: &Table) -> Proxy {
        let units = Arc::clone(&self.0);
        Proxy::new(table.port, move |_| Fate::Measure(Arc::clone(&units))).await
    }

    /// Leaves out what is read: processes look around now and then.
    async fn proxy_of_writes(&self, table: &Table) -> Proxy {
        let units = Arc::clone(&self.0);
        let proxy = Proxy::new(table.port, move |call| match call.operation.as_str() {
            "Query" | "GetItem" => Fate::Pass,
            _ => Fate::Measure(Arc::clone(&units)),
        });
        proxy.await
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

/// A member of a room, with a payload of common size.
fn member(number: u32) -> Subscriptions {
    let record = json!({
        "match_type": "exact",
        "match": "https://example.com/rooms/1",
        "subscriber": format!("urn:uuid:550e8400-e29b-41d4-a716-4466554{number:05}"),
        "payload": {"name": "x".repeat(100)},
        "begun": format!("urn:uuid:550e8400-e29b-41d4-a716-4466555{number:05}"),
        "ended": format!("urn:uuid:550e8400-e29b-41d4-a716-4466556{number:05}"),
    });
    let topic = format!(
        "/.well-known/mercure/subscriptions/exact/https%3A%2F%2Fexample.com%2Frooms%2F1/urn%3Auuid%3A550e8400-e29b-41d4-a716-4466554{number:05}"
    );
    vec![ActiveSubscription::restored(&topic, &record.to_string()).unwrap()].into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_costs_four_write_units_to_begin_and_five_to_end_and_a_lease_one_a_renewal()
{
    let (table, meter, clock) = (Table::create().await, Meter::default(), TestClock::new());
    let proxy = meter.proxy_of_writes(&table).await;
    let presence = Presence::new(&table.log_through(&proxy, &clock));
    presence.register(member(1)).await.unwrap();
    assert_eq!(meter.read(), 4.0 + 1.0, "with the lease, which is made");
    presence.register(member(2)).await.unwrap();
    assert_eq!(meter.read(), 4.0);
    clock.advance(Duration::from_secs(10));
    presence.renew().await.unwrap();
    presence.renew().await.unwrap();
    assert_eq!(meter.read(), 1.0, "however many there are, and only when it is time to");
    presence.unregister(member(2)).await.unwrap();
    assert_eq!(meter.read(), 5.0);
    presence.unregister(member(1)).await.unwrap();
    assert_eq!(meter.read(), 5.0 + 1.0, "with the lease, which is given up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_costs_what_is_in_it_and_the_newest_updates_and_a_unit_for_the_leases() {
    let (table, meter, clock) = (Table::create().await, Meter::default(), TestClock::new());
    let presence = Presence::new(&table.log(&clock));
    for number in 0..20 {
        presence.register(member(number)).await.unwrap();
    }
    let proxy = meter.proxy(&table).await;
    let reader = Presence::new(&table.log_through(&proxy, &clock));
    let list = question("https%3A%2F%2Fexample.com%2Frooms%2F1", &clock);
    let answer = reader.list(&list).await.unwrap().response;
    let document: Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!(document["subscriptions"].as_array().unwrap().len(), 20);
    // One for the leases, four for the updates, three for the rows.
    assert_eq!(meter.read(), 8.0);
}
