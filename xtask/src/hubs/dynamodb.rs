//! DynamoDB Local: the database of the AWS variant, on this machine, in a file or in memory.
//!
//! It speaks DynamoDB's API, and checks neither signatures nor who sends a request. It listens on
//! every address of the machine; it has no option for fewer.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::hubs::{emulator, template};
use crate::machine::process::Running;
use crate::machine::tools;

/// How long it may take to answer for the first time; a busy machine is slow.
const READY: Duration = Duration::from_secs(60);

/// A running database. It ends when this is dropped, and at the latest with this process.
pub(crate) struct Database {
    pub(crate) port: u16,
    _process: Running,
}

/// Where it keeps its data.
#[derive(Clone, Copy)]
pub(crate) enum Storage<'a> {
    /// In a file in this folder.
    Folder(&'a Path),
    /// In memory, where no write waits for a disk.
    Memory,
}

/// Starts it.
pub(crate) fn start(storage: Storage) -> Result<Database> {
    // Another program may take the free port first.
    let mut attempts = 3;
    loop {
        attempts -= 1;
        match launch(storage) {
            Err(_) if attempts > 0 => {}
            done => return done,
        }
    }
}

fn launch(storage: Storage) -> Result<Database> {
    let port = free_port()?;
    let folder = tools::dynamodb_local()?;
    let mut java = Command::new("java");
    java
        // For a quick start, with no more memory than it needs.
        .args(["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"])
        .arg(format!("-Djava.library.path={}", folder.join("DynamoDBLocal_lib").display()))
        .arg("-jar")
        .arg(folder.join("DynamoDBLocal.jar"))
        .args(["-sharedDb", "-disableTelemetry", "-port", &port.to_string()]);
    match storage {
        Storage::Folder(folder) => java.arg("-dbPath").arg(folder),
        Storage::Memory => java.arg("-inMemory"),
    };
    // All it prints is its settings, a warning from its logger, and why it cannot start.
    let said = unnamed_file()?;
    let mut tethered = emulator::tethered(&java);
    let mut process =
        Running::start(tethered.stdout(Stdio::null()).stderr(Stdio::from(said.try_clone()?)))?;
    let deadline = Instant::now() + READY;
    while call(port, "ListTables", &json!({})).is_err() {
        if process.has_ended()? {
            bail!("DynamoDB Local has ended, and said:\n{}", beginning(&said)?);
        }
        if Instant::now() > deadline {
            bail!("DynamoDB Local does not answer");
        }
        thread::sleep(Duration::from_millis(25));
    }
    Ok(Database { port, _process: process })
}

/// A port that is free on every address, not only on the loopback one.
fn free_port() -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    Ok(listener.local_addr()?.port())
}

/// A file that is gone once nobody has it open.
fn unnamed_file() -> Result<File> {
    let path = std::env::temp_dir().join(format!("cinnabar-{}", uuid::Uuid::new_v4()));
    let create = || {
        let file = File::options().read(true).write(true).create_new(true).open(&path)?;
        fs::remove_file(&path)?;
        Ok::<_, io::Error>(file)
    };
    create().with_context(|| format!("cannot create {}", path.display()))
}

/// The first lines of what was written to a file, since Java's error precedes its stack.
fn beginning(file: &File) -> io::Result<String> {
    let mut bytes = [0; 4096];
    let read = file.read_at(&mut bytes, 0)?;
    let text = String::from_utf8_lossy(bytes.get(..read).unwrap_or_default()).into_owned();
    let lines: Vec<_> = text.lines().filter(|line| !line.starts_with("\tat ")).collect();
    Ok(lines.join("\n"))
}

/// Creates a table as template.yaml describes it, unless there is one of this name.
pub(crate) fn create_table(port: u16, name: &str) -> Result<()> {
    let mut table = template::table()?;
    // These take calls of their own, or mean nothing here.
    let time_to_live = table.remove("TimeToLiveSpecification");
    table.remove("PointInTimeRecoverySpecification");
    table.remove("DeletionProtectionEnabled");
    table.insert("TableName".to_owned(), name.into());
    let (status, answer) = call(port, "CreateTable", &table.into())?;
    match status {
        200 => {}
        _ if answer.contains("ResourceInUseException") => return Ok(()),
        _ => bail!("DynamoDB Local cannot create the table: {answer}"),
    }
    let time_to_live = json!({"TableName": name, "TimeToLiveSpecification": time_to_live});
    match call(port, "UpdateTimeToLive", &time_to_live)? {
        (200, _) => Ok(()),
        (_, answer) => bail!("DynamoDB Local cannot make items expire: {answer}"),
    }
}

/// Calls its API, and returns the status and the body of the answer.
fn call(port: u16, name: &str, argument: &Value) -> Result<(u16, String)> {
    let mut connection = TcpStream::connect(("127.0.0.1", port))?;
    connection.set_read_timeout(Some(READY))?;
    let body = argument.to_string();
    write!(
        connection,
        "POST / HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\
         Content-Type: application/x-amz-json-1.0\r\nX-Amz-Target: DynamoDB_20120810.{name}\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=none\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.context("the answer is not HTTP")?, answer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_said_is_shown_without_its_stack() {
        let file = unnamed_file().unwrap();
        let mut shell = Command::new("sh");
        shell.args([
            "-c",
            r"printf 'Error: no\n\tat Main.main(Main.java:1)\nCaused by: that\n' >&2",
        ]);
        shell.stderr(Stdio::from(file.try_clone().unwrap()));
        assert!(shell.status().unwrap().success());
        assert_eq!(beginning(&file).unwrap(), "Error: no\nCaused by: that");
    }

    #[test]
    fn a_free_port_is_free_on_every_address() {
        let port = free_port().unwrap();
        drop(TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).unwrap());
    }
}
