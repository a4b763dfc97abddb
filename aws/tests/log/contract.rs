//! What every log must do, on DynamoDB.

use std::sync::Arc;
use std::time::Duration;

use cinnabar_aws::log::presence::Presence;
use cinnabar_aws::log::{Clock, Log};
use cinnabar_core::testing::contract;
use cinnabar_core::{
    Answer, Appended, Fetch, IdOrigin, List, Located, Location, Page, Place, Position, Subscribe,
    Subscriptions, Timestamp, Update,
};

use crate::clock::TestClock;
use crate::local::Table;

/// How long updates are kept: long enough that none expires before it is to.
const RETENTION: Duration = Duration::from_hours(24);

/// A log in a table of its own, with a clock that each append puts forward.
struct Fixture {
    log: Log,
    presence: Presence,
    clock: TestClock,
}

impl contract::Log for Fixture {
    async fn append(&self, update: Update) -> Result<Position, String> {
        self.clock.advance(Duration::from_mins(1));
        let origin = match update.id().as_str() {
            "urn:twice" => IdOrigin::Publisher,
            _ => IdOrigin::Hub,
        };
        self.log.append(&update, origin).await.map_err(|error| error.to_string())
    }

    async fn locate(&self, location: Location) -> Result<Located, String> {
        self.log.locate(location).await.map_err(|error| error.to_string())
    }

    async fn page(&self, fetch: Fetch, subscribe: Arc<Subscribe>) -> Result<Page, String> {
        self.log.page(&fetch, &subscribe).await.map_err(|error| error.to_string())
    }

    async fn tail(&self, after: Position) -> Result<Vec<Appended>, String> {
        let end = self.log.head().await.map_err(|error| error.to_string())?;
        let mut tail = self.log.tail(Place { position: after, since: self.now() });
        let mut all = Vec::new();
        loop {
            let read = tail.poll().await.map_err(|error| error.to_string())?;
            all.extend(read.updates);
            if read.reached >= end {
                return Ok(all);
            }
        }
    }

    async fn register(&self, subscriptions: Subscriptions) -> Result<(), String> {
        // As a tail does, again and again.
        self.presence.renew().await.map_err(|error| error.to_string())?;
        self.presence.register(subscriptions).await.map_err(|error| error.to_string())
    }

    async fn unregister(&self, subscriptions: Subscriptions) -> Result<(), String> {
        self.presence.unregister(subscriptions).await.map_err(|error| error.to_string())
    }

    async fn list(&self, list: &List) -> Result<Answer, String> {
        self.presence.renew().await.map_err(|error| error.to_string())?;
        self.presence.list(list).await.map_err(|error| error.to_string())
    }

    /// Updates go when they expire; DynamoDB deletes them hours after that.
    async fn drop_through(&self, last: Position) -> Result<bool, String> {
        match self.locate(Location::Newest(last)).await? {
            Located::Found(place, _) => {
                self.clock.advance(place.since.plus(RETENTION).since(self.now()));
                Ok(true)
            }
            other => Err(format!("the last to be dropped: {other:?}")),
        }
    }

    fn now(&self) -> Timestamp {
        self.clock.now().wall
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_keeps_the_contract() {
    let outcomes = contract::check(async || {
        let (table, clock) = (Table::create().await, TestClock::new());
        let log = table.log_that_keeps(RETENTION, &clock);
        let presence = Presence::new(&log);
        Ok(Fixture { log, presence, clock })
    });
    for outcome in outcomes.await {
        assert_eq!(outcome.broken, None, "{}", outcome.case);
    }
}
