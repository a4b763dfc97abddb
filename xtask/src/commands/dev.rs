//! `dev`: the hub on this machine, and everything it takes to try it.

use std::fs::{self, File, TryLockError};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use cinnabar_core::config;
use clap::Args;
use rustix::io::{FdFlags, fcntl_setfd};

use crate::commands::page::Page;
use crate::commands::token::{self, Generation};
use crate::commands::{check, serve};
use crate::hubs::configuration::{self, DEVELOPMENT_KEY, Variables};
use crate::hubs::{aws, platforms, worker, workerd};
use crate::machine::environment;
use crate::machine::process::{Running, quote};

/// How long the hub may take to answer for the first time; a busy machine is slow.
const READY: Duration = Duration::from_secs(60);

/// The topic of the printed examples.
const TOPIC: &str = "https://example.com/books/1";

#[derive(Args)]
pub(crate) struct Arguments {
    /// The port to listen on, at the loopback address
    #[arg(long, default_value_t = configuration::PORT, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,

    /// The folder that holds the hub's data
    #[arg(long, value_name = "FOLDER", default_value_os_t = serve::default_data())]
    data: PathBuf,

    /// Run the AWS variant: its function under an emulator of Lambda, with DynamoDB Local
    #[arg(long)]
    aws: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    // Checked before the build, which takes a while; if the port is taken in the meantime, the
    // server will say so.
    require_free(arguments.port)?;
    let page = Page::bind(arguments.port.wrapping_add(1))?;
    let variables = configuration::development(arguments.port, &page.origin());
    let platform = if arguments.aws { platforms::AWS } else { platforms::CLOUDFLARE };
    check::validate(&variables, &platform)?;

    let _lock = lock(&arguments.data)?;
    let mut hub = Running::start(&mut built(arguments, &variables)?)?;
    wait_until_it_answers(&mut hub, arguments.port)?;

    let tokens = Tokens::mint(&variables)?;
    let hub_url = configuration::hub_url(arguments.port);
    let page_url = page.origin();
    page.serve(&hub_url, tokens.publisher().unwrap_or_default());
    tokens.print(&hub_url, &page_url, arguments);

    let status = hub.wait()?;
    bail!("the hub ended ({status})")
}

/// The command that serves the hub, which is built first.
fn built(arguments: &Arguments, variables: &Variables) -> Result<Command> {
    if !arguments.aws {
        println!("building the Worker");
        worker::build()?;
        return workerd::command(arguments.port, &arguments.data, variables);
    }
    println!("building the function");
    aws::build()?;
    // In a process of its own, since whatever serves becomes the emulator.
    let mut command = environment::bare(std::env::current_exe()?);
    command
        .args(["serve", "--aws", "--prebuilt", "--port", &arguments.port.to_string(), "--data"])
        .arg(&arguments.data)
        .envs(variables);
    Ok(command)
}

/// Keeps other hubs away from the data: two that wrote to one log would break each other.
fn lock(data: &Path) -> Result<File> {
    fs::create_dir_all(data).with_context(|| format!("cannot create {}", data.display()))?;
    let file = File::create(data.join("lock"))
        .with_context(|| format!("cannot write to {}", data.display()))?;
    match file.try_lock() {
        Ok(()) => {
            // The hub inherits the lock: should it outlive this process, its data are still its
            // own.
            fcntl_setfd(&file, FdFlags::empty()).context("cannot pass on the lock")?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => bail!(
            "another hub is using the data in {}: stop it (`lsof {}` names its process), or choose another folder with --data",
            data.display(),
            quote(&data.join("lock").to_string_lossy())
        ),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", data.display()))
        }
    }
}

