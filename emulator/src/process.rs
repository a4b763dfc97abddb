//! The process behind an environment: its start, its variables, and its end.
//!
//! ```text
//! launch ─▶ start ─▶ attend ──────────────────────────▶ Function::environment_ended
//!                    accept: its Runtime API, until it ends by itself or is killed
//! ```

use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustix::process::Pid;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::environment::Environment;
use crate::function::Function;
use crate::settings::Settings;
use crate::{runtime_api, tether};

/// How long a process may take until it asks for its first invocation.
const INIT: Duration = Duration::from_secs(60);

/// How long a process with an extension has to end, once it has been asked to.
const FAREWELL: Duration = Duration::from_secs(5);

/// Starts a process in the background, which serves the function until it ends.
pub(crate) fn launch(function: Arc<Function>) {
    tokio::spawn(run(function));
}

async fn run(function: Arc<Function>) {
    let began = match start(&function).await {
        Ok((environment, listener, child)) => {
            attend(&environment, listener, child).await;
            environment.has_begun()
        }
        Err(error) => {
            eprintln!("lambda: {} cannot be started: {error}", function.settings.name);
            false
        }
    };
    function.environment_ended(began);
}

async fn start(
    function: &Arc<Function>,
) -> std::io::Result<(Arc<Environment>, TcpListener, Child)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?.to_string();
    let child = command(&function.settings, &address)?.spawn()?;
    let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let group = group.ok_or_else(|| std::io::Error::other("it has ended already"))?;
    Ok((Arc::new(Environment::new(Arc::clone(function), group)), listener, child))
}

/// The function's command, with the variables that Lambda adds to its own.
fn command(settings: &Settings, address: &str) -> std::io::Result<Command> {
    let mut command = Command::from(tether::tethered(&settings.command)?);
    for (name, value) in [
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ] {
        if std::env::var_os(name).is_none() {
            command.env(name, value);
        }
    }
    if settings.environment_concurrency > 1 {
        command.env("AWS_LAMBDA_MAX_CONCURRENCY", settings.environment_concurrency.to_string());
    } else {
        command.env_remove("AWS_LAMBDA_MAX_CONCURRENCY");
    }
    command
        .env("AWS_LAMBDA_RUNTIME_API", address)
        .env("AWS_LAMBDA_FUNCTION_NAME", settings.name)
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", settings.name))
        .env("AWS_LAMBDA_LOG_STREAM_NAME", address)
        .env("_HANDLER", "bootstrap")
        .env("SERVES", settings.name)
        .stdin(std::process::Stdio::null())
        // Its own group, so that freezing and ending reach whatever it starts.
        .process_group(0)
        .kill_on_drop(true);
    Ok(command)
}

/// Serves the Runtime API until the process ends by itself, or has to.
async fn attend(environment: &Arc<Environment>, listener: TcpListener, mut child: Child) {
    let name = environment.function.settings.name;
    let mut ending = environment.function.ending();
    let connections = tokio::spawn(accept(Arc::clone(environment), listener));
    let ended = tokio::select! {
        status = child.wait() => Some(status),
        () = environment.condemned() => None,
        () = takes_too_long_to_begin(environment) => {
            eprintln!("lambda: {name} did not ask for an invocation within {INIT:?}");
            None
        }
        () = async { drop(ending.wait_for(|ending| *ending).await) } => {
            say_farewell(environment, &mut child).await
        }
    };
    let status = match ended {
        Some(status) => status,
        None => {
            environment.kill();
            child.wait().await
        }
    };
    eprintln!("lambda: {name} ended ({})", describe(status));
    connections.abort();
    environment.abandon();
}

async fn accept(environment: Arc<Environment>, listener: TcpListener) {
    while let Ok((connection, _)) = listener.accept().await {
        // A failure would only delay what is sent.
        let _ = connection.set_nodelay(true);
        let environment = Arc::clone(&environment);
        let service =
            service_fn(move |request| runtime_api::answer(Arc::clone(&environment), request));
        // A broken connection is for the process to deal with.
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(connection), service));
    }
}

async fn takes_too_long_to_begin(environment: &Environment) {
    if timeout(INIT, environment.first_request()).await.is_ok() {
        std::future::pending().await
    }
}

/// Asks the process to end, which Lambda does only if it has an extension; `None` if it has not
/// ended in time.
async fn say_farewell(
    environment: &Environment,
    child: &mut Child,
) -> Option<std::io::Result<ExitStatus>> {
    if !environment.ask_to_end() {
        return None;
    }
    timeout(FAREWELL, child.wait()).await.ok()
}

fn describe(status: std::io::Result<ExitStatus>) -> String {
    status.map_or_else(|error| error.to_string(), |status| status.to_string())
}
