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
use cinnabar_kit::development::{self, Variables};
use cinnabar_kit::shell::quote;
use cinnabar_kit::welcome::Tokens;
use clap::Args;
use rustix::io::{FdFlags, fcntl_setfd};

use crate::commands::serve;
use crate::hubs::door::Door;
use crate::hubs::{aws, native, platforms, worker, workerd};
use crate::machine::environment;
use crate::machine::process::Running;

/// How long the hub may take to answer for the first time; a busy machine is slow.
const READY: Duration = Duration::from_secs(60);

#[derive(Args)]
pub(crate) struct Arguments {
    /// The port to listen on, at the loopback address
    #[arg(long, default_value_t = development::PORT, value_parser = clap::value_parser!(u16).range(1..))]
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

impl Arguments {
    /// The command with these arguments, as it is typed.
    fn command(&self) -> String {
        let mut command = "cargo xtask dev".to_owned();
        if self.aws {
            command += " --aws";
        }
        if self.native {
            command += " --native";
        }
        if self.port != development::PORT {
            command += &format!(" --port {}", self.port);
        }
        command
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    // Before the port: what an earlier hub left behind holds both.
    let lock = lock(&arguments.data)?;
    // Checked before the build, which takes a while; if the port is taken in the meantime, the
    // server will say so.
    require_free(arguments.port)?;
    let platform = match arguments {
        Arguments { aws: true, .. } => platforms::AWS,
        Arguments { native: true, .. } => platforms::NATIVE,
        _ => platforms::CLOUDFLARE,
    };
    let (variables, config) = development::configure(&platform, arguments.port)?;
    if let Some(ignored) = development::ignored_secret() {
        println!("{ignored}");
    }

    let mut hub = Running::start(&mut built(arguments, &variables)?)?;
    name_holder(&lock, hub.id())?;
    wait_until_it_answers(&mut hub, arguments.port)?;

    let hub_url = format!("http://localhost:{}{}", arguments.port, config.path());
    let tokens = Tokens::mint(&variables, &config, &hub_url)?;
    println!("{}", tokens.text(&config, &hub_url, &arguments.command()));

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
        return workerd::command(arguments.port, &arguments.data, variables, Door::Closed);
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

#[cfg(test)]
mod tests {
    use super::*;

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
