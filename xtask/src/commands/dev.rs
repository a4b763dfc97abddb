//! `dev`: the hub on this machine, and everything it takes to try it.

use std::fs::{self, File, TryLockError};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use cinnabar_core::{Config, config};
use clap::Args;
use rustix::io::{FdFlags, fcntl_setfd};

use crate::commands::token::{self, Generation};
use crate::commands::{check, serve};
use crate::hubs::configuration::{self, Variables};
use crate::hubs::{aws, native, platforms, worker, workerd};
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

    /// Run the native variant: one process, with its log in a file of the data folder
    #[arg(long, conflicts_with = "aws")]
    native: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    // Before the port: what an earlier hub left behind holds both.
    let lock = lock(&arguments.data)?;
    // Checked before the build, which takes a while; if the port is taken in the meantime, the
    // server will say so.
    require_free(arguments.port)?;
    let variables = configuration::development(arguments.port);
    let platform = match arguments {
        Arguments { aws: true, .. } => platforms::AWS,
        Arguments { native: true, .. } => platforms::NATIVE,
        _ => platforms::CLOUDFLARE,
    };
    let config = check::validate(&variables, &platform)?;
    if variables.get("ORIGIN_SECRET").is_some_and(|secret| !secret.is_empty()) {
        bail!("ORIGIN_SECRET is set, but no CDN is in front of this hub to send it: unset it");
    }
    if let Some(ignored) = configuration::ignored_secret() {
        println!("{ignored}");
    }

    let mut hub = Running::start(&mut built(arguments, &variables)?)?;
    name_holder(&lock, hub.id())?;
    wait_until_it_answers(&mut hub, arguments.port)?;

    let hub_url = format!("http://localhost:{}{}", arguments.port, config.path());
    let tokens = Tokens::mint(&variables, &config, &hub_url)?;
    tokens.print(&config, &hub_url, arguments);

    let status = hub.wait()?;
    bail!("the hub ended ({status})")
}

/// The command that serves the hub, which is built first.
fn built(arguments: &Arguments, variables: &Variables) -> Result<Command> {
    if arguments.native {
        println!("building the hub");
        native::build(native::Purpose::Development)?;
        return native::command(
            native::Purpose::Development,
            arguments.port,
            &arguments.data,
            variables,
        );
    }
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
    let path = data.join("lock");
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .with_context(|| format!("cannot write to {}", data.display()))?;
    match file.try_lock() {
        Ok(()) => {
            // The hub inherits the lock: should it outlive this process, its data are still its
            // own.
            fcntl_setfd(&file, FdFlags::empty()).context("cannot pass on the lock")?;
            name_holder(&file, std::process::id())?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            file.read_to_string(&mut holder)?;
            let how = match holder.parse::<u32>() {
                Ok(id) => format!("`kill -9 {id}`"),
                Err(_) => format!("`lsof {}` names its process", quote(&path.to_string_lossy())),
            };
            bail!(
                "a hub that `cargo xtask dev` started is still using the data in {}: stop it (Ctrl-C in its terminal, or if that is gone, {how}), or choose another folder with --data and another port with --port",
                data.display()
            )
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", data.display()))
        }
    }
}

