//! A connection to the hub, and the answers that come on it.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::failure::Failure;
use crate::http::{Body, Head};
use crate::hub::Hub;
use crate::io::Io;

/// How much of a refusal is shown.
const SHOWN: usize = 500;

/// A connection that is used for one request after another.
#[derive(Debug)]
pub(crate) struct Connection {
    io: Io,
    buffer: Vec<u8>,
}

/// The beginning of a stream.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) io: Io,
    pub(crate) body: Body,
    /// What came with the head.
    pub(crate) rest: Vec<u8>,
}

/// An answer to a publication.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
    /// Whether the connection ends with it.
    pub(crate) closes: bool,
}

impl Connection {
    pub(crate) async fn open(hub: &Hub) -> Result<Self, Failure> {
        let io = hub.connect().await.map_err(Failure::Unreachable)?;
        Ok(Self { io, buffer: Vec::new() })
    }

    /// Sends a request, and reads the answer to its end.
    pub(crate) async fn call(
        &mut self,
        what: &'static str,
        request: &[u8],
    ) -> Result<Answer, Failure> {
        let mut head = self.send(what, request).await?;
        let mut text = Vec::new();
        let mut keep = |content: &[u8]| {
            text.extend(&content[..content.len().min(SHOWN.saturating_sub(text.len()))]);
        };
        loop {
            head.body.push(&self.buffer, &mut keep)?;
            self.buffer.clear();
            if head.body.is_whole() || self.read().await? == 0 {
                break;
            }
        }
        let text = String::from_utf8_lossy(&text).trim().to_owned();
        Ok(Answer { status: head.status, text, closes: head.closes })
    }

    /// Sends a request whose answer goes on and on.
    pub(crate) async fn stream(
        mut self,
        what: &'static str,
        request: &[u8],
    ) -> Result<Opened, Failure> {
        let Head { status, body, .. } = self.send(what, request).await?;
        if status != 200 {
            let reason = String::from_utf8_lossy(&self.buffer).trim().to_owned();
            return Err(Failure::Refused { what, status, reason });
        }
        Ok(Opened { io: self.io, body, rest: self.buffer })
    }

    /// Sends a request, and reads the head of its answer; the buffer holds what came behind it.
    async fn send(&mut self, what: &'static str, request: &[u8]) -> Result<Head, Failure> {
        self.io.write_all(request).await.map_err(Failure::Unreachable)?;
        self.io.flush().await.map_err(Failure::Unreachable)?;
        self.buffer.clear();
        loop {
            if let Some(head) = Head::read(&self.buffer)? {
                self.buffer.drain(..head.length);
                return Ok(head);
            }
            if self.read().await? == 0 {
                return Err(Failure::NoAnswer(what));
            }
        }
    }

    async fn read(&mut self) -> Result<usize, Failure> {
        self.io.read_buf(&mut self.buffer).await.map_err(Failure::Unreachable)
    }
}
