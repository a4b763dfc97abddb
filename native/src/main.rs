//! `cinnabar`: the hub as a process.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use cinnabar_native::log::Storage;
use cinnabar_native::{Hub, configuration, server, tls};
use clap::{Parser, Subcommand};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing::level_filters::LevelFilter;
use tracing::{info, warn};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

#[derive(Parser)]
#[command(name = "cinnabar", about = "A hub compatible with the Mercure protocol", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the hub, configured by the environment
    ///
    /// Besides the hub's own variables: TLS_CERT and TLS_KEY, the PEM files of a certificate and its
    /// key; and RUST_LOG, the level of the log.
    Serve(Serve),
}

#[derive(clap::Args)]
#[command(args_override_self = true)]
struct Serve {
    /// The address and port to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8787")]
    listen: SocketAddr,

    /// The file that holds the hub's updates; `:memory:` keeps them in memory
    #[arg(long, value_name = "FILE", default_value = "cinnabar.db")]
    data: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Command::Serve(serve) = Arguments::parse().command;
    write_logs();
    match serve.run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

impl Serve {
    async fn run(self) -> Result<(), String> {
        let (config, certificate) = configuration::read(configuration::environment())
            .map_err(|mistakes| format!("the configuration has mistakes\n{mistakes}"))?;
        for warning in config.warnings() {
            warn!("configuration: {warning}");
        }
        let tls = certificate.as_ref().map(tls::acceptor).transpose()?;
        allow_many_connections();
        let listener = TcpListener::bind(self.listen).await.map_err(|error| {
            format!(
                "{} cannot be listened on ({error}): choose another address with --listen",
                self.listen
            )
        })?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let path = config.path().to_owned();
        let storage = match self.data.to_str() {
            Some(":memory:") => Storage::Memory,
            _ => Storage::File(self.data),
        };
        let hub = Hub::open(config, &storage).map_err(|error| error.to_string())?;
        let end = end().map_err(|error| format!("cannot listen for signals: {error}"))?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        info!("the hub answers at {scheme}://{address}{path}");
        server::serve(listener, tls, hub, end).await;
        Ok(())
    }
}

/// Waits until the process is to end.
fn end() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Raises the limit on open files: every stream is one, and shells commonly start with a thousand.
fn allow_many_connections() {
    let limit = getrlimit(Resource::Nofile);
    // Some systems refuse to raise it; then the hub serves as many streams as it may.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// Logs lines of text. Other crates may log no more than warnings: at finer levels they show
/// requests, and the tokens in them.
fn write_logs() {
    let level = std::env::var("RUST_LOG").ok().and_then(|level| level.parse().ok());
    let targets = Targets::new()
        .with_default(LevelFilter::WARN)
        // All crates of this hub: their names begin with this.
        .with_target("cinnabar", level.unwrap_or(LevelFilter::INFO));
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(std::io::stderr);
    tracing_subscriber::registry().with(targets).with(lines).init();
}
