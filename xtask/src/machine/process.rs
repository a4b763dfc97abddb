//! Child processes, none of which outlives this one.
//!
//! Each child leads a process group of its own, because whatever it starts must end too, and some
//! of those programs (workerd with open streams, npm's wrappers) neither end on SIGTERM nor pass it
//! on. A signal to this process asks each group to stop, and then kills it.

use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use cinnabar_kit::shell::quote;
use rustix::process::{
    Pid, Resource, Rlimit, Signal, getrlimit, kill_process_group, setrlimit,
    test_kill_process_group,
};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// How long a group may take to stop by itself.
const GRACE: Duration = Duration::from_secs(1);

/// The groups that are running.
static GROUPS: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// From now on, SIGINT, SIGTERM and SIGHUP end the children and then this process.
pub(crate) fn end_children_on_signals() -> Result<()> {
    let mut signals =
        Signals::new([SIGINT, SIGTERM, SIGHUP]).context("cannot listen for signals")?;
    thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            // Held to the end, so that nothing else is started, and nobody reports how the
            // children ended.
            let groups = groups();
            end_groups(&groups);
            // What a shell reports for a program ended by a signal.
            std::process::exit(128 + signal);
        }
    });
    Ok(())
}

fn end_groups(groups: &[Pid]) {
    // A signal fails only for a group that is gone.
    for &group in groups {
        let _ = kill_process_group(group, Signal::INT);
    }
    let deadline = Instant::now() + GRACE;
    while Instant::now() < deadline
        && groups.iter().any(|&group| test_kill_process_group(group).is_ok())
    {
        thread::sleep(Duration::from_millis(20));
    }
    for &group in groups {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

fn groups() -> MutexGuard<'static, Vec<Pid>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A process that is killed, with everything it has started, when this is dropped.
pub(crate) struct Running {
    child: Child,
    group: Pid,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        use std::os::unix::process::CommandExt as _;
        let name = display(command);
        // Held during the start: a signal in between would miss the child.
        let mut groups = groups();
        let child = command
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot run `{name}`"))?;
        let group = Pid::from_child(&child);
        groups.push(group);
        Ok(Self { child, group })
    }

    /// The process's id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> Result<std::process::ExitStatus> {
        Ok(self.child.wait()?)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // This reaches what it leaves behind, such as a server that it started and did not stop.
        let _ = kill_process_group(self.group, Signal::KILL);
        let _ = self.child.wait();
        groups().retain(|&group| group != self.group);
    }
}

/// Runs a command to its end, and fails if it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = Running::start(command)?.wait()?;
    if !status.success() {
        bail!("`{}` failed ({status})", display(command));
    }
    Ok(())
}

/// Runs a command to its end, fails if it fails, and returns what it prints.
pub(crate) fn printed_by(command: &mut Command) -> Result<String> {
    let name = display(command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run `{name}`"))?;
    if !output.status.success() {
        bail!("`{name}` failed ({})", output.status);
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// What a command prints, or `None` if it fails or cannot be run.
pub(crate) fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// Whether a command can be run and succeeds; its output is discarded.
pub(crate) fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Raises the limit on open files, which the server inherits: a thousand streams reach the limit
/// that shells commonly start with.
pub(crate) fn allow_many_connections() {
    let limit = getrlimit(Resource::Nofile);
    // Some systems refuse to raise it; then the hub serves as many streams as it may.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// A command as it would be typed.
fn display(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| quote(&word.to_string_lossy()))
        .collect::<Vec<_>>()
        .join(" ")
}
