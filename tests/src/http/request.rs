//! Requests, byte for byte as a case writes them.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use super::connection::{Body, Connection, DEADLINE};
use super::endpoint::Endpoint;
use super::response::{Head, Response};
use crate::stream::Stream;

/// A request, built field by field.
#[derive(Clone)]
pub(crate) struct Request {
    endpoint: Arc<Endpoint>,
    method: String,
    target: String,
    version: &'static str,
    headers: Vec<(String, Vec<u8>)>,
    body: Option<Vec<Vec<u8>>>,
    chunked: bool,
}

impl Request {
    pub(crate) fn new(endpoint: Arc<Endpoint>, method: &str, target: String) -> Self {
        let host = endpoint.authority();
        Self {
            endpoint,
            method: method.to_owned(),
            target,
            version: "HTTP/1.1",
            headers: vec![("Host".to_owned(), host.into_bytes())],
            body: None,
            chunked: false,
        }
    }

    /// Asks for another target of the same hub.
    pub(crate) fn target(mut self, target: String) -> Self {
        self.target = target;
        self
    }

    /// Adds a header field, in addition to others of its name.
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// Removes every field of this name.
    pub(crate) fn without_header(mut self, name: &str) -> Self {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self
    }

    /// Presents a token in `Authorization`.
    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("Authorization", format!("Bearer {token}"))
    }

    /// Presents a cookie.
    pub(crate) fn cookie(self, name: &str, value: &str) -> Self {
        self.header("Cookie", format!("{name}={value}"))
    }

    /// Asks as the `EventSource` of Chromium and Firefox does.
    pub(crate) fn native(self) -> Self {
        self.without_header("Accept")
            .header("Accept", "text/event-stream")
            .header("Cache-Control", "no-cache")
            .header("Pragma", "no-cache")
            .header("Sec-Fetch-Mode", "cors")
            .header("Sec-Fetch-Dest", "empty")
            .header("Sec-Fetch-Site", "same-origin")
    }

    /// Sends a body with `Content-Length`.
    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(vec![body.into()]);
        self.chunked = false;
        self
    }

    /// Sends a body in these transport chunks.
    pub(crate) fn chunks(mut self, chunks: &[&[u8]]) -> Self {
        self.body = Some(chunks.iter().map(|chunk| chunk.to_vec()).collect());
        self.chunked = true;
        self
    }

    /// Speaks HTTP/1.0.
    pub(crate) fn http_1_0(mut self) -> Self {
        self.version = "HTTP/1.0";
        self
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes =
            format!("{} {} {}\r\n", self.method, self.target, self.version).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
        match &self.body {
            Some(chunks) if self.chunked => {
                bytes.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
                for chunk in chunks {
                    bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                    bytes.extend_from_slice(chunk);
                    bytes.extend_from_slice(b"\r\n");
                }
                bytes.extend_from_slice(b"0\r\n\r\n");
            }
            Some(chunks) => {
                let body = chunks.concat();
                bytes.extend_from_slice(
                    format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes(),
                );
                bytes.extend_from_slice(&body);
            }
            None => bytes.extend_from_slice(b"\r\n"),
        }
        bytes
    }

    /// Sends it and reads the head of the answer; the body is read as the caller asks for it.
    pub(crate) fn start(&self) -> io::Result<(Head, Body)> {
        let mut connection = Connection::open(&self.endpoint)?;
        // A server may answer and close before it has read all of an oversized body.
        let written = connection.write(&self.to_bytes());
        let head = match connection.head() {
            Ok(head) => head,
            Err(error) => return Err(written.err().unwrap_or(error)),
        };
        let body = connection.body(&head, &self.method)?;
        Ok((head, body))
    }

    /// Sends it and reads the whole answer.
    pub(crate) fn try_send(&self) -> io::Result<Response> {
        let (head, mut body) = self.start()?;
        let deadline = Instant::now() + DEADLINE;
        let mut bytes = Vec::new();
        while let Some(chunk) = body.chunk(deadline)? {
            bytes.extend_from_slice(&chunk);
        }
        Ok(Response {
            status: head.status,
            head,
            body: bytes,
            request: self.to_string(),
            challenges: self.endpoint.challenges,
        })
    }

    /// Sends it and reads the whole answer; there must be one.
    #[track_caller]
    pub(crate) fn send(&self) -> Response {
        match self.try_send() {
            Ok(response) => response,
            Err(error) => panic!("{error} in answer to {self}"),
        }
    }

    /// Sends it and reads the head of the answer, which must be an event stream.
    #[track_caller]
    pub(crate) fn open(&self) -> Stream {
        match self.start() {
            Ok((head, body)) => Stream::new(head, body),
            Err(error) => panic!("{error} in answer to {self}"),
        }
    }
}

impl fmt::Display for Request {
    /// As much of the request as a person would want to read.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.to_bytes();
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(800)]);
        write!(formatter, "\n---\n{}\n---", shown.trim_end())
    }
}
