//! Two hubs as processes of their own on this machine, of which one follows the other.
//!
//! ```text
//! serve --native --follow ─┬─ the hub that has the log
//!                          └─ becomes the hub that follows it, and forwards publications to it
//! ```
//!
//! The process that was started becomes the one that clients ask, so that a test that kills it has killed
//! the hub: the other is tethered to it, and ends with it.

use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use cinnabar_core::Config;
use cinnabar_kit::development::Variables;

use crate::hubs::native::{self, Purpose};
use crate::hubs::{emulator, platforms};
use crate::machine::process::Running;

/// How long it may take until the hub that has the log listens. One that was killed may hold it for a
/// moment yet, and another program may be faster at a port.
const READY: Duration = Duration::from_secs(30);

/// What both have in common. They listen at the loopback address alone.
const SECRET: &str = "the secret of two hubs on one machine";

/// Builds the hub, and what tethers one to the other.
pub(crate) fn build() -> Result<()> {
    native::build(Purpose::Development)?;
    emulator::build_alone()
}

/// Becomes the hub that follows another; returns only if it cannot.
pub(crate) fn run(port: u16, data: &Path, mut variables: Variables) -> Result<()> {
    emulator::require_built_alone()?;
    let config = match Config::read(&platforms::NATIVE, variables.clone()) {
        Ok(config) => config,
        Err(mistakes) => bail!("the configuration has mistakes\n{mistakes}"),
    };
    variables.insert("FEED_SECRET".to_owned(), SECRET.to_owned());
    // Kept until this process becomes the other hub, which is then still its parent.
    let (_leader, at) = start(data, &variables)?;
    let url = format!("http://127.0.0.1:{at}{}", config.path());
    variables.insert("FOLLOW".to_owned(), url);
    variables.insert("FOLLOW_PUBLISH".to_owned(), "forward".to_owned());
    let error = native::command(Purpose::Development, port, data, &variables)?.exec();
    Err(error).context("cannot run the hub")
}

/// Starts the hub that has the log. Returns it, and its port.
fn start(data: &Path, variables: &Variables) -> Result<(Running, u16)> {
    // Nobody but the other hub asks it, and that one comes past any proxy.
    let mut variables = variables.clone();
    variables.remove("ORIGIN_SECRET");
    let deadline = Instant::now() + READY;
    loop {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let mut hub = Running::start(&mut command(port, data, &variables)?)?;
        if listens(&mut hub, port)? {
            return Ok((hub, port));
        }
        if Instant::now() > deadline {
            bail!("the hub that has the log has ended: see what it printed above");
        }
        thread::sleep(Duration::from_millis(50));
    }
}

fn command(port: u16, data: &Path, variables: &Variables) -> Result<Command> {
    let hub = native::command(Purpose::Development, port, data, variables)?;
    let mut tethered = emulator::tethered(&hub);
    let given = hub.get_envs().filter_map(|(name, value)| Some((name, value?)));
    tethered.env_clear().envs(given);
    Ok(tethered)
}

/// Waits until a hub listens at this port. Returns whether it does, and has not ended.
fn listens(hub: &mut Running, port: u16) -> Result<bool> {
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if hub.has_ended()? {
            return Ok(false);
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(true)
}
