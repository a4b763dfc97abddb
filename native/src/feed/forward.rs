//! Publications that are passed on to the hub that is followed.

use std::time::Duration;

use bytes::Bytes;
use cinnabar_core::feed::{self, FORWARD_PATIENCE, MAX_FORWARDED_ANSWER, forwarded};
use cinnabar_core::{Answer, Config, Publish, Request};
use cinnabar_runtime::{Connector, connector};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::timeout;

/// How long a connection may wait for the next publication.
const IDLE: Duration = Duration::from_secs(20);

/// Passes publications on.
#[derive(Debug)]
pub(crate) struct Forwarder(Client<Connector, Full<Bytes>>);

/// Why there is no answer.
type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Forwarder {
    /// Passes publications on, if this configuration says so.
    pub(crate) fn new(config: &Config) -> Option<Self> {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector());
        config.forwards().then_some(Self(client))
    }

    /// Passes a publication on that this hub would take. Returns what its publisher is answered.
    ///
    /// # Errors
    ///
    /// The other hub says nothing to it; whether it has taken the update is not known.
    pub(crate) async fn forward(
        &self,
        publish: &Publish,
        config: &Config,
        head: &Request,
        body: Vec<u8>,
    ) -> Result<Answer, Failure> {
        let request = feed::forward(config, head, body).ok_or("this hub passes nothing on")?;
        let theirs = timeout(FORWARD_PATIENCE, async {
            let (head, body) = self.0.request(request.map(Full::from)).await?.into_parts();
            let body = Limited::new(body, MAX_FORWARDED_ANSWER).collect().await?.to_bytes();
            Ok::<_, Failure>(http::Response::from_parts(head, body.to_vec()))
        })
        .await??;
        Ok(forwarded(publish, theirs))
    }
}
