//! The keys that issuers publish, fetched over HTTPS.
//!
//! The core's [`KeyRing`] decides what is fetched, and when. Here it is done: in tasks of their own,
//! so that a request that is given up takes no fetch with it that others wait for.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cinnabar_core::{Config, FetchFailure, KeyFetch, KeyRing, LogLine, Step, Unkeyed};
use http::Response;
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::{info, warn};

use crate::machine::Now;
use crate::tls::{Connector, connector};

/// A fetch may be lost, and then nobody tells: so those who wait look again after this.
const RECHECK: Duration = Duration::from_secs(1);

/// The published keys that a hub trusts. Where it trusts none, this does nothing.
#[derive(Debug, Default)]
pub struct Keys(Option<Arc<Fetched>>);

#[derive(Debug)]
struct Fetched {
    ring: KeyRing,
    client: Client<Connector, Empty<Bytes>>,
    /// Told of whatever the ring hears.
    heard: watch::Sender<()>,
    now: Now,
}

impl Keys {
    /// The keys that this configuration trusts, none of which are known yet.
    #[must_use]
    pub fn new(config: &Config, now: Now) -> Self {
        Self(config.key_ring().map(|ring| {
            let (client, heard) = (client(), watch::Sender::new(()));
            Arc::new(Fetched { ring, client, heard, now })
        }))
    }

    /// Begins to fetch whatever is not known yet, before a request waits for it.
    pub fn fetch_all(&self) {
        let Some(keys) = &self.0 else { return };
        keys.ring.want_all((keys.now)());
        keys.fetch();
    }

    /// Returns once all fetches that are under way have been answered, or have failed.
    pub async fn prepared(&self) {
        let Some(keys) = &self.0 else { return };
        let mut heard = keys.heard.subscribe();
        while keys.ring.is_fetching((keys.now)()) {
            // Whether it heard of something or not, it looks again.
            let _ = timeout(RECHECK, heard.changed()).await;
        }
    }

    /// Goes on with a request whose token needs published keys, once they are known. It is left as it
    /// is if they are not by then.
    pub async fn settle<'a>(&self, mut step: Step<'a>) -> Step<'a> {
        let Some(keys) = &self.0 else { return step };
        let end = Instant::now() + Unkeyed::PATIENCE;
        let mut heard = keys.heard.subscribe();
        while let Step::Keys(unkeyed) = step {
            step = unkeyed.admit(&keys.ring, (keys.now)());
            keys.fetch();
            if !matches!(step, Step::Keys(_)) || Instant::now() >= end {
                break;
            }
            let _ = timeout_at(end.min(Instant::now() + RECHECK), heard.changed()).await;
        }
        step
    }
}

impl Fetched {
    /// Begins all fetches that the ring wants.
    fn fetch(self: &Arc<Self>) {
        let next = || self.ring.poll_fetch((self.now)());
        for fetch in std::iter::from_fn(next) {
            tokio::spawn(Arc::clone(self).carry_out(fetch));
        }
    }

    async fn carry_out(self: Arc<Self>, fetch: KeyFetch) {
        let answer = timeout(fetch.timeout(), self.answer(&fetch)).await;
        let answer = answer.unwrap_or_else(|_| Err(fetch.timed_out()));
        let heard = self.ring.handle_fetched(&fetch, answer, (self.now)());
        match heard.log {
            Some(LogLine { text, is_warning: true }) => warn!("{text}"),
            Some(LogLine { text, is_warning: false }) => info!("{text}"),
            None => {}
        }
        self.fetch();
        self.heard.send_replace(());
    }

    async fn answer(&self, fetch: &KeyFetch) -> Result<Response<Vec<u8>>, FetchFailure> {
        let request = fetch.request().map(|()| Empty::new());
        let response = self.client.request(request).await;
        let (head, body) = response.map_err(|error| unanswered(&error))?.into_parts();
        let body = Limited::new(body, fetch.limit()).collect().await.map_err(|error| {
            match error.downcast::<LengthLimitError>() {
                Ok(_) => FetchFailure::TooLarge,
                Err(error) => unanswered(&*error),
            }
        })?;
        Ok(Response::from_parts(head, body.to_bytes().to_vec()))
    }
}

/// An error and its causes: by itself it says little.
fn unanswered(error: &(dyn Error + 'static)) -> FetchFailure {
    let mut reason = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        reason += &format!(": {error}");
        cause = error.source();
    }
    FetchFailure::Unanswered(reason)
}

/// One client for all fetches. It follows no redirects, and keeps no connections: hours lie between
/// two fetches.
fn client() -> Client<Connector, Empty<Bytes>> {
    Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector())
}
