//! An HTTP/1 client that hides nothing.
//!
//! Requests are sent byte for byte as a case writes them, broken ones too. Of an answer the
//! transport chunks stay apart ([`Body::chunk`]): "one event a chunk" is a rule of its own, and a
//! client that joins chunks could not see it broken.

use std::fmt;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::arguments::{Arguments, Capability};
use crate::stream::Stream;

/// How long anything may take to arrive. Generous: it passes only when something is broken.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// Where a hub listens.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The path of the hub's URL.
    pub(crate) path: String,
    /// Whether challenges arrive under their own name.
    challenges: bool,
}

impl Endpoint {
    /// The endpoint of a hub's URL.
    pub(crate) fn parse(url: &str, arguments: &Arguments) -> Result<Self, String> {
        let rest = url.strip_prefix("http://").ok_or_else(|| {
            format!("{url}: only http:// is supported so far; put a proxy that speaks TLS between")
        })?;
        let (authority, path) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => return Err(format!("{url}: names no path")),
        };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => {
                (host, port.parse().map_err(|error| format!("{url}: port {port}: {error}"))?)
            }
            None => (authority, 80),
        };
        Ok(Self {
            host: host.to_owned(),
            port,
            path: path.to_owned(),
            challenges: !arguments.without.contains(&Capability::WwwAuthenticate),
        })
    }

    /// A server on this machine, of which nothing is known but its port.
    pub(crate) fn local(port: u16) -> Self {
        Self { host: "localhost".to_owned(), port, path: "/".to_owned(), challenges: true }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}{}", self.authority(), self.path)
    }

    /// Scheme, host and port, as an `Origin` field has them.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.authority())
    }

    fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

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

    /// Adds a header field, beside others of its name.
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// Takes every field of this name away.
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

    fn to_bytes(&self) -> Vec<u8> {
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
        // A server may answer and close before it has read all of a body that is too large.
        let written = connection.write(&self.to_bytes());
        let head = match connection.head() {
            Ok(head) => head,
            Err(error) => return Err(written.err().unwrap_or(error)),
        };
        let framing = if self.method == "HEAD" || matches!(head.status, 204 | 304) {
            Framing::Length(0)
        } else {
            Framing::of(&head)?
        };
        let body = Body { connection, framing };
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

    /// Sends it; the answer must be an event stream, of which the head has been read.
    #[track_caller]
    pub(crate) fn open(&self) -> Stream {
        match self.start() {
            Ok((head, body)) => Stream::new(head, body),
            Err(error) => panic!("{error} in answer to {self}"),
        }
    }
}

impl fmt::Display for Request {
    /// As much of it as a person wants to read.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.to_bytes();
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(800)]);
        write!(formatter, "\n---\n{}\n---", shown.trim_end())
    }
}

/// The status line and header fields of an answer.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    /// Names in lower case, values as they came.
    pub(crate) headers: Vec<(String, String)>,
}

impl Head {
    /// The value of a field, of several joined as HTTP joins them.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self
            .headers
            .iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// Whether a field that is a list has this member, in any case.
    pub(crate) fn lists(&self, name: &str, member: &str) -> bool {
        self.header(name).is_some_and(|value| {
            value.split(',').any(|other| other.trim().eq_ignore_ascii_case(member))
        })
    }

    fn parse(bytes: &[u8]) -> io::Result<Self> {
        let invalid = || io::Error::new(ErrorKind::InvalidData, "not an HTTP answer");
        // A value can be raw UTF-8, and must then be exactly that.
        let text = std::str::from_utf8(bytes).map_err(|_| invalid())?;
        let mut lines = text.split("\r\n");
        let status = lines
            .next()
            .filter(|line| line.starts_with("HTTP/1."))
            .and_then(|line| line.split(' ').nth(1))
            .and_then(|status| status.parse().ok())
            .ok_or_else(invalid)?;
        let headers = lines
            .map(|line| {
                let (name, value) = line.split_once(':').ok_or_else(invalid)?;
                Ok((name.to_ascii_lowercase(), value.trim().to_owned()))
            })
            .collect::<io::Result<_>>()?;
        Ok(Self { status, headers })
    }
}

