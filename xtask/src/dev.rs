//! `dev`: the hub on this machine, and all it takes to try it.

use std::fs::{self, File, TryLockError};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::configuration::{self, DEVELOPMENT_KEY, Variables};
use crate::page::Page;
use crate::process::{Running, quote};
use crate::token::{self, Generation};
use crate::{aws, check, serve, worker};

/// How long the hub may take until it answers; a busy machine is slow.
const READY: Duration = Duration::from_secs(60);

/// The topic of the printed examples.
const TOPIC: &str = "https://example.com/books/1";

#[derive(Args)]
pub(crate) struct Arguments {
    /// The port to listen at, on the loopback address
    #[arg(long, default_value_t = 8787, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,

    /// The folder that holds the hub's data
    #[arg(long, value_name = "FOLDER", default_value_os_t = serve::default_data())]
    data: PathBuf,

    /// Run the AWS variant: its function under an emulator of Lambda, with DynamoDB Local
    #[arg(long)]
    aws: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    // Before the build, which takes its time; the server will say so too if it is taken meanwhile.
    require_free(arguments.port)?;
    let page = Page::bind(arguments.port.wrapping_add(1))?;
    let variables = configuration::development(arguments.port, &page.origin());
    check::validate(&variables)?;

    let _lock = lock(&arguments.data)?;
    let mut hub = Running::start(&mut built(arguments, &variables)?)?;
    wait_until_it_answers(&mut hub, arguments.port)?;

    let tokens = Tokens::mint(&variables)?;
    let hub_url = configuration::hub_url(arguments.port);
    let page_url = page.origin();
    page.serve(&hub_url, &tokens.publisher_0x);
    tokens.print(&hub_url, &page_url);

    let status = hub.wait()?;
    bail!("the hub ended ({status})")
}

/// The command that serves the hub, which is built first.
fn built(arguments: &Arguments, variables: &Variables) -> Result<Command> {
    if !arguments.aws {
        println!("building the Worker");
        worker::build()?;
        return serve::workerd(arguments.port, &arguments.data, variables);
    }
    println!("building the function");
    aws::build()?;
    // A process of its own, since what serves becomes the emulator.
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["serve", "--aws", "--prebuilt", "--port", &arguments.port.to_string(), "--data"])
        .arg(&arguments.data)
        .envs(variables);
    Ok(command)
}

/// Keeps other hubs from the data: two that write one log would break each other.
fn lock(data: &Path) -> Result<File> {
    fs::create_dir_all(data).with_context(|| format!("cannot make {}", data.display()))?;
    let file = File::create(data.join("lock"))
        .with_context(|| format!("cannot write to {}", data.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!(
            "another hub uses the data in {}: end it, or choose another folder with --data",
            data.display()
        ),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", data.display()))
        }
    }
}

/// Fails if something listens at the port already, on either loopback address: `localhost` names
/// both, and the other program would get some of the requests.
fn require_free(port: u16) -> Result<()> {
    for address in [
        SocketAddr::from(([127, 0, 0, 1], port)),
        SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], port)),
    ] {
        match TcpListener::bind(address) {
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => bail!(
                "port {port} is taken: end the program that listens at {address}, or choose another port with `cargo xtask dev --port {}`",
                port.checked_add(10).unwrap_or(8080)
            ),
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                bail!("port {port} is reserved for root: choose one above 1023 with --port")
            }
            // A machine without IPv6 has nobody listening there.
            _ => {}
        }
    }
    Ok(())
}

fn wait_until_it_answers(hub: &mut Running, port: u16) -> Result<()> {
    let deadline = Instant::now() + READY;
    loop {
        match healthz(port) {
            Some(status) if status == "200" => return Ok(()),
            Some(status) if Instant::now() > deadline => {
                bail!("the hub answers {status} at /healthz: see what it printed above")
            }
            _ if hub.has_ended()? => bail!("the hub ended: see what it printed above"),
            None if Instant::now() > deadline => bail!("the hub does not answer"),
            _ => thread::sleep(Duration::from_millis(50)),
        }
    }
}

/// The status of `GET /healthz`.
fn healthz(port: u16) -> Option<String> {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).ok()?;
    connection.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    write!(
        connection,
        "GET /healthz HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n"
    )
    .ok()?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).ok()?;
    answer.split(' ').nth(1).map(str::to_owned)
}

/// A publisher's and a subscriber's token of each generation.
struct Tokens {
    publisher_1: Option<String>,
    subscriber_1: Option<String>,
    publisher_0x: String,
    subscriber_0x: String,
}

impl Tokens {
    fn mint(variables: &Variables) -> Result<Self> {
        let set = |name: &str| variables.get(name).filter(|value| !value.is_empty()).cloned();
        let every = || vec!["*".to_owned()];
        let mint = |publish: Vec<String>, generation| {
            let role = if publish.is_empty() { "SUBSCRIBER" } else { "PUBLISHER" };
            token::mint(&token::Arguments {
                subscribe: if publish.is_empty() { every() } else { Vec::new() },
                publish,
                payload: None,
                expires: 30 * 24 * 3600,
                key: Some(
                    set(&format!("MERCURE_{role}_JWT_KEY"))
                        .unwrap_or_else(|| DEVELOPMENT_KEY.to_owned()),
                ),
                algorithm: jsonwebtoken::Algorithm::HS256,
                generation,
                issuer: set("MERCURE_TRUSTED_ISSUERS"),
                audience: set("HUB_URL").into_iter().collect(),
                subject: "cargo-xtask-dev".to_owned(),
            })
            .context("cannot make the tokens to print")
        };
        // A hub that trusts no issuer takes no token of 1.0.
        let trusts = set("MERCURE_TRUSTED_ISSUERS").is_some();
        let mint_1 = |publish| trusts.then(|| mint(publish, Generation::V1)).transpose();
        Ok(Self {
            publisher_1: mint_1(every())?,
            subscriber_1: mint_1(Vec::new())?,
            publisher_0x: mint(every(), Generation::V0)?,
            subscriber_0x: mint(Vec::new(), Generation::V0)?,
        })
    }

    fn print(&self, hub_url: &str, page: &str) {
        let none = || "(none: MERCURE_TRUSTED_ISSUERS is empty)";
        let publisher_1 = self.publisher_1.as_deref().unwrap_or_else(none);
        let subscriber_1 = self.subscriber_1.as_deref().unwrap_or_else(none);
        let publisher = self.publisher_1.as_ref().unwrap_or(&self.publisher_0x);
        let subscribe = quote(&format!("{hub_url}?match={TOPIC}"));
        println!(
            "
The hub answers at {hub_url}
A page that subscribes: {page}

Tokens for every topic, valid for 30 days
  publisher, 1.0   {publisher_1}
  publisher, 0.x   {}
  subscriber, 1.0  {subscriber_1}
  subscriber, 0.x  {}

Subscribe:
curl -N {subscribe}

Publish:
curl {hub_url} -H 'Authorization: Bearer {publisher}' -d topic={TOPIC} -d 'data={{\"title\":\"Piranesi\"}}'

To let pages of yours subscribe: CORS_ORIGINS=http://localhost:3000 cargo xtask dev
Ctrl-C ends it.",
            self.publisher_0x, self.subscriber_0x
        );
    }
}
