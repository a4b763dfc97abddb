//! Hubs that the suite starts.
//!
//! A hub is a child process, ready when `GET /healthz` answers. Hubs of one configuration are
//! shared by the cases that need it; a case which kills its hub starts its own.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use crate::arguments::Arguments;
use crate::children::{self, lock};
use crate::http::{Endpoint, Request};
use crate::hub::{Hub, Keys};

/// Configuration variables over the suite's own ([`environment`]).
pub(crate) type Variables = &'static [(&'static str, &'static str)];

/// A configuration that the hub refuses: it answers 500 on every path, and is ready when it does.
pub(crate) const BROKEN: (&str, &str) = ("HEARTBEAT", "soon");

/// How long a hub may take until it answers: machines that run many at once are slow.
const READY: Duration = Duration::from_secs(60);

/// Names that configure a hub. What the user's own environment says must not reach it.
const NAMES: &[&str] = &[
    "ALLOW_ANONYMOUS",
    "ANONYMOUS",
    "AUDIENCES",
    "COOKIE_NAME",
    "CORS_ALLOWED_ORIGINS",
    "CORS_ORIGINS",
    "HEARTBEAT",
    "HISTORY_AGE",
    "HISTORY_SIZE",
    "HUB_ALIASES",
    "HUB_URL",
    "JWT_KEY",
    "MAX_MATCHERS",
    "MAX_REQUEST_BODY_SIZE",
    "MAX_STREAMS",
    "MAX_TOPICS",
    "MAX_UPDATE_SIZE",
    "MERCURE_PUBLISHER_JWT_ALG",
    "MERCURE_PUBLISHER_JWT_KEY",
    "MERCURE_SUBSCRIBER_JWT_ALG",
    "MERCURE_SUBSCRIBER_JWT_KEY",
    "MERCURE_TRUSTED_ISSUERS",
    "NATIVE_READERS",
    "OUTBOXES_SIZE",
    "OUTBOX_SIZE",
    "PROTOCOL",
    "PUBLISH_ALLOWED_ORIGINS",
    "PUBLISH_ORIGINS",
    "PUBLISH_UNGRANTED",
    "QUERY_AUTHORIZATION",
    "REPLAY_MAX",
    "STREAM_LIFETIME",
    "SUBSCRIPTIONS",
    "TARGETS",
];

/// A shared hub, or why it could not be started; empty until it is first asked for.
type Slot = OnceLock<Result<Arc<Hub>, String>>;

/// Where hubs come from.
pub(crate) struct Hubs {
    arguments: Arguments,
    running: Option<Arc<Hub>>,
    shared: Mutex<BTreeMap<Variables, Arc<Slot>>>,
}

impl Hubs {
    pub(crate) fn new(arguments: &Arguments) -> Result<Self, String> {
        let running = match &arguments.url {
            Some(url) => {
                let endpoint = Endpoint::parse(url, arguments)?;
                let keys = keys(arguments, url);
                Some(Arc::new(Hub::new(endpoint, keys, arguments, None)))
            }
            None => None,
        };
        Ok(Self { arguments: arguments.clone(), running, shared: Mutex::default() })
    }

    pub(crate) fn can_launch(&self) -> bool {
        self.arguments.launch.is_some()
    }

    /// The hub of this configuration, started when first asked for; `None` where a hub already
    /// runs and its configuration is what it is.
    pub(crate) fn shared(&self, variables: Variables) -> Option<Arc<Hub>> {
        if let Some(running) = &self.running {
            return variables.is_empty().then(|| Arc::clone(running));
        }
        let slot = Arc::clone(lock(&self.shared).entry(variables).or_default());
        match slot.get_or_init(|| self.launch(variables).map(Arc::new)) {
            Ok(hub) => Some(Arc::clone(hub)),
            Err(reason) => panic!("{reason}"),
        }
    }

    /// Starts a hub of this configuration.
    pub(crate) fn launch(&self, variables: &[(&str, &str)]) -> Result<Hub, String> {
        let command = self.arguments.launch.as_deref().ok_or("no command to launch a hub with")?;
        // The free port can be taken by another program before the hub listens on it.
        let mut attempts = 3;
        loop {
            let port = free_port()?;
            let url = format!("http://localhost:{port}/.well-known/mercure");
            let endpoint = Endpoint::parse(&url, &self.arguments)?;
            let keys = keys(&self.arguments, &url);
            let process = Process::new(command, environment(&keys, &url, variables), port);
            attempts -= 1;
            match process.start() {
                Ok(()) => return Ok(Hub::new(endpoint, keys, &self.arguments, Some(process))),
                Err(reason) if attempts == 0 => return Err(reason),
                Err(_) => {}
            }
        }
    }
}