/// A whole answer.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
    /// What was asked, for the message of a case that fails.
    request: String,
    challenges: bool,
}

impl Response {
    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.head.header(name)
    }

    #[track_caller]
    pub(crate) fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    #[track_caller]
    pub(crate) fn expect_header(self, name: &str, value: &str) -> Self {
        assert_eq!(self.header(name).as_deref(), Some(value), "{name} of {self}");
        self
    }

    /// The status, and a `Bearer` challenge with this error code, or with none.
    // RFC 6750, section 3; draft-08, "Error Responses"
    #[track_caller]
    pub(crate) fn expect_challenge(self, status: u16, error: Option<&str>) -> Self {
        let response = self.expect_status(status);
        if response.challenges {
            let challenge = response.header("WWW-Authenticate").unwrap_or_default();
            let (scheme, parameters) = challenge.split_once(' ').unwrap_or((&challenge, ""));
            assert_eq!(scheme, "Bearer", "the challenge of {response}");
            let code = parameters
                .split(',')
                .find_map(|parameter| parameter.trim().strip_prefix("error="))
                .map(|code| code.trim_matches('"'));
            assert_eq!(code, error, "the challenge of {response}");
        }
        response
    }

    /// The status, and no challenge: the token is not what is wrong.
    #[track_caller]
    pub(crate) fn expect_no_challenge(self, status: u16) -> Self {
        let response = self.expect_status(status);
        assert_eq!(response.header("WWW-Authenticate"), None, "{response}");
        response
    }
}

impl fmt::Display for Response {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, head, request, .. } = self;
        let text = self.text();
        write!(formatter, "{status} {:?} {text:.400} in answer to {request}", head.headers)
    }
}

/// A connection to a hub.
pub(crate) struct Connection {
    socket: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) fn open(endpoint: &Endpoint) -> io::Result<Self> {
        let socket = TcpStream::connect((endpoint.host.as_str(), endpoint.port))?;
        socket.set_nodelay(true)?;
        socket.set_write_timeout(Some(DEADLINE))?;
        Ok(Self { socket, buffer: Vec::new() })
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.socket.write_all(bytes)
    }

    /// Reads status line and header fields, of interim answers (1xx) too.
    pub(crate) fn head(&mut self) -> io::Result<Head> {
        let deadline = Instant::now() + DEADLINE;
        let end = loop {
            if let Some(end) = self.buffer.windows(4).position(|end| end == b"\r\n\r\n") {
                break end;
            }
            self.fill(deadline)?;
        };
        let head = Head::parse(&self.buffer[..end]);
        self.buffer.drain(..end + 4);
        head
    }

    /// Reads what there is, at least a byte.
    fn fill(&mut self, deadline: Instant) -> io::Result<()> {
        let left = deadline.saturating_duration_since(Instant::now());
        let late = || io::Error::new(ErrorKind::TimedOut, "nothing came within the deadline");
        if left.is_zero() {
            return Err(late());
        }
        self.socket.set_read_timeout(Some(left))?;
        let mut bytes = [0; 16 * 1024];
        match self.socket.read(&mut bytes) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                self.buffer.extend_from_slice(&bytes[..count]);
                Ok(())
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Err(late())
            }
            Err(error) => Err(error),
        }
    }

    fn line(&mut self, deadline: Instant) -> io::Result<String> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|end| end == b"\r\n") {
                let line = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
                self.buffer.drain(..end + 2);
                return Ok(line);
            }
            self.fill(deadline)?;
        }
    }

    fn exactly(&mut self, count: usize, deadline: Instant) -> io::Result<Vec<u8>> {
        while self.buffer.len() < count {
            self.fill(deadline)?;
        }
        Ok(self.buffer.drain(..count).collect())
    }
}

