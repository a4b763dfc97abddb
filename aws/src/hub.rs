//! A hub: it admits requests, and carries out what was admitted.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cinnabar_core::{
    Admission, Buckets, CheckHealth, Command, Config, Health, List, Publish, Sampler, Step,
    Subscribe, Timestamp, admit,
};
use cinnabar_runtime::{Body, Keys, Opened, Streams, machine};
use http::Response;
use tokio::time::timeout;
use tracing::{error, info};

use crate::answer::{Answer, streamed, whole};
use crate::event::Event;
use crate::log::presence::Presence;
use crate::log::{AppendError, Log, Seating, Seats};
use crate::source::PolledLog;

/// How long a response may wait, at its end, until others are told of it, and its seats are left. Lambda
/// may freeze the process as soon as it has ended.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// How long startup waits for the keys of issuers, some of whom may not answer: less than startup may
/// take, after which all of it would be done again.
const PREPARATION: Duration = Duration::from_secs(5);

/// A hub.
#[derive(Debug)]
pub struct Hub {
    config: Arc<Config>,
    keys: Keys,
    log: Log,
    presence: Presence,
    streams: Streams,
    /// Held while the log is checked, so that others who ask meanwhile wait for the result.
    health: tokio::sync::Mutex<Health>,
    /// Of this environment: others count for themselves.
    buckets: Mutex<Buckets>,
    sampler: Mutex<Sampler>,
}

impl Hub {
    /// A hub over a log.
    #[must_use]
    pub fn new(config: Config, log: Log) -> Self {
        let config = Arc::new(config);
        let presence = Presence::new(&log);
        let source = PolledLog::new(log.clone(), presence.clone(), &config);
        let streams = Streams::start(Arc::clone(&config), source, machine::now);
        let keys = Keys::new(&config, machine::now);
        keys.fetch_all();
        Self {
            config,
            keys,
            log,
            presence,
            streams,
            health: Default::default(),
            buckets: Mutex::default(),
            sampler: Mutex::default(),
        }
    }

    /// Waits for the keys that issuers publish, so that no request has to: while none is under way, a
    /// function's process gets no time.
    pub async fn prepare(&self) {
        // Those that come later are waited for by the requests that need them.
        let _ = timeout(PREPARATION, self.keys.prepared()).await;
    }

    /// Answers a request whose response Lambda breaks off at `deadline`.
    ///
    /// # Errors
    ///
    /// If the system has no random bytes.
    pub async fn respond(
        &self,
        event: Event,
        deadline: Timestamp,
    ) -> Result<Answer, getrandom::Error> {
        let head = event.head();
        let step = admit(&head, &self.config, machine::now(), &machine::entropy()?);
        let admission = match self.keys.settle(step).await {
            Step::Done(admission) => admission,
            Step::Keys(unkeyed) => Admission::Answer(unkeyed.unavailable()),
            Step::Read(unread) => {
                let body = event.body(unread.limit());
                unread.admit(&body, machine::now())
            }
        };
        Ok(streamed(match admission {
            Admission::Answer(answer) => self.send(answer),
            Admission::Forward(Command::Publish(publish)) => self.publish(publish).await,
            Admission::Forward(Command::Subscribe(subscribe)) => {
                self.subscribe(subscribe, deadline).await
            }
            Admission::Forward(Command::List(list)) => self.list(list).await,
            Admission::Forward(Command::CheckHealth(check)) => self.check_health(check).await,
        }))
    }

    /// Writes an answer's line to the log, unless there was one like it a moment ago.
    fn send(&self, mut answer: cinnabar_core::Answer) -> Response<Body> {
        if let Some(line) = answer.log.take() {
            // A panic cannot leave the sampler in a bad state.
            let mut sampler = self.sampler.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(line) = sampler.sample(line, machine::now()) {
                info!("{line}");
            }
        }
        whole(answer)
    }

    async fn publish(&self, publish: Publish) -> Response<Body> {
        if let Some(answer) = self.exceeds(&publish) {
            return self.send(answer);
        }
        match self.log.append(publish.update(), publish.id_origin()).await {
            Ok(_) => whole(publish.accepted()),
            Err(AppendError::TooLarge { bytes, limit }) => whole(publish.too_large(bytes, limit)),
            Err(error @ AppendError::Unavailable(_)) => {
                error!(%error, "an update was not appended");
                whole(publish.unavailable())
            }
            Err(error @ AppendError::Broken(_)) => {
                error!(%error, "an update was not appended");
                whole(publish.log_broken())
            }
        }
    }

    async fn subscribe(&self, subscribe: Subscribe, deadline: Timestamp) -> Response<Body> {
        let seats = match self.take_seats(&subscribe, deadline).await {
            Ok(seats) => seats,
            Err(answer) => return self.send(*answer),
        };
        let told = self.config.subscriptions().then(|| self.streams.clone());
        match self.streams.open(subscribe, Some(deadline)).await {
            Opened::Stream(response) if told.is_none() && seats.are_none() => response,
            Opened::Stream(response) => {
                let all_told = async move {
                    if let Some(streams) = told {
                        streams.all_told().await;
                    }
                };
                let last = async move { tokio::join!(all_told, seats.leave()) };
                response.map(|body| body.lasting(async { _ = timeout(LAST_WORDS, last).await }))
            }
            Opened::Answer(answer) => {
                seats.leave().await;
                self.send(answer)
            }
        }
    }

    fn exceeds(&self, publish: &Publish) -> Option<cinnabar_core::Answer> {
        // A panic cannot leave the buckets in a bad state.
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        publish.exceeds(&mut buckets, machine::now())
    }

    /// Takes the seats that a subscriber needs, or tells what it is answered.
    async fn take_seats(
        &self,
        subscribe: &Subscribe,
        deadline: Timestamp,
    ) -> Result<Seats, Box<cinnabar_core::Answer>> {
        let (quotas, now) = (subscribe.quotas(), machine::now());
        // A poll is over in a moment, and the environment's own count will do.
        let Some(end) = subscribe.ends(now) else { return Ok(Seats::default()) };
        match self.log.take_seats(quotas, end.min(deadline)).await {
            Ok(Seating::Taken(seats)) => Ok(seats),
            Ok(Seating::Full(account)) => Err(Box::new(subscribe.limited(account, now))),
            Err(error) => {
                error!(%error, "streams could not be counted");
                Err(Box::new(subscribe.unavailable(now)))
            }
        }
    }

    async fn list(&self, list: List) -> Response<Body> {
        let listed = self.presence.list(&list).await;
        self.send(listed.unwrap_or_else(|error| {
            error!(%error, "who is here could not be listed");
            list.unavailable()
        }))
    }

    async fn check_health(&self, check: CheckHealth) -> Response<Body> {
        let mut health = self.health.lock().await;
        let is_healthy = match health.known(machine::now()) {
            Some(is_healthy) => is_healthy,
            None => {
                let checked = self.log.check_health().await.inspect_err(|error| {
                    error!(%error, "the log is not healthy");
                });
                health.found(checked.is_ok(), machine::now());
                checked.is_ok()
            }
        };
        whole(if is_healthy { check.healthy() } else { check.unavailable() })
    }

    /// Ends all streams, each with its position, and opens no new ones.
    pub async fn shut_down(&self) {
        self.streams.shut_down().await;
    }
}
