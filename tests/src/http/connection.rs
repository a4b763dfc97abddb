//! Bytes to and from a hub, and the framing of bodies (RFC 9112, section 6).

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::endpoint::Endpoint;
use super::response::Head;

/// How long anything may take to arrive. Generous: only a broken hub takes this long.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

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

    /// Reads status line and header fields.
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

    /// Everything that follows, until the other side closes the connection.
    pub(crate) fn rest(&mut self) -> io::Result<Vec<u8>> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            match self.fill(deadline) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    return Ok(std::mem::take(&mut self.buffer));
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The body that follows a head, in answer to this method.
    pub(super) fn body(self, head: &Head, method: &str) -> io::Result<Body> {
        let framing = if method == "HEAD" || matches!(head.status, 204 | 304) {
            Framing::Length(0)
        } else {
            Framing::of(head)?
        };
        Ok(Body { connection: self, framing })
    }

    /// Reads what there is, at least one byte.
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
    // RFC 9112, section 6.3, "Message Body Length"
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
    /// The next transport chunk, or what has arrived of a body that is not chunked. `None` at its
    /// proper end, an error if it is cut off before.
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
    use std::sync::Arc;
    use std::thread;

    use super::*;
    use crate::http::Request;

    /// A server that reads the head of one request and answers with these pieces.
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
