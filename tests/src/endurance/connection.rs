//! A subscriber's connection, read as far and as slowly as a case wants.
//!
//! [`Stream`](crate::stream::Stream) waits for whole chunks. This takes bytes as they come, so that
//! it can be a reader of a certain number of bytes a second, a reader that reads nothing and has no
//! kernel buffer read for it, or one of two thousand that a single loop polls.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::net::sockopt::{set_socket_linger, set_socket_recv_buffer_size};
use rustix::net::{AddressFamily, SocketType, connect, socket};

use crate::form;
use crate::hub::Hub;
use crate::sse::{Event, Item, Parser};

/// A request for an event stream, and its answer as far as it has been read.
pub(super) struct Connection {
    socket: TcpStream,
    decoder: Decoder,
}

impl Connection {
    /// Subscribes with these parameters, and reads nothing yet. With a receive buffer of this many
    /// bytes, the hub soon notices that nothing is read.
    ///
    /// It does not say what it accepts, so that a passing failure is a 503 rather than a stream.
    pub(super) fn open(
        hub: &Hub,
        parameters: &[(&str, &str)],
        receive_buffer: Option<usize>,
    ) -> io::Result<Self> {
        let (host, port) = (hub.endpoint.host.as_str(), hub.endpoint.port);
        let mut socket = match receive_buffer {
            None => TcpStream::connect((host, port))?,
            Some(size) => connect_narrow(host, port, size)?,
        };
        let (path, query) = (hub.path(), form::pairs(parameters));
        let request = format!("GET {path}?{query} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n");
        socket.write_all(request.as_bytes())?;
        Ok(Self { socket, decoder: Decoder::default() })
    }

    /// Waits for the head of the answer: from then on, the stream gets what is published.
    pub(super) fn opened(mut self, patience: Duration) -> io::Result<Self> {
        while self.status().is_none() {
            self.read(&mut [0; 1024], patience)?;
        }
        Ok(self)
    }

