//! The function: a hub that is made once per process and answers invocations.

use cinnabar_core::{Timestamp, misconfigured, unconfigured};
use cinnabar_runtime::machine;
use lambda_runtime::{Error, LambdaEvent};
use tokio::sync::OnceCell;
use tracing::{error, warn};

use crate::answer::{Answer, streamed, whole};
use crate::configuration::{self, ConfigurationError};
use crate::event::Event;
use crate::hub::Hub;
use crate::log::Log;

/// The function.
#[derive(Debug, Default)]
pub struct Function {
    /// `None` if the configuration is broken.
    hub: OnceCell<Option<Hub>>,
}

impl Function {
    /// Answers an invocation.
    ///
    /// # Errors
    ///
    /// If the system has no random bytes.
    pub async fn respond(&self, invocation: LambdaEvent<Event>) -> Result<Answer, Error> {
        let LambdaEvent { payload, context } = invocation;
        match self.hub().await {
            Ok(Some(hub)) => {
                Ok(hub.respond(payload, Timestamp::from_millis(context.deadline)).await?)
            }
            Ok(None) => Ok(streamed(whole(misconfigured()))),
            Err(_) => Ok(streamed(whole(unconfigured(&payload.head(), &machine::entropy()?)))),
        }
    }

    /// The hub, made on the first call; `None` if its configuration is broken.
    ///
    /// # Errors
    ///
    /// If the secret could not be read; the next call tries again.
    pub async fn hub(&self) -> Result<Option<&Hub>, ConfigurationError> {
        self.hub.get_or_try_init(make).await.map(Option::as_ref)
    }

    /// Ends all streams, each with its position.
    pub async fn shut_down(&self) {
        if let Some(Some(hub)) = self.hub.get() {
            hub.shut_down().await;
        }
    }
}

async fn make() -> Result<Option<Hub>, ConfigurationError> {
    let sdk = configuration::sdk().await;
    let (config, settings) = match configuration::read(&sdk, configuration::environment()).await {
        Ok(configuration) => configuration,
        Err(ConfigurationError::Broken(mistakes)) => {
            error!("the configuration is broken, and no request is served:\n{mistakes}");
            return Ok(None);
        }
        Err(passing) => {
            error!("no request is served: {passing}");
            return Err(passing);
        }
    };
    for warning in config.warnings() {
        warn!("configuration: {warning}");
    }
    let log = Log::new(aws_sdk_dynamodb::Client::new(&sdk), settings);
    let hub = Hub::new(config, log.clone());
    // Now, while no request waits: this connects, and makes the log if there is none yet.
    let (opened, ()) = tokio::join!(log.open(), hub.prepare());
    if let Err(error) = opened {
        warn!(%error, "the log could not be opened yet");
    }
    Ok(Some(hub))
}
