//! No process outlives the one that started it, however that one ends.
//!
//! A test that kills a hub kills this program with SIGKILL, of which it learns nothing: then
//! nobody would end the environments. So each child is started through this program once more,
//! which asks the system for a signal at its parent's death, and then becomes the child. Asking in
//! between fork and exec would need unsafe code.

use std::ffi::OsString;
use std::io;
use std::process::Command;

use crate::arguments::Tether;

/// The command that is tethered to this process.
pub(crate) fn tethered(command: &[OsString]) -> io::Result<Command> {
    let mut tethered = Command::new(std::env::current_exe()?);
    tethered.args(["tether", "--parent", &std::process::id().to_string(), "--"]).args(command);
    Ok(tethered)
}

/// Becomes the command; returns where it can't.
#[cfg(target_os = "linux")]
pub(crate) fn become_tethered(tether: &Tether) -> io::Result<()> {
    use std::os::unix::process::CommandExt as _;

    use rustix::process::{Signal, set_parent_process_death_signal};

    set_parent_process_death_signal(Some(Signal::KILL))?;
    // It may have died before.
    if std::os::unix::process::parent_id() != tether.parent {
        return Ok(());
    }
    Err(named(command(tether)?.exec(), tether))
}

/// Runs the command, and ends it when the parent has gone: its children get another parent.
#[cfg(not(target_os = "linux"))]
pub(crate) fn become_tethered(tether: &Tether) -> io::Result<()> {
    use std::time::Duration;

    let mut child = command(tether)?.spawn().map_err(|error| named(error, tether))?;
    loop {
        if let Some(status) = child.try_wait()? {
            std::process::exit(status.code().unwrap_or(1));
        }
        if std::os::unix::process::parent_id() != tether.parent {
            child.kill()?;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn command(tether: &Tether) -> io::Result<Command> {
    let (program, arguments) = tether
        .command
        .split_first()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no command"))?;
    let mut command = Command::new(program);
    command.args(arguments);
    Ok(command)
}

fn named(error: io::Error, tether: &Tether) -> io::Error {
    let program = tether.command.first().map(|program| program.to_string_lossy().into_owned());
    io::Error::new(error.kind(), format!("{}: {error}", program.unwrap_or_default()))
}