fn keys(arguments: &Arguments, url: &str) -> Keys {
    Keys {
        publisher: arguments.publisher_key.clone(),
        subscriber: arguments.subscriber_key.clone(),
        issuer: arguments.issuer.clone(),
        audience: arguments.audience.clone().unwrap_or_else(|| url.to_owned()),
    }
}

/// The configuration of a hub: what all cases rely on, and above it what this one is for. An empty
/// value takes a variable of the suite's away.
fn environment(keys: &Keys, url: &str, variables: &[(&str, &str)]) -> BTreeMap<String, String> {
    let base = [
        ("HUB_URL", url),
        ("MERCURE_PUBLISHER_JWT_KEY", &keys.publisher),
        ("MERCURE_SUBSCRIBER_JWT_KEY", &keys.subscriber),
        ("MERCURE_TRUSTED_ISSUERS", &keys.issuer),
        ("ANONYMOUS", "1"),
    ];
    base.into_iter()
        .chain(variables.iter().copied())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn free_port() -> Result<u16, String> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| format!("no free port: {error}"))
}

/// The server process of a hub, on a port and a folder that stay the same over its restarts.
pub(crate) struct Process {
    command: String,
    environment: BTreeMap<String, String>,
    port: u16,
    folder: PathBuf,
    id: Mutex<Option<u32>>,
}

impl Process {
    fn new(command: &str, environment: BTreeMap<String, String>, port: u16) -> Self {
        static HUBS: AtomicU64 = AtomicU64::new(0);
        let number = HUBS.fetch_add(1, Ordering::Relaxed);
        Self {
            command: command.to_owned(),
            environment,
            port,
            folder: children::folder().join(number.to_string()),
            id: Mutex::new(None),
        }
    }

    /// Starts the server and waits until it answers.
    pub(crate) fn start(&self) -> Result<(), String> {
        let failed = |error| format!("cannot write to {}: {error}", self.folder.display());
        fs::create_dir_all(self.folder.join("data")).map_err(failed)?;
        let mut log = File::options();
        let log = log.create(true).append(true).open(self.log_path()).map_err(failed)?;
        let errors = log.try_clone().map_err(failed)?;
        let mut command = Command::new("sh");
        command
            // The shell is replaced by the server, whose process id is then the child's.
            .args(["-c", &format!("exec {} \"$@\"", self.command), "sh"])
            .args(["--port", &self.port.to_string(), "--data"])
            .arg(self.folder.join("data"))
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors);
        for name in NAMES {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().filter(|(_, value)| !value.is_empty()));
        let id =
            children::spawn(&mut command).map_err(|error| format!("cannot run sh: {error}"))?;
        *lock(&self.id) = Some(id);
        self.wait_until_ready(id)
    }

    fn wait_until_ready(&self, id: u32) -> Result<(), String> {
        let broken =
            self.environment.iter().any(|(name, value)| (name.as_str(), value.as_str()) == BROKEN);
        let ready = if broken { 500 } else { 200 };
        let endpoint = Arc::new(Endpoint::local(self.port));
        let deadline = Instant::now() + READY;
        loop {
            let answer =
                Request::new(Arc::clone(&endpoint), "GET", "/healthz".to_owned()).try_send();
            if answer.as_ref().is_ok_and(|response| response.status == ready) {
                return Ok(());
            }
            let ended = children::has_ended(id);
            if ended || Instant::now() > deadline {
                self.kill();
                let answer = match answer {
                    Ok(response) => format!("answered {} {:?}", response.status, response.text()),
                    Err(error) => format!("did not answer ({error})"),
                };
                return Err(format!(
                    "the hub {} and {answer} at /healthz:\n{}",
                    if ended { "ended" } else { "is not ready" },
                    self.log()
                ));
            }
            thread::sleep(Duration::from_millis(25));
        }
    }

    /// Ends the server with SIGKILL.
    pub(crate) fn kill(&self) {
        if let Some(id) = lock(&self.id).take() {
            children::kill(id);
        }
    }

    pub(crate) fn id(&self) -> Option<u32> {
        *lock(&self.id)
    }

    pub(crate) fn log(&self) -> String {
        fs::read(self.log_path())
            .map(|log| String::from_utf8_lossy(&log).into_owned())
            .unwrap_or_default()
    }

    fn log_path(&self) -> PathBuf {
        Path::new(&self.folder).join("log")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
