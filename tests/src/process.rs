//! A hub's server process.
//!
//! It is ready when `GET /healthz` answers: a hub that follows another, whatever it answers of that.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::children::{self, lock};
use crate::http::{Endpoint, Request};
use crate::port::Port;

/// A variable that makes the hub refuse its configuration: it answers 500 on every path, and is
/// ready once it does.
pub(crate) const BROKEN: (&str, &str) = ("HEARTBEAT", "soon");

/// How long a hub may take until it answers: a machine that runs many at once is slow.
const READY: Duration = Duration::from_secs(60);

/// What a server gets of the user's own environment: what programs need to be found and to run.
/// Anything else could configure the hub, or a library in it, and cases would depend on who runs
/// them. A command that needs more can say so: `--launch "env NAME=value COMMAND"`.
const INHERITED: &[&str] =
    &["HOME", "JAVA_HOME", "LANG", "LD_LIBRARY_PATH", "PATH", "RUST_BACKTRACE", "TMPDIR", "USER"];

/// The server process of a hub. Its port and its folder stay the same when it is restarted.
pub(crate) struct Process {
    command: String,
    environment: BTreeMap<String, String>,
    port: Port,
    folder: PathBuf,
    id: Mutex<Option<u32>>,
}

impl Process {
    pub(crate) fn new(command: &str, environment: BTreeMap<String, String>, port: Port) -> Self {
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
        let mut command = self.command();
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        let id =
            children::spawn(&mut command).map_err(|error| format!("cannot run sh: {error}"))?;
        *lock(&self.id) = Some(id);
        self.wait_until_ready(id)
    }

    /// The server's command, with its own configuration and none of the user's.
    fn command(&self) -> Command {
        let mut command = Command::new("sh");
        command
            // The shell is replaced by the server, whose process id is then the child's.
            .args(["-c", &format!("exec {} \"$@\"", self.command), "sh"])
            .args(["--port", &self.port.number().to_string(), "--data"])
            .arg(self.folder.join("data"))
            .env_clear();
        for name in INHERITED {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.envs(self.environment.iter().filter(|(_, value)| !value.is_empty()));
        command
    }

    fn wait_until_ready(&self, id: u32) -> Result<(), String> {
        let broken =
            self.environment.iter().any(|(name, value)| (name.as_str(), value.as_str()) == BROKEN);
        let ready: &[u16] = match self.environment.contains_key("FOLLOW") {
            true => &[200, 503],
            false if broken => &[500],
            false => &[200],
        };
        let endpoint = Arc::new(Endpoint::local(self.port.number()));
        let deadline = Instant::now() + READY;
        loop {
            let mut request = Request::new(Arc::clone(&endpoint), "GET", "/healthz".to_owned());
            if let Some(secret) = self.environment.get("ORIGIN_SECRET") {
                request = request.header("X-Origin-Verify", secret);
            }
            let answer = request.try_send();
            if answer.as_ref().is_ok_and(|response| ready.contains(&response.status)) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_users_configures_a_hub() {
        // It stands for any of the user's variables: cargo sets it for every test.
        let of_the_users = "CARGO_PKG_NAME";
        assert!(std::env::var_os(of_the_users).is_some(), "run by cargo");
        let environment = [("ANONYMOUS", "1"), ("CORS_ORIGINS", "")];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let process = Process::new("sh -c env", environment.into(), Port::take().unwrap());
        let printed = process.command().output().unwrap();
        let printed = String::from_utf8(printed.stdout).unwrap();
        let has = |name: &str| printed.lines().any(|line| line.starts_with(&format!("{name}=")));
        assert!(has("ANONYMOUS") && has("PATH"), "{printed}");
        assert!(!has(of_the_users) && !has("CORS_ORIGINS"), "{printed}");
    }
}