/// Fails if something is already listening on the port, at either loopback address: `localhost`
/// means both, and the other program would get some of the requests.
fn require_free(port: u16) -> Result<()> {
    for address in [
        SocketAddr::from(([127, 0, 0, 1], port)),
        SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], port)),
    ] {
        match TcpListener::bind(address) {
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => bail!(
                "port {port} is taken: stop the program that is listening on {address}, or choose another port with `cargo xtask dev --port {}`",
                port.checked_add(10).unwrap_or(8080)
            ),
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                bail!("only root may use port {port}: choose one above 1023 with --port")
            }
            // On a machine without IPv6, nobody is listening there.
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

/// A publisher's and a subscriber's token for each generation, or why there is none to print.
struct Tokens {
    publisher_1: Minted,
    subscriber_1: Minted,
    publisher_0x: Minted,
    subscriber_0x: Minted,
}

type Minted = std::result::Result<String, &'static str>;

impl Tokens {
    fn mint(variables: &Variables) -> Result<Self> {
        Ok(Self {
            publisher_1: mint(variables, "PUBLISHER", Generation::V1)?,
            subscriber_1: mint(variables, "SUBSCRIBER", Generation::V1)?,
            publisher_0x: mint(variables, "PUBLISHER", Generation::V0)?,
            subscriber_0x: mint(variables, "SUBSCRIBER", Generation::V0)?,
        })
    }

    /// A token that can publish, if there is one.
    fn publisher(&self) -> Option<&str> {
        [&self.publisher_1, &self.publisher_0x].into_iter().flatten().next().map(String::as_str)
    }

    fn print(&self, hub_url: &str, page: &str, arguments: &Arguments) {
        let shown = |minted: &Minted| match minted {
            Ok(token) => token.clone(),
            Err(why) => format!("(none: {why})"),
        };
        let publisher = self.publisher().unwrap_or("<a publisher's token>");
        let subscribe = quote(&format!("{hub_url}?match={TOPIC}"));
        let mut again = "cargo xtask dev".to_owned();
        if arguments.aws {
            again += " --aws";
        }
        if arguments.port != configuration::PORT {
            again += &format!(" --port {}", arguments.port);
        }
        println!(
            "
The hub answers at {hub_url}
A page that subscribes: {page}

Tokens for every topic, valid for 30 days
  publisher, 1.0   {}
  publisher, 0.x   {}
  subscriber, 1.0  {}
  subscriber, 0.x  {}

Subscribe:
curl -N {subscribe}

Publish:
curl {hub_url} -H 'Authorization: Bearer {publisher}' -d topic={TOPIC} -d 'data={{\"title\":\"Piranesi\"}}'

To let your own pages subscribe: CORS_ORIGINS=http://localhost:3000 {again}
Press Ctrl-C to stop.",
            shown(&self.publisher_1),
            shown(&self.publisher_0x),
            shown(&self.subscriber_1),
            shown(&self.subscriber_0x)
        );
    }
}

/// A token for every topic, if the hub has a secret to sign it with.
fn mint(variables: &Variables, role: &str, generation: Generation) -> Result<Minted> {
    let set = |name: &str| variables.get(name).filter(|value| !value.is_empty());
    let key = match set(&format!("MERCURE_{role}_JWT_KEY")) {
        Some(key) if config::shared_secret(key).is_some() => key.clone(),
        Some(_) => {
            return Ok(Err(
                "the hub has a public key; sign with the private one: cargo xtask token --key FILE --algorithm ES256",
            ));
        }
        None => DEVELOPMENT_KEY.to_owned(),
    };
    let issuer = match (set("MERCURE_TRUSTED_ISSUERS"), generation) {
        (_, Generation::V0) => None,
        (None, Generation::V1) => return Ok(Err("MERCURE_TRUSTED_ISSUERS is empty")),
        (Some(trusted), Generation::V1) => match config::own_issuer(trusted) {
            Some(issuer) => Some(issuer.to_owned()),
            None => {
                return Ok(Err(
                    "MERCURE_TRUSTED_ISSUERS is a list of issuers with keys of their own",
                ));
            }
        },
    };
    let algorithm = set(&format!("MERCURE_{role}_JWT_ALG")).map_or("HS256", |name| name.trim());
    let every = vec!["*".to_owned()];
    let (publish, subscribe) =
        if role == "PUBLISHER" { (every, Vec::new()) } else { (Vec::new(), every) };
    token::mint(&token::Arguments {
        publish,
        subscribe,
        payload: None,
        expires: 30 * 24 * 3600,
        key: Some(key),
        algorithm: Some(config::algorithm(algorithm).map_err(anyhow::Error::msg)?),
        generation,
        issuer,
        audience: set("HUB_URL").cloned().into_iter().collect(),
        subject: "cargo-xtask-dev".to_owned(),
    })
    .map(Ok)
    .context("cannot mint the tokens to print")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minted(pairs: &[(&str, &str)], generation: Generation) -> Minted {
        let variables = pairs.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        mint(&variables.collect(), "PUBLISHER", generation).unwrap()
    }

    #[test]
    fn tokens_are_signed_with_secrets_alone() {
        assert!(minted(&[], Generation::V0).is_ok());
        assert!(minted(&[], Generation::V1).is_err());
        let trusted = ("MERCURE_TRUSTED_ISSUERS", "https://issuer.example");
        assert!(minted(&[trusted], Generation::V1).is_ok());
        let public = ("MERCURE_PUBLISHER_JWT_KEY", "-----BEGIN PUBLIC KEY-----");
        assert!(minted(&[public, trusted], Generation::V0).is_err());
        assert!(minted(&[public, trusted], Generation::V1).is_err());
        // No part of the list may end up in a token.
        let list = ("MERCURE_TRUSTED_ISSUERS", r#"[{"issuer": "https://a", "key": "secret"}]"#);
        assert!(minted(&[list], Generation::V1).is_err());
    }
}
