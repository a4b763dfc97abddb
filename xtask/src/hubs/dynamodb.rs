//! DynamoDB Local: the database of the AWS variant, on this machine, in a file or in memory.
//!
//! It speaks DynamoDB's API, and checks neither signatures nor who sends a request.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
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
    let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
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
    // All it prints is its settings and a warning from its logger.
    let mut tethered = emulator::tethered(&java);
    let mut process = Running::start(tethered.stdout(Stdio::null()).stderr(Stdio::null()))?;
    let deadline = Instant::now() + READY;
    while call(port, "ListTables", &json!({})).is_err() {
        if process.has_ended()? {
            bail!("DynamoDB Local ended; see what `java -version` says");
        }
        if Instant::now() > deadline {
            bail!("DynamoDB Local does not answer");
        }
        thread::sleep(Duration::from_millis(25));
    }
    Ok(Database { port, _process: process })
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
