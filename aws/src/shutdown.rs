//! The end of the process: streams end first, each with its position.
//!
//! Lambda sends SIGTERM half a second before it removes an environment, but only if the function
//! has an extension. So the process registers one that asks for no events.

use std::sync::Arc;
use std::time::Duration;

use lambda_extension::Extension;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use crate::function::Function;

/// How long streams may take to end.
const PATIENCE: Duration = Duration::from_millis(300);

/// How long the last bytes take to reach Lambda.
const FLUSH: Duration = Duration::from_millis(100);

/// Prepares for the end of the process. Call it before asking for the first invocation.
///
/// # Errors
///
/// If the process cannot listen for signals.
pub async fn prepare(function: Arc<Function>) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    match Extension::new()
        .with_events(&[])
        .with_extension_name("cinnabar-shutdown")
        .register()
        .await
    {
        Ok(extension) => {
            tokio::spawn(async move {
                if let Err(error) = extension.run().await {
                    warn!(%error, "the extension has ended");
                }
            });
        }
        Err(error) => info!(%error, "no extension, so this process ends without a signal"),
    }
    tokio::spawn(async move {
        terminate.recv().await;
        if timeout(PATIENCE, function.shut_down()).await.is_err() {
            warn!("some streams did not end in time; their clients resume");
        }
        sleep(FLUSH).await;
        std::process::exit(0);
    });
    Ok(())
}
