//! The log in DynamoDB, as streams follow it: it does not notify, so it is polled at a [`Pace`]. While
//! it is, what this process has noted of its streams is kept up.

use std::sync::Arc;

use cinnabar_core::{
    ActiveSubscription, Config, CursorKey, Fetch, Located, Location, Page, Place, Position,
    Subscribe, Subscriptions,
};
use cinnabar_runtime::{
    self as runtime, Ahead, Fault, Pace, Paced, Polled, PolledTail, Source, SourceError,
};
use tokio::sync::OnceCell;

use crate::log::presence::{Presence, RENEWAL};
use crate::log::{Log, LogError, Read, Tail};

/// A log that is polled at a pace, and who is here.
#[derive(Clone, Debug)]
pub struct PolledLog {
    log: Log,
    presence: Presence,
    pace: Pace,
    /// Known once it was opened.
    key: Arc<OnceCell<CursorKey>>,
}

/// Follows the log, and keeps up what this process has noted meanwhile.
#[derive(Debug)]
pub struct PresentTail {
    tail: Tail,
    presence: Presence,
}

impl PolledLog {
    /// This log, polled at the pace that is configured.
    #[must_use]
    pub fn new(log: Log, presence: Presence, config: &Config) -> Self {
        let slow = config.poll_slow();
        // Who is here is kept up in between.
        let slow = if config.subscriptions() { slow.min(RENEWAL) } else { slow };
        Self { log, presence, pace: Pace::new(config.poll_fast(), slow), key: Arc::default() }
    }
}

impl Source for PolledLog {
    type Error = LogError;
    type Tail = Paced<PresentTail>;

    async fn open(&self) -> Result<CursorKey, LogError> {
        self.key.get_or_try_init(|| self.log.open()).await.cloned()
    }

    async fn head(&self) -> Result<Position, LogError> {
        self.log.head().await
    }

    async fn locate(&self, location: Location) -> Result<Located, LogError> {
        self.log.locate(location).await
    }

    async fn page(&self, fetch: Fetch, subscription: Arc<Subscribe>) -> Result<Page, LogError> {
        self.log.page(&fetch, &subscription).await
    }

    async fn register(&self, subscriptions: Subscriptions) -> Result<(), LogError> {
        self.presence.register(subscriptions).await
    }

    async fn unregister(&self, subscriptions: Subscriptions) -> Result<(), LogError> {
        self.presence.unregister(subscriptions).await
    }

    async fn registered(&self, after: String) -> Result<Vec<ActiveSubscription>, LogError> {
        Ok(self.presence.registered(&after))
    }

    fn tail(&self, from: Place) -> Paced<PresentTail> {
        self.presence.begin_anew();
        let tail = PresentTail { tail: self.log.tail(from), presence: self.presence.clone() };
        Paced::new(tail, self.pace)
    }
}

impl PolledTail for PresentTail {
    type Error = LogError;

    async fn poll(&mut self) -> Result<Polled, LogError> {
        self.presence.renew().await?;
        let Read { updates, reached, as_of, hole, more } = self.tail.poll().await?;
        let ahead = match (more, hole) {
            (true, _) => Ahead::More,
            (false, true) => Ahead::Hole,
            (false, false) => Ahead::Nothing,
        };
        let reached = Place { position: reached, since: as_of };
        Ok(Polled { read: runtime::Read { updates, reached }, ahead })
    }
}

impl SourceError for LogError {
    fn fault(&self) -> Fault {
        match self {
            Self::Unavailable(_) => Fault::Passing,
            Self::Broken(_) => Fault::Lasting,
            Self::Overtaken | Self::TakenForDead => Fault::Overtaken,
        }
    }
}
