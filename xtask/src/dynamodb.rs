//! DynamoDB Local: the database of the hub on AWS, on this machine, in a file.
//!
//! It takes requests of DynamoDB's API, and checks neither signatures nor who sends them.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::process::Running;
use crate::{aws, template, tools};

/// The table's name, which is the stack's affair on AWS.
pub(crate) const TABLE: &str = "cinnabar";

/// How long it may take until it answers; a busy machine is slow.
const READY: Duration = Duration::from_secs(60);

/// A database that runs, with its table; it ends with this process, and when it is dropped.
pub(crate) struct Database {
    pub(crate) port: u16,
    _process: Running,
}

/// Starts it with its file in this folder, and makes the table where there is none.
pub(crate) fn start(data: &Path) -> Result<Database> {
    // The free port can be taken by another program before it listens there.
    let mut attempts = 3;
    let database = loop {
        attempts -= 1;
        match launch(data) {
            Err(_) if attempts > 0 => {}
            done => break done?,
        }
    };
    create_table(database.port)?;
    Ok(database)
}

fn launch(data: &Path) -> Result<Database> {
    let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    let folder = tools::dynamodb_local()?;
    let mut java = Command::new("java");
    java
        // A small heap and a quick start: a test has many of them.
        .args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"])
        .arg(format!("-Djava.library.path={}", folder.join("DynamoDBLocal_lib").display()))
        .arg("-jar")
        .arg(folder.join("DynamoDBLocal.jar"))
        .args(["-sharedDb", "-disableTelemetry", "-port", &port.to_string(), "-dbPath"])
        .arg(data);
    // It prints its settings, and a warning of its logger.
    let mut tethered = aws::tethered(&java);
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

/// Makes the table as template.yaml describes it.
fn create_table(port: u16) -> Result<()> {
    let mut table = template::table()?;
    // These are calls of their own, or mean nothing here.
    let time_to_live = table.remove("TimeToLiveSpecification");
    table.remove("PointInTimeRecoverySpecification");
    table.remove("DeletionProtectionEnabled");
    table.insert("TableName".to_owned(), TABLE.into());
    let (status, answer) = call(port, "CreateTable", &table.into())?;
    match status {
        200 => {}
        _ if answer.contains("ResourceInUseException") => return Ok(()),
        _ => bail!("DynamoDB Local makes no table: {answer}"),
    }
    let time_to_live = json!({"TableName": TABLE, "TimeToLiveSpecification": time_to_live});
    match call(port, "UpdateTimeToLive", &time_to_live)? {
        (200, _) => Ok(()),
        (_, answer) => bail!("DynamoDB Local lets nothing expire: {answer}"),
    }
}

/// A call of its API: the status and the body of its answer.
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
    Ok((status.context("no HTTP")?, answer))
}