    /// Reads once, at most as much as this buffer holds, and returns how much it was.
    pub(super) fn read(&mut self, buffer: &mut [u8], patience: Duration) -> io::Result<usize> {
        self.socket.set_read_timeout(Some(patience.max(Duration::from_millis(1))))?;
        let length = match self.socket.read(buffer) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                return Err(ErrorKind::TimedOut.into());
            }
            read => read?,
        };
        self.decoder.feed(&buffer[..length]).map_err(io::Error::other)?;
        Ok(length)
    }

    /// Reads up to the next event, as fast as it comes.
    pub(super) fn event(&mut self, patience: Duration) -> io::Result<Event> {
        let asked = Instant::now();
        loop {
            if let Some(event) = self.decoded_event() {
                return Ok(event);
            }
            if self.decoder.ended() {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let left = patience.checked_sub(asked.elapsed()).ok_or(ErrorKind::TimedOut)?;
            self.read(&mut [0; 64 * 1024], left)?;
        }
    }

    /// The next event in what has been read.
    pub(super) fn decoded_event(&mut self) -> Option<Event> {
        loop {
            if let Item::Event(event) = self.decoded()? {
                return Some(event);
            }
        }
    }

    /// The next event or comment in what has been read.
    pub(super) fn decoded(&mut self) -> Option<Item> {
        self.decoder.items.pop_front()
    }

    /// The status of the answer, if its head has been read.
    pub(super) fn status(&self) -> Option<u16> {
        self.decoder.status
    }

    /// The ID that a browser would resume from.
    pub(super) fn last_event_id(&self) -> &str {
        &self.decoder.parser.last_event_id
    }

    /// Leaves with a reset, like a client whose machine or network fails.
    pub(super) fn reset(self) -> io::Result<()> {
        // With a linger time of zero, the close that follows is a reset.
        set_socket_linger(&self.socket, Some(Duration::ZERO))?;
        Ok(())
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn connect_narrow(host: &str, port: u16, receive_buffer: usize) -> io::Result<TcpStream> {
    let mut refused = ErrorKind::NotFound.into();
    for address in (host, port).to_socket_addrs()? {
        let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let socket = socket(family, SocketType::STREAM, None)?;
        // Set before connecting, since the window that the connection offers depends on it.
        set_socket_recv_buffer_size(&socket, receive_buffer)?;
        match connect(&socket, &address) {
            Ok(()) => return Ok(socket.into()),
            Err(error) => refused = error.into(),
        }
    }
    Err(refused)
}

/// An event stream, decoded from whatever pieces its bytes arrive in.
#[derive(Default)]
struct Decoder {
    framing: Framing,
    /// What has arrived of the head, or of a line between chunks.
    line: Vec<u8>,
    status: Option<u16>,
    parser: Parser,
    items: VecDeque<Item>,
}

/// What the next bytes of the answer belong to.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Framing {
    #[default]
    Head,
    ChunkSize,
    Chunk {
        left: usize,
    },
    ChunkEnd,
    LastEnd,
    UntilClose,
    Ended,
}

impl Decoder {
    fn feed(&mut self, mut bytes: &[u8]) -> Result<(), String> {
        while !bytes.is_empty() {
            bytes = match self.framing {
                Framing::Head | Framing::ChunkSize | Framing::ChunkEnd | Framing::LastEnd => {
                    self.feed_line(bytes)?
                }
                Framing::Chunk { left } => {
                    let (data, rest) = bytes.split_at(left.min(bytes.len()));
                    self.items.extend(self.parser.push(data));
                    self.framing = match left - data.len() {
                        0 => Framing::ChunkEnd,
                        left => Framing::Chunk { left },
                    };
                    rest
                }
                Framing::UntilClose => {
                    self.items.extend(self.parser.push(bytes));
                    &[]
                }
                Framing::Ended => return Err("bytes after the end".to_owned()),
            };
        }
        Ok(())
    }

    fn feed_line<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], String> {
        let length = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
        let (start, rest) = bytes.split_at(length);
        self.line.extend_from_slice(start);
        let end: &[u8] = if self.framing == Framing::Head { b"\r\n\r\n" } else { b"\r\n" };
        if self.line.ends_with(end) {
            let line = String::from_utf8_lossy(&self.line).to_ascii_lowercase();
            self.line.clear();
            self.framing = self.after_line(line.trim_end())?;
        }
        Ok(rest)
    }

    fn after_line(&mut self, line: &str) -> Result<Framing, String> {
        let unexpected = || format!("{line:?} in an answer");
        match self.framing {
            Framing::Head => {
                let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
                self.status = Some(status.ok_or_else(unexpected)?);
                let chunked = line.contains("\r\ntransfer-encoding: chunked");
                Ok(if chunked { Framing::ChunkSize } else { Framing::UntilClose })
            }
            Framing::ChunkSize => match usize::from_str_radix(line, 16) {
                Ok(0) => Ok(Framing::LastEnd),
                Ok(left) => Ok(Framing::Chunk { left }),
                Err(_) => Err(unexpected()),
            },
            Framing::ChunkEnd if line.is_empty() => Ok(Framing::ChunkSize),
            Framing::LastEnd if line.is_empty() => Ok(Framing::Ended),
            _ => Err(unexpected()),
        }
    }

    fn ended(&self) -> bool {
        self.framing == Framing::Ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
        2\r\n:\n\r\nC\r\nid: 1\ndata: \r\n3\r\na\n\n\r\n0\r\n\r\n";

    #[test]
    fn an_answer_is_the_same_in_whatever_pieces_it_comes() {
        let event = Event { event_type: "message".into(), data: "a".into(), id: "1".into() };
        for size in 1..=ANSWER.len() {
            let mut decoder = Decoder::default();
            for piece in ANSWER.as_bytes().chunks(size) {
                decoder.feed(piece).unwrap();
            }
            assert_eq!(decoder.status, Some(200));
            assert_eq!(decoder.items, [Item::Comment(String::new()), Item::Event(event.clone())]);
            assert!(decoder.ended());
        }
    }

    #[test]
    fn what_is_no_chunk_is_an_error() {
        let mut decoder = Decoder::default();
        assert!(decoder.feed(ANSWER.replace("2\r\n", "two\r\n").as_bytes()).is_err());
    }
}
