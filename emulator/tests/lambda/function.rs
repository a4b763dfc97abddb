//! The function: a hand-written Runtime API client that does what it is told.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::thread;

use serde_json::{Value, json};

const NEXT: &str = "2018-06-01/runtime/invocation/next";

/// Fetches invocations and follows their commands, with a thread for each possible invocation.
pub(crate) fn serve(address: &str) {
    if std::env::var_os("EXTENDED").is_some() {
        let registered = exchange(address, "POST", "2020-01-01/extension/register", b"{}");
        assert_eq!(registered.status, 200);
    }
    let threads = std::env::var("AWS_LAMBDA_MAX_CONCURRENCY").map_or(1, |n| n.parse().unwrap());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    follow(address);
                }
            });
        }
    });
}

fn follow(address: &str) {
    let next = exchange(address, "GET", NEXT, b"");
    if next.status != 200 {
        // The test is over, and has left an invocation unanswered.
        std::process::exit(0);
    }
    let event: Value = serde_json::from_str(&next.body).unwrap();
    let control = event["queryStringParameters"]["control"].as_str().unwrap();
    let control = TcpStream::connect(format!("127.0.0.1:{control}")).unwrap();
    control.set_nodelay(true).unwrap();
    let mut control = BufReader::new(control);
    let id = next.field("lambda-runtime-aws-request-id");
    let deadline: u64 = next.field("lambda-runtime-deadline-ms").parse().unwrap();
    let serves = std::env::var("SERVES").unwrap();
    let process = std::process::id();
    let report =
        json!({"process": process, "deadline": deadline, "serves": serves, "event": event});
    writeln!(control.get_mut(), "{report}").unwrap();

    let mut response: Option<TcpStream> = None;
    let mut line = String::new();
    while control.read_line(&mut line).unwrap() > 0 {
        let (command, argument) = line.trim_end().split_once(' ').unwrap_or((line.trim_end(), ""));
        let mut chunk = |bytes: &[u8]| {
            let response = response.as_mut().unwrap();
            let size = format!("{:x}\r\n", bytes.len());
            response.write_all(&[size.as_bytes(), bytes, b"\r\n"].concat()).unwrap();
        };
        let status = match command {
            "open" => {
                let mut connection = TcpStream::connect(address).unwrap();
                write!(
                    connection,
                    "POST /2018-06-01/runtime/invocation/{id}/response HTTP/1.1\r\n\
                     Host: {address}\r\nTransfer-Encoding: chunked\r\n\
                     Lambda-Runtime-Function-Response-Mode: streaming\r\n\
                     Content-Type: application/vnd.awslambda.http-integration-response\r\n\
                     Trailer: Lambda-Runtime-Function-Error-Type\r\n\r\n"
                )
                .unwrap();
                response = Some(connection);
                None
            }
            "prelude" => {
                chunk(&[argument.as_bytes(), &[0; 8]].concat());
                None
            }
            "send" => {
                chunk(argument.as_bytes());
                None
            }
            "end" | "fail" => {
                let mut response = response.take().unwrap();
                let trailer = match command {
                    "end" => "",
                    _ => "Lambda-Runtime-Function-Error-Type: Function.Broken\r\n",
                };
                write!(response, "0\r\n{trailer}\r\n").unwrap();
                Some(answer(response).status)
            }
            "buffered" => {
                let path = format!("2018-06-01/runtime/invocation/{id}/response");
                Some(exchange(address, "POST", &path, argument.as_bytes()).status)
            }
            "error" => {
                let path = format!("2018-06-01/runtime/invocation/{id}/error");
                Some(exchange(address, "POST", &path, b"{}").status)
            }
            "next" => Some(exchange(address, "GET", NEXT, b"").status),
            "die" => std::process::exit(7),
            other => panic!("{other}"),
        };
        writeln!(control.get_mut(), "{}", status.unwrap_or_default()).unwrap();
        line.clear();
    }
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn field(&self, name: &str) -> String {
        let line = self.head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.unwrap().to_owned()
    }
}

fn exchange(address: &str, method: &str, path: &str, body: &[u8]) -> Answer {
    let mut connection = TcpStream::connect(address).unwrap();
    write!(
        connection,
        "{method} /{path} HTTP/1.1\r\nHost: {address}\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    )
    .unwrap();
    connection.write_all(body).unwrap();
    answer(connection)
}

fn answer(connection: TcpStream) -> Answer {
    let mut reader = BufReader::new(connection);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if !reader.read_line(&mut head).is_ok_and(|read| read > 0) {
            // The test is over, and the emulator has gone.
            std::process::exit(0);
        }
    }
    let head = head.replace("\r\n", "\n");
    let status = head[9..12].parse().unwrap();
    let mut answer = Answer { status, head, body: String::new() };
    let mut body = vec![0; answer.field("content-length").parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    answer.body = String::from_utf8(body).unwrap();
    answer
}
