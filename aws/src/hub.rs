//! A hub: admits requests, and carries out what is admitted.

use std::sync::Arc;
use std::time::Duration;

use cinnabar_core::{
    Admission, CheckHealth, Command, Config, Publish, Step, Subscribe, Timestamp, admit,
};
use cinnabar_runtime::{Body, Opened, Streams, answer, machine};
use http::Response;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tracing::{error, info};

use crate::answer::{Answer, streamed};
use crate::event::Event;
use crate::log::{AppendError, Log};
use crate::source::PolledLog;

/// The health check touches the log no more often than this.
const HEALTH_INTERVAL: Duration = Duration::from_secs(10);

/// A hub.
#[derive(Debug)]
pub struct Hub {
    config: Arc<Config>,
    log: Log,
    streams: Streams,
    /// When the log was last tried, and whether it was well.
    health: Mutex<Option<(Instant, bool)>>,
}

impl Hub {
    /// A hub over a log.
    #[must_use]
    pub fn new(config: Config, log: Log) -> Self {
        let config = Arc::new(config);
        let source = PolledLog::new(log.clone(), &config);
        let streams = Streams::start(Arc::clone(&config), source, machine::now);
        Self { config, log, streams, health: Mutex::new(None) }
    }

    /// Answers a request whose response Lambda breaks off at `deadline`.
    ///
    /// # Errors
    ///
    /// The system has no random bytes to give.
    pub async fn respond(
        &self,
        event: Event,
        deadline: Timestamp,
    ) -> Result<Answer, getrandom::Error> {
        let head = event.head();
        let admission = match admit(&head, &self.config, machine::now(), &machine::entropy()?) {
            Step::Done(admission) => admission,
            Step::Read(unread) => {
                let body = event.body(unread.limit());
                unread.admit(&body, machine::now())
            }
        };
        Ok(streamed(match admission {
            Admission::Answer(refusal) => {
                if let Some(line) = refusal.log {
                    info!("{line}");
                }
                answer::whole(refusal.response)
            }
            Admission::Forward(Command::Publish(publish)) => self.publish(publish).await,
            Admission::Forward(Command::Subscribe(subscribe)) => {
                self.subscribe(subscribe, deadline).await
            }
            Admission::Forward(Command::CheckHealth(check)) => self.check_health(check).await,
        }))
    }

    async fn publish(&self, publish: Publish) -> Response<Body> {
        match self.log.append(publish.update()).await {
            Ok(_) => answer::whole(publish.accepted()),
            Err(AppendError::TooLarge { bytes, limit }) => {
                answer::whole(publish.too_large(bytes, limit))
            }
            Err(error @ AppendError::Unavailable(_)) => {
                error!(%error, "an update was not appended");
                answer::unavailable(Command::Publish(publish).unavailable())
            }
            Err(error @ AppendError::Broken(_)) => {
                error!(%error, "an update was not appended");
                answer::whole(publish.refused())
            }
        }
    }

    async fn subscribe(&self, subscribe: Subscribe, deadline: Timestamp) -> Response<Body> {
        match self.streams.open(subscribe, Some(deadline)).await {
            Opened::Stream(response) => response,
            Opened::Answer(unavailable) => answer::unavailable(unavailable),
        }
    }

    async fn check_health(&self, check: CheckHealth) -> Response<Body> {
        let mut health = self.health.lock().await;
        let well = match *health {
            Some((at, well)) if at.elapsed() < HEALTH_INTERVAL => well,
            _ => {
                let well = self.log.check_health().await.inspect_err(|error| {
                    error!(%error, "the log is not healthy");
                });
                *health = Some((Instant::now(), well.is_ok()));
                well.is_ok()
            }
        };
        if well {
            answer::whole(check.healthy())
        } else {
            answer::unavailable(Command::CheckHealth(check).unavailable())
        }
    }

    /// Ends all streams, each with its position, and opens no more.
    pub async fn shut_down(&self) {
        self.streams.shut_down().await;
    }
}
