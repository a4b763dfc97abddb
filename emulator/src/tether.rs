//! No process outlives the one that started it, however that one ends.
//!
//! A test that kills a hub sends SIGKILL to this program, which cannot then end its environments.
//! So each child is started through this program once more: it asks the system for a signal at its
//! parent's death, and then becomes the child. Asking between fork and exec would need unsafe code.

use std::ffi::OsString;
use std::io;
use std::process::Command;

/// This command, tethered to this process.
pub(crate) fn tethered(command: &[OsString]) -> io::Result<Command> {
    let mut tethered = Command::new(std::env::current_exe()?);
    tethered.args(["tether", "--parent", &std::process::id().to_string(), "--"]).args(command);
    Ok(tethered)
}

/// Becomes the command; returns only if it cannot.
#[cfg(target_os = "linux")]
pub(crate) fn become_tethered(parent: u32, command: &[OsString]) -> io::Result<()> {
    use std::os::unix::process::CommandExt as _;

    use rustix::process::{Signal, set_parent_process_death_signal};

    set_parent_process_death_signal(Some(Signal::KILL))?;
    // The parent may have died before the signal was asked for.
    if std::os::unix::process::parent_id() != parent {
        return Ok(());
    }
    Err(named(started(command)?.exec(), command))
}

/// Runs the command, and kills it once the parent is gone, which shows in this process's having
/// another parent.
#[cfg(not(target_os = "linux"))]
pub(crate) fn become_tethered(parent: u32, command: &[OsString]) -> io::Result<()> {
    use std::time::Duration;

    let mut child = started(command)?.spawn().map_err(|error| named(error, command))?;
    loop {
        if let Some(status) = child.try_wait()? {
            std::process::exit(status.code().unwrap_or(1));
        }
        if std::os::unix::process::parent_id() != parent {
            child.kill()?;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn started(command: &[OsString]) -> io::Result<Command> {
    let (program, arguments) = command
        .split_first()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no command"))?;
    let mut command = Command::new(program);
    command.args(arguments);
    Ok(command)
}

fn named(error: io::Error, command: &[OsString]) -> io::Error {
    let program = command.first().map(|program| program.to_string_lossy().into_owned());
    io::Error::new(error.kind(), format!("{}: {error}", program.unwrap_or_default()))
}
