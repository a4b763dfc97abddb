//! What every log must do, in SQLite.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use cinnabar_core::testing::contract;
use cinnabar_core::{
    Answer, Appended, Fetch, List, Located, Location, Page, Place, Position, Subscribe,
    Subscriptions, Timestamp, Update,
};
use cinnabar_native::log::{Log, Retention, Storage};
use cinnabar_runtime::{Source as _, Tail as _};

use crate::clock::{advance, now};
use crate::folder::Folder;

/// The history's bounds: no case comes near them unless it wants something dropped.
const WIDE: Retention = Retention { size: 10_000, age: Duration::from_secs(24 * 3600) };

/// Why the log drops updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Drops {
    BeyondSize,
    BeyondAge,
    /// In memory there is nothing to open again.
    Nothing,
}

struct Fixture {
    storage: Storage,
    log: RefCell<Log>,
    drops: Drops,
    _folder: Folder,
}

impl Fixture {
    fn open(drops: Drops) -> Result<Self, String> {
        let folder = Folder::create();
        let storage = if drops == Drops::Nothing { Storage::Memory } else { folder.log() };
        let log = RefCell::new(open(&storage, WIDE)?);
        Ok(Self { storage, log, drops, _folder: folder })
    }

    fn log(&self) -> Log {
        self.log.borrow().clone()
    }

    async fn reopen_with(&self, retention: Retention) -> Result<(), String> {
        self.log().close().await;
        self.log.replace(open(&self.storage, retention)?);
        // The thread that writes has swept before it does anything else.
        self.log().check_health().await.map_err(|error| error.to_string())
    }
}

fn open(storage: &Storage, retention: Retention) -> Result<Log, String> {
    Log::open(storage, retention, now).map_err(|error| error.to_string())
}

impl contract::Log for Fixture {
    async fn append(&self, update: Update) -> Result<Position, String> {
        advance(Duration::from_secs(1));
        self.log().append(update.into()).await.map_err(|error| error.to_string())
    }

    async fn locate(&self, location: Location) -> Result<Located, String> {
        self.log().locate(location).await.map_err(|error| error.to_string())
    }

    async fn page(&self, fetch: Fetch, subscribe: Arc<Subscribe>) -> Result<Page, String> {
        self.log().page(fetch, subscribe).await.map_err(|error| error.to_string())
    }

    async fn tail(&self, after: Position) -> Result<Vec<Appended>, String> {
        let read = self.log().tail(Place::undated(after)).next().await;
        read.map(|read| read.updates).map_err(|error| error.to_string())
    }

    async fn register(&self, subscriptions: Subscriptions) -> Result<(), String> {
        self.log().register(subscriptions).await.map_err(|error| error.to_string())
    }

    async fn unregister(&self, subscriptions: Subscriptions) -> Result<(), String> {
        self.log().unregister(subscriptions).await.map_err(|error| error.to_string())
    }

    async fn list(&self, list: &List) -> Result<Answer, String> {
        self.log().list(list.clone()).await.map_err(|error| error.to_string())
    }

    async fn drop_through(&self, last: Position) -> Result<bool, String> {
        let newest = self.log().head().await.map_err(|error| error.to_string())?;
        match self.drops {
            Drops::Nothing => return Ok(false),
            Drops::BeyondSize if last < newest => {
                let size = newest.back(last.get()).get();
                self.reopen_with(Retention { size, ..WIDE }).await?;
            }
            // No log is configured to keep nothing, so the newest update always goes by its age.
            Drops::BeyondSize | Drops::BeyondAge => {
                match self.locate(Location::Newest(last)).await? {
                    Located::Found(place, _) => {
                        // Other tests move the clock as well.
                        let age = now().since(place.since);
                        self.reopen_with(Retention { age, ..WIDE }).await?;
                    }
                    other => return Err(format!("the last to be dropped: {other:?}")),
                }
            }
        }
        self.reopen().await?;
        Ok(true)
    }

    async fn reopen(&self) -> Result<bool, String> {
        if self.drops == Drops::Nothing {
            return Ok(false);
        }
        self.reopen_with(WIDE).await.map(|()| true)
    }

    fn now(&self) -> Timestamp {
        now()
    }
}

#[tokio::test]
async fn the_log_keeps_the_contract() {
    // Where this is built together with programs of other platforms, there are several providers.
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    for drops in [Drops::BeyondSize, Drops::BeyondAge, Drops::Nothing] {
        for outcome in contract::check(async || Fixture::open(drops)).await {
            assert_eq!(outcome.broken, None, "{drops:?}: {}", outcome.case);
        }
    }
}
