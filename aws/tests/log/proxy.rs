//! A proxy in front of DynamoDB Local: it drops, delays and repeats calls, answers them itself, and
//! changes what comes back.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// What happens to a call.
#[derive(Clone, Debug)]
pub(crate) enum Fate {
    /// It is carried out and answered.
    Pass,
    /// The connection is closed, and the call is lost.
    Drop,
    /// It is carried out, but the connection is closed without an answer.
    Cut,
    /// It is carried out twice, and the second is answered.
    Repeat,
    /// It waits until it is released.
    Hold(Arc<Notify>),
    /// It is throttled.
    Throttle,
    /// It is answered with an internal error, but not carried out.
    Fail,
    /// It is carried out, but answered with an internal error.
    FailAfter,
    /// It is carried out, and its cost is added up.
    Measure(Arc<Mutex<f64>>),
    /// It is carried out, but the items with these numbers are missing from the answer.
    Hide(Vec<u64>),
}

/// What the fate of a call may depend on.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// `PutItem` and so on.
    pub(crate) operation: String,
    /// What it asks for.
    pub(crate) body: Value,
}

type Decide = dyn FnMut(&Call) -> Fate + Send;

pub(crate) struct Proxy {
    pub(crate) port: u16,
    decide: Arc<Mutex<Box<Decide>>>,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Proxy {
    /// A proxy that decides the fate of each call.
    pub(crate) async fn new(
        upstream: u16,
        decide: impl FnMut(&Call) -> Fate + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let decide: Arc<Mutex<Box<Decide>>> = Arc::new(Mutex::new(Box::new(decide)));
        let decides = Arc::clone(&decide);
        let server = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                // A client that disconnects ends its own connection, and nothing else.
                tokio::spawn(serve(client, upstream, Arc::clone(&decides)));
            }
        });
        Self { port, decide, server }
    }

    /// Changes how fates are decided from now on.
    pub(crate) fn decide(&self, decide: impl FnMut(&Call) -> Fate + Send + 'static) {
        *self.decide.lock().unwrap() = Box::new(decide);
    }
}

async fn serve(
    client: TcpStream,
    upstream: u16,
    decide: Arc<Mutex<Box<Decide>>>,
) -> std::io::Result<()> {
    let mut client = BufReader::new(client);
    loop {
        let (head, body) = read_message(&mut client).await?;
        let operation = field(&head, "x-amz-target").unwrap_or_default();
        let operation = operation.rsplit('.').next().unwrap_or_default().to_owned();
        let call = Call { operation, body: serde_json::from_slice(&body).unwrap_or_default() };
        let fate = decide.lock().unwrap()(&call);
        let (status, answer) = match fate {
            Fate::Drop => return Ok(()),
            Fate::Throttle => (400, error("ProvisionedThroughputExceededException")),
            Fate::Fail => (500, error("InternalServerError")),
            Fate::Cut => {
                forward(upstream, &head, &body).await?;
                return Ok(());
            }
            Fate::FailAfter => {
                forward(upstream, &head, &body).await?;
                (500, error("InternalServerError"))
            }
            Fate::Repeat => {
                forward(upstream, &head, &body).await?;
                forward(upstream, &head, &body).await?
            }
            Fate::Pass => forward(upstream, &head, &body).await?,
            Fate::Hold(released) => {
                // The call is on its way: it arrives even if its sender has given up.
                let forwarded = tokio::spawn(async move {
                    released.notified().await;
                    forward(upstream, &head, &body).await
                });
                forwarded.await.unwrap()?
            }
            Fate::Measure(units) => {
                let mut body = call.body;
                body["ReturnConsumedCapacity"] = "TOTAL".into();
                let body = body.to_string();
                let (status, answer) =
                    forward(upstream, &resized(&head, body.len()), body.as_bytes()).await?;
                let consumed: Value = serde_json::from_slice(&answer).unwrap_or_default();
                let consumed = consumed["ConsumedCapacity"]["CapacityUnits"].as_f64();
                *units.lock().unwrap() += consumed.expect("the answer tells its cost");
                (status, answer)
            }
            Fate::Hide(numbers) => {
                let (status, answer) = forward(upstream, &head, &body).await?;
                (status, hide(&answer, &numbers))
            }
        };
        let head = format!(
            "HTTP/1.1 {status} -\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {}\r\n\r\n",
            answer.len()
        );
        client.write_all(head.as_bytes()).await?;
        client.write_all(&answer).await?;
    }
}

fn error(code: &str) -> Vec<u8> {
    let kind = format!("com.amazonaws.dynamodb.v20120810#{code}");
    serde_json::json!({ "__type": kind, "message": "the test decided so" }).to_string().into()
}

fn hide(answer: &[u8], numbers: &[u64]) -> Vec<u8> {
    let mut answer: Value = serde_json::from_slice(answer).unwrap();
    if let Some(items) = answer.get_mut("Items").and_then(Value::as_array_mut) {
        items.retain(|item| {
            let number = item["n"]["N"].as_str().and_then(|digits| digits.parse().ok());
            !number.is_some_and(|number| numbers.contains(&number))
        });
        let count = items.len();
        answer["Count"] = count.into();
    }
    answer.to_string().into()
}

/// Forwards a call, over its own connection. Returns the status and body of the answer.
async fn forward(upstream: u16, head: &str, body: &[u8]) -> std::io::Result<(u16, Vec<u8>)> {
    let mut server = BufReader::new(TcpStream::connect(("127.0.0.1", upstream)).await?);
    server.write_all(head.as_bytes()).await?;
    server.write_all(body).await?;
    let (head, body) = read_message(&mut server).await?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.unwrap_or(500), body))
}

/// Reads a head, with its empty line, and a body of the length that the head gives.
async fn read_message(stream: &mut BufReader<TcpStream>) -> std::io::Result<(String, Vec<u8>)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let length = field(&head, "content-length").and_then(|length| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await?;
    Ok((head, body))
}

/// The head, with another length for the body.
fn resized(head: &str, length: usize) -> String {
    let fields = head.trim_end().lines().map(|line| match line.split_once(':') {
        Some((name, _)) if name.eq_ignore_ascii_case("content-length") => {
            format!("content-length: {length}\r\n")
        }
        _ => format!("{line}\r\n"),
    });
    fields.collect::<String>() + "\r\n"
}

fn field(head: &str, name: &str) -> Option<String> {
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    let found = fields.find(|(field, _)| field.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.trim().to_owned())
}
