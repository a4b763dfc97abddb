//! Links between hubs: messages of a [feed](cinnabar_core::feed), either way and in order.
//!
//! What carries them lives elsewhere, in a task of its own: a WebSocket, most likely.

use std::error::Error;

use bytes::Bytes;
use tokio::sync::mpsc::{self, Receiver, Sender, UnboundedReceiver, UnboundedSender};

/// How many messages may have come that nobody has looked at. Then the other side has to wait.
const AHEAD: usize = 4;

/// What goes over a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carried {
    /// A binary message.
    Bytes(Bytes),
    /// [`PING`](cinnabar_core::feed::PING), which is only sent: whatever carries the link answers it.
    Ping,
    /// [`PONG`](cinnabar_core::feed::PONG), which only comes.
    Pong,
}

/// A link, as the machines of a feed have it. With it, the link ends; and it has ended once nothing
/// more comes.
#[derive(Debug)]
pub struct Link {
    /// What is to be sent. The feed bounds how much that may be.
    pub sends: UnboundedSender<Carried>,
    /// What has come.
    pub comes: Receiver<Carried>,
}

/// The same, as whatever carries it has it.
#[derive(Debug)]
pub struct Carrier {
    /// What is to be sent. It ends when the link is to be closed, once all of it was sent.
    pub sends: UnboundedReceiver<Carried>,
    /// What has come.
    pub comes: Sender<Carried>,
}

impl Link {
    /// A link, and the end for what carries it.
    #[must_use]
    pub fn new() -> (Self, Carrier) {
        let (sends, to_send) = mpsc::unbounded_channel();
        let (came, comes) = mpsc::channel(AHEAD);
        (Self { sends, comes }, Carrier { sends: to_send, comes: came })
    }
}

/// Opens links to the hub that is followed.
pub trait Dial: Send + Sync + 'static {
    /// Why there is no link.
    type Error: Error + Send + 'static;

    /// Opens one.
    fn dial(&self) -> impl Future<Output = Result<Link, Self::Error>> + Send;
}
