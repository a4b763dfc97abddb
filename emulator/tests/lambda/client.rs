//! A client that sends and receives bytes.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::control::{Emulator, PATIENCE};

/// Longer than an answer takes that has ended.
const MOMENT: Duration = Duration::from_millis(300);

/// A request that was sent, and what has been received of its answer.
pub(crate) struct Exchange {
    connection: TcpStream,
    received: Vec<u8>,
}

impl Exchange {
    pub(crate) fn get(emulator: &Emulator) -> Self {
        Self::send(emulator, "GET", "", b"")
    }

    pub(crate) fn send(emulator: &Emulator, method: &str, fields: &str, body: &[u8]) -> Self {
        let mut connection = TcpStream::connect(("127.0.0.1", emulator.port)).unwrap();
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "{method} {} HTTP/1.1\r\nHost: hub.test\r\nConnection: close\r\n\
             Content-Length: {}\r\n{fields}\r\n",
            emulator.path(),
            body.len()
        );
        connection.write_all(head.as_bytes()).unwrap();
        // An emulator that refuses the request early does not read the body.
        let _ = connection.write_all(body);
        Self { connection, received: Vec::new() }
    }

    /// Reads until the answer contains this.
    #[track_caller]
    pub(crate) fn until(&mut self, text: &str) -> String {
        let mut buffer = [0; 4096];
        while !self.text().contains(text) {
            let read = self.connection.read(&mut buffer).unwrap();
            assert!(read > 0, "the answer ended before {text:?}: {}", self.text());
            self.received.extend_from_slice(&buffer[..read]);
        }
        self.text()
    }

    /// Reads to the end, even if that is a broken connection.
    pub(crate) fn whole(mut self) -> String {
        let _ = self.connection.read_to_end(&mut self.received);
        self.text()
    }

    /// Fails if the answer ends within a moment.
    #[track_caller]
    pub(crate) fn expect_no_end(mut self) {
        self.connection.set_read_timeout(Some(MOMENT)).unwrap();
        let error = self.connection.read_to_end(&mut self.received).expect_err("it has ended");
        assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.received).into_owned()
    }
}
