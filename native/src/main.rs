//! `cinnabar`: the hub as a process.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use cinnabar_commands::{check, token};
use cinnabar_native::deployment::PLATFORM;
use cinnabar_native::listener::{self, Listener};
use cinnabar_native::log::Storage;
use cinnabar_native::{Hub, configuration, server, tls};
use clap::{Parser, Subcommand};
use jsonwebtoken::crypto::aws_lc;
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
    /// Check the configuration in the environment before a deploy, reading it as `serve` will
    ///
    /// It is stricter: misspelt names and well-known keys, of which `serve` warns, are mistakes.
    Check,
    /// Mint an access token for the hub that the environment configures, or for any other
    Token(token::Arguments),
}

#[derive(clap::Args)]
#[command(args_override_self = true)]
struct Serve {
    /// The address and port to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8787")]
    listen: SocketAddr,

    /// The file that holds the hub's updates; `:memory:` keeps them in memory
    /// [default: cinnabar.db]
    ///
    /// A hub that follows another, by FOLLOW, has none.
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,

    /// How many connections there may be at a time; those that come then wait until others end
    /// [default: twice MAX_STREAMS and 1,000 more, as far as the limit of open files allows]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    max_connections: Option<u32>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Serve(serve) => {
            write_logs();
            serve.run().await
        }
        Command::Check => check_configuration(),
        Command::Token(arguments) => {
            // It fails only if a provider is installed already, which will do.
            let _ = aws_lc::DEFAULT_PROVIDER.install_default();
            token::run(&arguments, configuration::environment())
                .map_err(|error| format!("{error:#}"))
        }
    };
    match done {
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
        let streams = config.max_streams();
        let asked = self.max_connections.map(|number| number as usize);
        let most = listener::most_connections(asked, listener::raise_open_files(), streams)?;
        let listener = Listener::bind(self.listen, most).await.map_err(|error| {
            format!(
                "{} cannot be listened on ({error}): choose another address with --listen",
                self.listen
            )
        })?;
        let address = listener.address().map_err(|error| error.to_string())?;
        let path = config.path().to_owned();
        let leader = config.follow().cloned();
        if let (Some(_), Some(data)) = (&leader, &self.data) {
            warn!(
                "--data {} is not used: a hub that follows another keeps no updates",
                data.display()
            );
        }
        let storage = match self.data {
            Some(data) if data.to_str() == Some(":memory:") => Storage::Memory,
            data => Storage::File(data.unwrap_or_else(|| "cinnabar.db".into())),
        };
        let hub = Hub::open(config, &storage).map_err(|error| error.to_string())?;
        let end = end().map_err(|error| format!("cannot listen for signals: {error}"))?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        info!("there is room for {most} connections at a time");
        if asked.is_none() && most < streams {
            warn!(
                "without HTTP/2 that is room for fewer streams than MAX_STREAMS, {streams}: raise the limit of open files (`ulimit -n`, or LimitNOFILE in a unit of systemd)"
            );
        }
        info!("the hub answers at {scheme}://{address}{path}");
        if let Some(leader) = leader {
            info!("it follows {leader}");
        }
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

/// Checks what [`Serve`] would read, and prints what the hub makes of it.
fn check_configuration() -> Result<(), String> {
    const SOURCE: &str = "the environment";
    let mut variables = configuration::environment();
    let mut files = variables.clone();
    files.retain(|name, _| matches!(name.as_str(), "TLS_CERT" | "TLS_KEY"));
    let certificate = configuration::take_certificate(&mut variables)
        .and_then(|certificate| certificate.as_ref().map(tls::acceptor).transpose());
    let sourced = |(name, value): (String, String)| (name, (value.into(), SOURCE));
    let variables = variables.into_iter().map(sourced).collect();
    let found = certificate.err().into_iter().collect();
    let config = check::fit_to_deploy(&PLATFORM, &variables, found)
        .map_err(|mistakes| mistakes.to_string())?;
    check::print(&PLATFORM, &config, &variables);
    for (name, file) in files {
        println!("  {name:<36} {file}  ({SOURCE})");
    }
    Ok(())
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
