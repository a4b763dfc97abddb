//! The process that Lambda starts: for publishing, or for subscribing.

use std::sync::Arc;
use std::time::Duration;

use cinnabar_aws::event::Event;
use cinnabar_aws::function::Function;
use cinnabar_aws::shutdown;
use jsonwebtoken::crypto::aws_lc;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use tokio::time::timeout;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// How long startup may take. Whatever is not ready by then is left to the first request.
const INIT: Duration = Duration::from_secs(8);

#[tokio::main]
async fn main() -> Result<(), Error> {
    write_logs();
    // It fails only if a provider is installed already, and that can only be this one.
    let _ = aws_lc::DEFAULT_PROVIDER.install_default();
    let function = Arc::new(Function::default());
    shutdown::prepare(Arc::clone(&function)).await?;
    // What is done now is not done while a request waits; but Lambda allows only ten seconds.
    let _ = timeout(INIT, function.hub()).await;
    lambda_runtime::run_concurrent(service_fn(move |invocation: LambdaEvent<Event>| {
        let function = Arc::clone(&function);
        async move { function.respond(invocation).await }
    }))
    .await
}

/// Logs lines of JSON. Other crates may log no more than warnings: at finer levels they show
/// requests, and the tokens in them.
fn write_logs() {
    let level = std::env::var("RUST_LOG").ok().and_then(|level| level.parse().ok());
    let targets = Targets::new()
        .with_default(LevelFilter::WARN)
        // All crates of this hub: their names begin with this.
        .with_target("cinnabar", level.unwrap_or(LevelFilter::INFO));
    let lines = tracing_subscriber::fmt::layer().json().with_current_span(false);
    tracing_subscriber::registry().with(targets).with(lines).init();
}