enum Framing {
    Chunked,
    Length(usize),
    UntilClose,
}

impl Framing {
    // RFC 9112, section 6.3
    fn of(head: &Head) -> io::Result<Self> {
        if head.lists("Transfer-Encoding", "chunked") {
            return Ok(Self::Chunked);
        }
        match head.header("Content-Length") {
            Some(length) => length
                .parse()
                .map(Self::Length)
                .map_err(|error| io::Error::new(ErrorKind::InvalidData, error)),
            None => Ok(Self::UntilClose),
        }
    }
}

/// The body of an answer, read only as far as it is asked for.
pub(crate) struct Body {
    connection: Connection,
    framing: Framing,
}

impl Body {
    /// The next transport chunk; of a body that is not chunked, what has arrived. `None` at its
    /// proper end, an error when it is cut off before.
    pub(crate) fn chunk(&mut self, deadline: Instant) -> io::Result<Option<Vec<u8>>> {
        match self.framing {
            Framing::Length(0) => Ok(None),
            Framing::Length(length) => {
                let body = self.connection.exactly(length, deadline)?;
                self.framing = Framing::Length(0);
                Ok(Some(body))
            }
            Framing::UntilClose => {
                if self.connection.buffer.is_empty() {
                    match self.connection.fill(deadline) {
                        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
                        filled => filled?,
                    }
                }
                Ok(Some(std::mem::take(&mut self.connection.buffer)))
            }
            Framing::Chunked => {
                let line = self.connection.line(deadline)?;
                let size = line.split(';').next().unwrap_or_default().trim();
                let size = usize::from_str_radix(size, 16)
                    .map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
                let chunk = self.connection.exactly(size, deadline)?;
                self.connection.line(deadline)?;
                if size == 0 {
                    self.framing = Framing::Length(0);
                    return Ok(None);
                }
                Ok(Some(chunk))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// A server which takes one request's head and answers with these pieces.
    fn answering(pieces: &'static [&'static str]) -> Request {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") {
                socket.read_exact(&mut byte).unwrap();
                request.push(byte[0]);
            }
            for piece in pieces {
                socket.write_all(piece.as_bytes()).unwrap();
            }
        });
        Request::new(Arc::new(Endpoint::local(port)), "GET", "/".to_owned())
    }

    fn deadline() -> Instant {
        Instant::now() + DEADLINE
    }

    #[test]
    fn transport_chunks_stay_apart_however_they_arrive() {
        let request = answering(&[
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n:\n\r\n3\r\na",
            "b\n\r\n0\r\n",
            "\r\n",
        ]);
        let (head, mut body) = request.start().unwrap();
        assert_eq!(head.status, 200);
        assert_eq!(body.chunk(deadline()).unwrap().unwrap(), b":\n");
        assert_eq!(body.chunk(deadline()).unwrap().unwrap(), b"ab\n");
        assert_eq!(body.chunk(deadline()).unwrap(), None);
        assert_eq!(body.chunk(deadline()).unwrap(), None);
    }

    #[test]
    fn a_chunked_body_that_is_cut_off_is_an_error() {
        let request =
            answering(&["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n:\n\r\n"]);
        let (_, mut body) = request.start().unwrap();
        assert!(body.chunk(deadline()).unwrap().is_some());
        assert!(body.chunk(deadline()).is_err());
    }

    #[test]
    fn bodies_of_a_length_and_bodies_until_the_end() {
        let sized = answering(&["HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\n", "nope!"]);
        assert_eq!(sized.send().expect_status(404).text(), "nope");
        let until_close = answering(&["HTTP/1.0 200 OK\r\nA: b\r\n\r\nall", " of it"]);
        let response = until_close.send().expect_header("a", "b");
        assert_eq!(response.text(), "all of it");
    }
}
