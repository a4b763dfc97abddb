//! A program of `tests/libraries`, and the lines of JSON that it prints.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use crate::children;

/// How long a program may take for what is asked of it: libraries wait for up to half a minute
/// before they come back, and machines can be busy.
pub(super) const PATIENCE: Duration = Duration::from_secs(180);

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/libraries");

/// No warnings of runtimes, and no files beside the scripts.
const QUIET: [(&str, &str); 3] =
    [("NODE_NO_WARNINGS", "1"), ("PYTHONWARNINGS", "ignore"), ("PYTHONDONTWRITEBYTECODE", "1")];

/// A running program; it ends when this is dropped.
pub(super) struct Program<L> {
    script: &'static str,
    id: u32,
    lines: Receiver<Result<L, String>>,
    /// What it printed besides, as programs do that fail.
    noise: String,
}

impl<L: DeserializeOwned + Send + 'static> Program<L> {
    /// Starts a script of `tests/libraries`, with nothing of the user's environment but the path
    /// to programs: proxies and the like are for other hosts.
    #[track_caller]
    pub(super) fn start(script: &'static str, arguments: &[&str]) -> Self {
        let mut command = command(script);
        command
            .args(arguments)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .envs(QUIET);
        let read = |line: String| serde_json::from_str(&line).map_err(|_| line);
        let (id, lines) = match children::spawn_for_lines(command, read) {
            Ok(started) => started,
            Err(error) => panic!("cannot run {script}: {error}"),
        };
        Self { script, id, lines, noise: String::new() }
    }

    /// The next line, or `None` when the program has ended, or says nothing until the deadline.
    pub(super) fn next(&mut self, deadline: Instant) -> Option<L> {
        loop {
            let patience = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(patience) {
                Ok(Ok(line)) => return Some(line),
                Ok(Err(noise)) => _ = writeln!(self.noise, "{noise}"),
                Err(RecvTimeoutError::Disconnected | RecvTimeoutError::Timeout) => return None,
            }
        }
    }

    pub(super) fn script(&self) -> &'static str {
        self.script
    }

    /// What it printed that is no line of its own.
    pub(super) fn noise(&self) -> &str {
        &self.noise
    }
}

impl<L> Drop for Program<L> {
    fn drop(&mut self) {
        children::kill(self.id);
    }
}

/// What runs a script, or the program itself if it was compiled.
#[track_caller]
fn command(script: &str) -> Command {
    let folder = Path::new(FOLDER);
    let python = folder.join(".venv/bin/python");
    assert!(
        folder.join("node_modules").is_dir() && python.is_file(),
        "the libraries are not installed: `cargo xtask test` does it, and tests/libraries/README.md says how"
    );
    let file = folder.join(script);
    let mut command = match file.extension().and_then(|extension| extension.to_str()) {
        Some("mjs") => Command::new("node"),
        Some("py") => Command::new(python),
        Some("java") => java(folder),
        _ => return Command::new(file),
    };
    command.arg(file);
    command
}

/// Java, which compiles a file as it starts it.
fn java(folder: &Path) -> Command {
    let mut java = Command::new("java");
    java.args(["-Dfile.encoding=UTF-8", "-Dstdout.encoding=UTF-8", "-Xmx64m", "-cp"]);
    java.arg(folder.join("java/lib/*"));
    java
}
