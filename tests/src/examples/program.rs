//! An example as a process, and what it prints.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::case::Suite;
use crate::children;
use crate::hub::Hub;

/// How long an example may take for what is asked of it, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

const TOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The secret of both roles: applications have one.
pub(crate) const SECRET: &str = "the one secret of an application, for both roles";

/// Starts a hub with one secret for both roles, as applications sign.
#[track_caller]
pub(crate) fn with_one_secret(suite: &Suite, variables: &[(&str, &str)]) -> Hub {
    let keys = [("MERCURE_PUBLISHER_JWT_KEY", SECRET), ("MERCURE_SUBSCRIBER_JWT_KEY", SECRET)];
    let mut hub = suite.launch(&[&keys, variables].concat());
    SECRET.clone_into(&mut hub.keys.publisher);
    SECRET.clone_into(&mut hub.keys.subscriber);
    hub
}

/// A running example; it ends when this is dropped.
pub(crate) struct Example {
    script: String,
    id: u32,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Example {
    /// Starts a script, whose path begins at the top of the repository, for this hub.
    #[track_caller]
    pub(crate) fn start(hub: &Hub, script: &str, arguments: &[&str]) -> Self {
        Self::start_with(hub, script, arguments, &[])
    }

    /// As [`Example::start`], with more variables, or others.
    #[track_caller]
    pub(crate) fn start_with(
        hub: &Hub,
        script: &str,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let mut command = Command::new(interpreter(script));
        command
            .arg(Path::new(TOP).join(script))
            .args(arguments)
            // Nothing of the user's, such as a proxy for other hosts.
            .env_clear()
            .envs(["PATH", "HOME"].iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
            .env("NODE_NO_WARNINGS", "1")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("MERCURE_URL", hub.url())
            .env("MERCURE_JWT_SECRET", SECRET)
            .env("MERCURE_JWT_ISSUER", &hub.keys.issuer)
            .env("MERCURE_AUDIENCE", &hub.keys.audience)
            .envs(variables.iter().copied());
        let (id, lines) = match children::spawn_for_lines(command, |line| line) {
            Ok(started) => started,
            Err(error) => panic!("cannot run {script}: {error}"),
        };
        Self { script: script.to_owned(), id, lines, seen: Vec::new() }
    }

    /// Reads on until a line has this in it, and returns that line.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, part: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.next(deadline) {
                Some(line) if line.contains(part) => return line,
                Some(_) => {}
                None => panic!("{} has not said {part:?}, but {:?}", self.script, self.seen),
            }
        }
    }

    /// All that it prints until it ends.
    #[track_caller]
    pub(crate) fn output(mut self) -> String {
        let deadline = Instant::now() + PATIENCE;
        while self.next(deadline).is_some() {}
        assert!(Instant::now() < deadline, "{} does not end: {:?}", self.script, self.seen);
        self.seen.join("\n")
    }

    fn next(&mut self, deadline: Instant) -> Option<String> {
        let patience = deadline.saturating_duration_since(Instant::now());
        match self.lines.recv_timeout(patience) {
            Ok(line) => {
                self.seen.push(line.clone());
                Some(line)
            }
            Err(RecvTimeoutError::Disconnected | RecvTimeoutError::Timeout) => None,
        }
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        children::kill(self.id);
    }
}

/// What runs a script, by its name's end.
fn interpreter(script: &str) -> PathBuf {
    match Path::new(script).extension().and_then(|extension| extension.to_str()) {
        Some("sh") => "sh".into(),
        Some("php") => "php".into(),
        Some("py") => Path::new(TOP).join("tests/libraries/.venv/bin/python"),
        _ => "node".into(),
    }
}
