//! Publications that are passed on to the hub that is followed, with their publisher's own token.

use std::time::Duration;

use bytes::Bytes;
use cinnabar_core::{Answer, Config, Publish};
use cinnabar_runtime::{Connector, connector};
use http::header::{
    AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderName, ORIGIN, REFERER, RETRY_AFTER, WWW_AUTHENTICATE,
};
use http::request::Parts;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::timeout;

/// How long that hub may take. What became of a publication is not known after that.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a connection may wait for the next publication.
const IDLE: Duration = Duration::from_secs(20);

/// How many bytes of an answer are read: ids and problems are short.
const ANSWER: usize = 64 * 1024;

/// What tells who publishes, from where, and what. Everything else is between the two hubs.
const PASSED_ON: [HeaderName; 5] = [AUTHORIZATION, COOKIE, CONTENT_TYPE, ORIGIN, REFERER];

/// What an answer says besides its body.
const PASSED_BACK: [HeaderName; 3] = [CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE];

/// Passes publications on.
#[derive(Debug)]
pub(crate) struct Forwarder {
    url: String,
    client: Client<Connector, Full<Bytes>>,
}

/// Why there is no answer.
type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Forwarder {
    /// Passes publications on, if this configuration says so.
    pub(crate) fn new(config: &Config) -> Option<Self> {
        let url = config.follow().filter(|_| config.forwards())?.to_string();
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector());
        Some(Self { url, client })
    }

    /// Passes a publication on that this hub would take. Returns what the other hub says to it.
    ///
    /// # Errors
    ///
    /// It says nothing; whether it has taken the update is not known.
    pub(crate) async fn forward(
        &self,
        publish: &Publish,
        head: &Parts,
        body: Vec<u8>,
    ) -> Result<Answer, Failure> {
        // A token may be in the query.
        let query = head.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        let mut request = Request::post(format!("{}{query}", self.url)).body(Full::from(body))?;
        copy(&PASSED_ON, &head.headers, request.headers_mut());
        let (head, body) = timeout(PATIENCE, async {
            let (head, body) = self.client.request(request).await?.into_parts();
            let body = Limited::new(body, ANSWER).collect().await?.to_bytes();
            Ok::<_, Failure>((head, body))
        })
        .await??;
        // The rest of it, such as which pages may read it, is for this hub to say.
        let mut answer = publish.accepted();
        *answer.response.status_mut() = head.status;
        *answer.response.body_mut() = body.to_vec();
        copy(&PASSED_BACK, &head.headers, answer.response.headers_mut());
        Ok(answer)
    }
}

/// Copies these fields, and removes those that the source does not have.
fn copy(names: &[HeaderName], from: &HeaderMap, to: &mut HeaderMap) {
    for name in names {
        to.remove(name);
        for value in from.get_all(name) {
            to.append(name, value.clone());
        }
    }
}
