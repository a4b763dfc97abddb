//! The log in DynamoDB, as streams follow it: it does not notify, so it is polled at a [`Pace`].

use std::sync::Arc;

use cinnabar_core::{
    Config, CursorKey, Fetch, Located, Location, Page, Place, Position, Subscribe,
};
use cinnabar_runtime::{
    self as runtime, Ahead, Fault, Pace, Paced, Polled, PolledTail, Source, SourceError,
};

use crate::log::{Log, LogError, Read, Tail};

/// A log that is polled at a pace.
#[derive(Clone, Debug)]
pub struct PolledLog {
    log: Log,
    pace: Pace,
}

impl PolledLog {
    /// This log, polled at the pace that is configured.
    #[must_use]
    pub fn new(log: Log, config: &Config) -> Self {
        Self { log, pace: Pace::new(config.poll_fast(), config.poll_slow()) }
    }
}

impl Source for PolledLog {
    type Error = LogError;
    type Tail = Paced<Tail>;

    async fn open(&self) -> Result<CursorKey, LogError> {
        self.log.open().await
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

    fn tail(&self, from: Place) -> Paced<Tail> {
        Paced::new(self.log.tail(from), self.pace)
    }
}

impl PolledTail for Tail {
    type Error = LogError;

    async fn poll(&mut self) -> Result<Polled, LogError> {
        let Read { updates, reached, as_of, hole, more } = Self::poll(self).await?;
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
            Self::Overtaken => Fault::Overtaken,
        }
    }
}
