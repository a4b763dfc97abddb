//! A hub: it admits requests, and carries out what was admitted.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use cinnabar_core::{
    Admission, Answer, Buckets, CheckHealth, Command, Config, EventId, Health, InvalidPublication,
    List, OwnPublication, Publish, Sampler, Step, Subscribe, admit, link_impossible, misconfigured,
};
use cinnabar_runtime::{
    Fault, Followed, Keys, Link, Opened, Source as _, SourceError as _, Streams, answer, machine,
};
use http::header::{SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY};
use http::request::Parts as Head;
use http::{HeaderValue, Request, Response, Version};
use hyper::upgrade::OnUpgrade;
use jsonwebtoken::crypto::aws_lc;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tracing::{error, info};

use crate::body::Body;
use crate::feed::{Dialer, Feed, Forwarder, accept};
use crate::listener::Place;
use crate::log::{Log, LogError, OpenError, Retention, Storage};
use crate::request;

/// How long it may take to tell the hub that is followed which subscriptions have ended.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Why an update of this process was not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// It breaks a rule.
    #[error(transparent)]
    Invalid(#[from] InvalidPublication),
    /// It has to be published where this hub's updates come from.
    #[error("this hub follows another, which is where to publish")]
    Follows,
    /// The log did not take it.
    #[error("the update was not appended: {0}")]
    Log(#[from] LogError),
    /// The system has no random bytes for its id.
    #[error(transparent)]
    Entropy(#[from] getrandom::Error),
}

/// A hub. A clone is another handle on the same one; with the last handle its streams are cut.
#[derive(Clone, Debug)]
pub struct Hub(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    config: Arc<Config>,
    keys: Keys,
    updates: Updates,
    streams: Streams,
    /// Held while the log is checked, so that others who ask meanwhile wait for the result.
    health: tokio::sync::Mutex<Health>,
    buckets: Mutex<Buckets>,
    sampler: Mutex<Sampler>,
}

/// Where updates are kept.
#[derive(Clone, Debug)]
enum Updates {
    /// Here, for this hub and perhaps for others that follow it.
    Log(Log, Option<Feed>),
    /// At the hub that this one follows, to which publications may be passed on.
    Followed(Followed, Option<Arc<Forwarder>>),
}

impl Hub {
    /// Opens a hub over the log that is kept there, on the tokio runtime of the caller. A hub that
    /// [follows](Config::follow) another has no log, and the storage is left alone.
    ///
    /// # Errors
    ///
    /// The log cannot be opened.
    pub fn open(config: Config, storage: &Storage) -> Result<Self, OpenError> {
        // It fails only if a provider is installed already, which will do.
        let _ = aws_lc::DEFAULT_PROVIDER.install_default();
        let config = Arc::new(config);
        let (updates, streams) = match Dialer::new(&config) {
            Some(dialer) => {
                let followed = Followed::start(dialer, machine::now);
                let streams = Streams::start(Arc::clone(&config), followed.clone(), machine::now);
                let forwarder = Forwarder::new(&config).map(Arc::new);
                (Updates::Followed(followed, forwarder), streams)
            }
            None if config.follow().is_some() => return Err(OpenError::Followed),
            None => {
                let retention =
                    Retention { size: config.history_size(), age: config.history_age() };
                let leads = config.leads();
                let log = Log::open_for(leads, storage, retention, machine::now)?;
                let feed = leads.then(|| Feed::start(log.clone()));
                let streams = Streams::start(Arc::clone(&config), log.clone(), machine::now);
                (Updates::Log(log, feed), streams)
            }
        };
        let keys = Keys::new(&config, machine::now);
        let hub = Self(Arc::new(Parts {
            config,
            keys,
            updates,
            streams,
            health: tokio::sync::Mutex::default(),
            buckets: Mutex::default(),
            sampler: Mutex::default(),
        }));
        // So that the first request need not wait for them.
        hub.0.keys.fetch_all();
        Ok(hub)
    }

    /// Answers a request. Its path has to be the one that the client sent.
    pub async fn respond<B: http_body::Body>(&self, request: Request<B>) -> Response<Body> {
        let (mut parts, body) = request.into_parts();
        let head = request::head(&parts);
        let Ok(entropy) = machine::entropy() else {
            error!("the system has no random bytes");
            return self.send(misconfigured());
        };
        let config = &self.0.config;
        let step = admit(&head, config, machine::now(), &entropy);
        let admission = match self.0.keys.settle(step).await {
            Step::Done(admission) => admission,
            Step::Keys(unkeyed) => Admission::Answer(unkeyed.unavailable()),
            Step::Read(unread) => {
                let body = request::body(body, unread.limit()).await;
                match unread.admit(&body, machine::now()) {
                    Admission::Forward(Command::Publish(publish)) => {
                        return self.carry_out(publish, &head, body).await;
                    }
                    admission => admission,
                }
            }
        };
        match admission {
            Admission::Answer(answer) if answer.begins_link() => {
                self.begin_link(&mut parts, answer)
            }
            Admission::Answer(answer) => self.send(answer),
            // The core admits none without its body.
            Admission::Forward(Command::Publish(publish)) => {
                self.carry_out(publish, &head, cinnabar_core::Body::Broken).await
            }
            Admission::Forward(Command::Subscribe(subscribe)) => self.subscribe(subscribe).await,
            Admission::Forward(Command::List(list)) => self.list(list).await,
            Admission::Forward(Command::CheckHealth(check)) => self.check_health(check).await,
        }
    }

    /// Publishes an update for this process, which needs no token. Once this returns, it is durable,
    /// and on its way to the streams. Returns its id.
    ///
    /// # Errors
    ///
    /// It breaks a rule of publications, or could not be appended; or this hub follows another.
    pub async fn publish(&self, publication: OwnPublication) -> Result<EventId, PublishError> {
        let update = publication.into_update(&self.0.config, &machine::entropy()?)?;
        let id = update.id().clone();
        match &self.0.updates {
            Updates::Log(log, _) => log.append(update.into()).await?,
            Updates::Followed(..) => return Err(PublishError::Follows),
        };
        Ok(id)
    }

    /// Another hub begins to follow this one.
    fn begin_link(&self, parts: &mut Head, mut answer: Answer) -> Response<Body> {
        let upgrade = parts.extensions.remove::<OnUpgrade>();
        let place = parts.extensions.remove::<Arc<Place>>();
        let key = parts.headers.get(SEC_WEBSOCKET_KEY);
        let accepted = key.map(|key| derive_accept_key(key.as_bytes())).map(HeaderValue::try_from);
        let (Updates::Log(_, Some(feed)), Some(upgrade), Some(Ok(accepted))) =
            (&self.0.updates, upgrade, accepted)
        else {
            // Older versions know of no upgrades.
            if parts.version == Version::HTTP_11 {
                error!(
                    "a hub that would follow this one came by a server that upgrades no connections"
                );
            }
            return self.send(link_impossible());
        };
        answer.response.headers_mut().insert(SEC_WEBSOCKET_ACCEPT, accepted);
        let feed = feed.clone();
        tokio::spawn(async move {
            let (link, carrier) = Link::new();
            feed.connect(link);
            accept(upgrade, carrier).await;
            drop(place);
        });
        self.send(answer)
    }

    /// Writes an answer's line to the log, unless there were several like it a moment ago.
    fn send(&self, mut answer: Answer) -> Response<Body> {
        if let Some(line) = answer.log.take().and_then(|line| self.sample(line)) {
            info!("{line}");
        }
        answer::whole(answer).map(Body::new)
    }

    /// A line for the log, unless there were several like it a moment ago.
    fn sample(&self, line: String) -> Option<String> {
        // A panic cannot leave the sampler in a bad state.
        let mut sampler = self.0.sampler.lock().unwrap_or_else(PoisonError::into_inner);
        sampler.sample(line, machine::now())
    }

    /// Publishes what a publisher has sent with this head and body.
    async fn carry_out(
        &self,
        publish: Publish,
        head: &cinnabar_core::Request,
        body: cinnabar_core::Body,
    ) -> Response<Body> {
        if let Some(answer) = self.exceeds(&publish) {
            return self.send(answer);
        }
        let log = match (&self.0.updates, body) {
            (Updates::Log(log, _), _) => log,
            (Updates::Followed(_, Some(forwarder)), cinnabar_core::Body::Whole(body)) => {
                let answer = forwarder.forward(&publish, &self.0.config, head, body).await;
                return self.send(answer.unwrap_or_else(|error| {
                    let line = format!("a publication could not be passed on: {error}");
                    if let Some(line) = self.sample(line) {
                        error!("{line}");
                    }
                    publish.unavailable()
                }));
            }
            // The core admits none then.
            (Updates::Followed(..), _) => return self.send(publish.unavailable()),
        };
        let update = Arc::clone(publish.update());
        let answer = match log.append(update).await {
            Ok(_) => publish.accepted(),
            Err(error) => {
                // A full disk refuses them by the thousand.
                if let Some(line) = self.sample(format!("an update was not appended: {error}")) {
                    error!("{line}");
                }
                match error.fault() {
                    Fault::Lasting => publish.log_broken(),
                    Fault::Passing | Fault::Overtaken => publish.unavailable(),
                }
            }
        };
        self.send(answer)
    }

    fn exceeds(&self, publish: &Publish) -> Option<Answer> {
        // A panic cannot leave the buckets in a bad state.
        let mut buckets = self.0.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        publish.exceeds(&mut buckets, machine::now())
    }

    async fn subscribe(&self, subscribe: Subscribe) -> Response<Body> {
        match self.0.streams.open(subscribe, None).await {
            Opened::Stream(response) => response.map(Body::new),
            Opened::Answer(answer) => self.send(answer),
        }
    }

    async fn list(&self, list: List) -> Response<Body> {
        let unavailable = list.unavailable();
        let listed = match &self.0.updates {
            Updates::Log(log, _) => log.list(list).await.map_err(|error| error.to_string()),
            Updates::Followed(hub, _) => hub.list(list).await.map_err(|error| error.to_string()),
        };
        let answer = listed.unwrap_or_else(|error| {
            error!(%error, "who is here could not be listed");
            unavailable
        });
        self.send(answer)
    }

    async fn check_health(&self, check: CheckHealth) -> Response<Body> {
        let mut health = self.0.health.lock().await;
        let is_healthy = match health.known(machine::now()) {
            Some(is_healthy) => is_healthy,
            None => {
                let checked = match &self.0.updates {
                    Updates::Log(log, _) => log.check_health().await.map_err(|it| it.to_string()),
                    Updates::Followed(hub, _) => {
                        hub.head().await.map(drop).map_err(|it| it.to_string())
                    }
                };
                let checked = checked.inspect_err(|error| error!(%error, "the log is not healthy"));
                health.found(checked.is_ok(), machine::now());
                checked.is_ok()
            }
        };
        self.send(if is_healthy { check.healthy() } else { check.unavailable() })
    }

    /// Ends all streams, each with its position, and opens no new ones. It may take as long as
    /// readers do: call it with a timeout.
    pub async fn end_streams(&self) {
        self.0.streams.shut_down().await;
    }

    /// Closes the log, after which nothing more can be published. A hub that follows another leaves it.
    pub async fn close(&self) {
        match &self.0.updates {
            Updates::Log(log, _) => log.close().await,
            // It may be away.
            Updates::Followed(hub, _) => _ = timeout(LAST_WORDS, hub.close()).await,
        }
    }
}

impl<B> tower_service::Service<Request<B>> for Hub
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let hub = self.clone();
        Box::pin(async move { Ok(hub.respond(request).await) })
    }
}