/// Notes which process to end, for whoever finds the data locked.
fn name_holder(lock: &File, id: u32) -> Result<()> {
    lock.set_len(0)?;
    lock.write_all_at(id.to_string().as_bytes(), 0).context("cannot write to the lock")
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
                "port {port} is taken: stop the program that is listening on {address} (`lsof -i :{port}` names it), or choose another port with `cargo xtask dev --port {}`",
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

/// Waits until the hub at this port is ready.
pub(crate) fn wait_until_it_answers(hub: &mut Running, port: u16) -> Result<()> {
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
    fn mint(variables: &Variables, config: &Config, hub_url: &str) -> Result<Self> {
        let mint = |role, generation| mint(variables, config, hub_url, role, generation);
        Ok(Self {
            publisher_1: mint("PUBLISHER", Generation::V1)?,
            subscriber_1: mint("SUBSCRIBER", Generation::V1)?,
            publisher_0x: mint("PUBLISHER", Generation::V0)?,
            subscriber_0x: mint("SUBSCRIBER", Generation::V0)?,
        })
    }

    /// A token that can publish, if there is one.
    fn publisher(&self) -> Option<&str> {
        [&self.publisher_1, &self.publisher_0x].into_iter().flatten().next().map(String::as_str)
    }

    /// A token that can subscribe, if there is one.
    fn subscriber(&self) -> Option<&str> {
        [&self.subscriber_1, &self.subscriber_0x].into_iter().flatten().next().map(String::as_str)
    }

    fn print(&self, config: &Config, hub_url: &str, arguments: &Arguments) {
        let shown = |minted: &Minted| match minted {
            Ok(token) => token.clone(),
            Err(why) => format!("(none: {why})"),
        };
        let publisher = self.publisher().unwrap_or("<token of a publisher>");
        let mut subscribe = quote(&format!("{hub_url}?{}={TOPIC}", parameter(config)));
        if !config.is_anonymous() {
            let token = self.subscriber().unwrap_or("<token of a subscriber>");
            subscribe += &format!(" -H 'Authorization: Bearer {token}'");
        }
        let debugger = match config.has_debugger() {
            true => format!("\nA page to look with: {hub_url}/debug/"),
            false => String::new(),
        };
        let mut again = "cargo xtask dev".to_owned();
        if arguments.aws {
            again += " --aws";
        }
        if arguments.native {
            again += " --native";
        }
        if arguments.port != configuration::PORT {
            again += &format!(" --port {}", arguments.port);
        }
        println!(
            "
The hub answers at {hub_url}{debugger}

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

/// The parameter that names a topic.
fn parameter(config: &Config) -> &'static str {
    if config.serves_v1() { "match" } else { "topic" }
}

/// A token for every topic, if the hub takes such tokens and has a secret to sign them with.
fn mint(
    variables: &Variables,
    config: &Config,
    hub_url: &str,
    role: &str,
    generation: Generation,
) -> Result<Minted> {
    match generation {
        Generation::V1 if !config.serves_v1() => return Ok(Err("PROTOCOL is 0.x")),
        Generation::V0 if !config.serves_v0() => return Ok(Err("PROTOCOL is 1.0")),
        _ => {}
    }
    let set = |name: &str| variables.get(name).filter(|value| !value.is_empty());
    let key = match set(&format!("MERCURE_{role}_JWT_KEY")) {
        Some(key) if config::shared_secret(key).is_ok() => key.clone(),
        Some(_) => {
            return Ok(Err(
                "the hub has a public key; sign with the private one: cargo xtask token --key FILE --algorithm NAME --publish '*' --subscribe '*'",
            ));
        }
        None => return Ok(Err("the hub has no key for this role")),
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
        audience: vec![set("HUB_URL").map_or(hub_url, |url| url.trim()).to_owned()],
        subject: "cargo-xtask-dev".to_owned(),
    })
    .map(Ok)
    .context("cannot mint the tokens to print")
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "http://localhost:8787/.well-known/mercure";

    fn tokens(pairs: &[(&str, &str)]) -> Tokens {
        let defaults = [("MERCURE_PUBLISHER_JWT_KEY", "k".repeat(32)), ("ANONYMOUS", "1".into())];
        let mut variables: Variables =
            defaults.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        variables.extend(pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        let config = Config::read(&platforms::CLOUDFLARE, variables.clone()).unwrap();
        Tokens::mint(&variables, &config, URL).unwrap()
    }

    #[test]
    fn tokens_are_those_that_the_hub_takes() {
        let issuer = ("MERCURE_TRUSTED_ISSUERS", "https://issuer.example");
        let public = (
            "MERCURE_PUBLISHER_JWT_KEY",
            r#"{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
        );
        // No part of a list may end up in a token.
        let list = (
            "MERCURE_TRUSTED_ISSUERS",
            r#"[{"issuer": "https://a", "key": "a secret of at least thirty-two bytes"}]"#,
        );
        for (pairs, v1, v0) in [
            (&[][..], false, true),
            (&[issuer], true, true),
            (&[issuer, ("PROTOCOL", "1.0")], true, false),
            (&[issuer, ("PROTOCOL", "0.x")], false, true),
            (&[issuer, public], false, false),
            (&[list], false, true),
        ] {
            let tokens = tokens(pairs);
            let minted = (tokens.publisher_1.is_ok(), tokens.publisher_0x.is_ok());
            assert_eq!(minted, (v1, v0), "{pairs:?}");
            // It has no key.
            assert!(tokens.subscriber().is_none());
        }
    }

    #[test]
    fn whoever_finds_the_data_locked_is_told_what_to_end() {
        let data = std::env::temp_dir().join(format!("cinnabar-{}", std::process::id()));
        let held = lock(&data).unwrap();
        for id in [1234567, 89] {
            name_holder(&held, id).unwrap();
            let told = lock(&data).unwrap_err().to_string();
            assert!(told.contains(&format!("`kill -9 {id}`")), "{told}");
        }
        fs::remove_dir_all(data).unwrap();
    }
}
