//! The processes started by the suite, none of which outlives it.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{fs, thread};

use rustix::process::{Pid, Signal, kill_process};

/// Every running child, by process id.
static RUNNING: Mutex<BTreeMap<u32, Child>> = Mutex::new(BTreeMap::new());

/// Locks a mutex even if a case has panicked with it: the other cases, and the end, still need it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where the children of this run keep their data and logs.
pub(crate) fn folder() -> PathBuf {
    std::env::temp_dir().join(format!("cinnabar-conformance-{}", std::process::id()))
}

/// Starts a process, and returns its id.
pub(crate) fn spawn(command: &mut Command) -> io::Result<u32> {
    // Under the lock, so that no child is started unnoticed while all of them are being ended.
    let mut running = lock(&RUNNING);
    let child = command.spawn()?;
    let id = child.id();
    running.insert(id, child);
    Ok(id)
}

/// Starts a process without input, and returns its id and what is made of each line that it prints, to
/// either output.
pub(crate) fn spawn_for_lines<L: Send + 'static>(
    mut command: Command,
    read: impl Fn(String) -> L + Send + 'static,
) -> io::Result<(u32, Receiver<L>)> {
    let (output, input) = io::pipe()?;
    let errors = input.try_clone()?;
    let id = spawn(command.stdin(Stdio::null()).stdout(input).stderr(errors))?;
    // It holds the pipe's other end open.
    drop(command);
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(read(line)).is_err() {
                break;
            }
        }
    });
    Ok((id, lines))
}

/// Whether a process has ended by itself.
pub(crate) fn has_ended(id: u32) -> bool {
    match lock(&RUNNING).get_mut(&id) {
        Some(child) => child.try_wait().is_ok_and(|status| status.is_some()),
        None => true,
    }
}

/// Asks a process to end (SIGTERM).
pub(crate) fn ask_to_end(id: u32) {
    // Under the lock nobody has waited for the process, so its id has not been reused.
    if let Some(child) = lock(&RUNNING).get(&id) {
        // This fails only for a process that is gone.
        let _ = kill_process(Pid::from_child(child), Signal::TERM);
    }
}

/// Ends a process with SIGKILL.
pub(crate) fn kill(id: u32) {
    let child = lock(&RUNNING).remove(&id);
    if let Some(mut child) = child {
        end(&mut child);
    }
}

/// Ends every process, and then the suite itself.
pub(crate) fn exit(code: i32) -> ! {
    // Held to the end, so that no case can start another.
    let mut running = lock(&RUNNING);
    end_all(&mut running);
    std::process::exit(code)
}

/// Ends every process when it is dropped, even by a panic.
pub(crate) struct Reaper;

impl Drop for Reaper {
    fn drop(&mut self) {
        end_all(&mut lock(&RUNNING));
    }
}

fn end_all(running: &mut BTreeMap<u32, Child>) {
    for child in running.values_mut() {
        end(child);
    }
    running.clear();
    // It does not exist if no hub was started.
    let _ = fs::remove_dir_all(folder());
}

fn end(child: &mut Child) {
    // Both fail only for a process that is already gone.
    let _ = child.kill();
    let _ = child.wait();
}
