//! A WebSocket that carries a link.

use std::pin::pin;
use std::time::Duration;

use cinnabar_core::feed::{LINK_DEAD_AFTER, MAX_MESSAGE_SIZE, PING, PONG};
use cinnabar_runtime::{Carried, Carrier};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc::{self, Receiver, Sender, UnboundedReceiver};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

/// How often the other side is asked whether it is still there. A follower that hears updates all the
/// time says nothing by itself.
const ALIVE: Duration = Duration::from_secs(20);

/// How long the other side may take to hear the end of a link.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Carries a link over a connection that has been upgraded.
pub(crate) async fn accept(upgrade: OnUpgrade, carrier: Carrier) {
    // Otherwise, the client has gone meanwhile.
    if let Ok(upgraded) = upgrade.await {
        let io = TokioIo::new(upgraded);
        let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config())).await;
        carry(socket, carrier).await;
    }
}

pub(crate) fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE_SIZE))
        .max_frame_size(Some(MAX_MESSAGE_SIZE))
}

/// Carries a link until either end is gone. It writes and reads at the same time: with both sides
/// waiting for the other to read, neither would.
pub(crate) async fn carry<S>(socket: WebSocketStream<S>, carrier: Carrier)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (write, read) = socket.split();
    // One answer says as much as several.
    let (pinged, pings) = mpsc::channel(1);
    let writing = pin!(write_all(write, carrier.sends, pings));
    let reading = pin!(read_all(read, carrier.comes, pinged));
    tokio::select! {
        () = writing => {}
        () = reading => {}
    }
}

async fn write_all<S>(
    mut socket: SplitSink<WebSocketStream<S>, Message>,
    mut sends: UnboundedReceiver<Carried>,
    mut pings: Receiver<()>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut alive = interval(ALIVE);
    alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let message = tokio::select! {
            message = sends.recv() => match message {
                Some(message) => encode(message),
                None => {
                    let _ = timeout(LAST_WORDS, socket.close()).await;
                    return;
                }
            },
            Some(()) = pings.recv() => Message::text(PONG),
            _ = alive.tick() => Message::Ping(bytes::Bytes::new()),
        };
        let mut fed = socket.feed(message).await;
        while fed.is_ok()
            && let Ok(message) = sends.try_recv()
        {
            fed = socket.feed(encode(message)).await;
        }
        if fed.is_err() || socket.flush().await.is_err() {
            return;
        }
    }
}

async fn read_all<S>(
    mut socket: SplitStream<WebSocketStream<S>>,
    comes: Sender<Carried>,
    pinged: Sender<()>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    while let Ok(Some(Ok(message))) = timeout(LINK_DEAD_AFTER, socket.next()).await {
        let came = match message {
            Message::Binary(bytes) => Carried::Bytes(bytes),
            Message::Text(text) if text.as_str() == PONG => Carried::Pong,
            Message::Text(text) if text.as_str() == PING => {
                let _ = pinged.try_send(());
                continue;
            }
            _ => continue,
        };
        if comes.send(came).await.is_err() {
            // The link was given up: what is still to be said is being written.
            return std::future::pending().await;
        }
    }
}

fn encode(message: Carried) -> Message {
    match message {
        Carried::Bytes(bytes) => Message::Binary(bytes),
        Carried::Ping => Message::text(PING),
        Carried::Pong => Message::text(PONG),
    }
}
