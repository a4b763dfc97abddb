//! Connections, and how the process ends: streams first, each with its position.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tracing::warn;

use crate::hub::Hub;
use crate::listener::{Listener, Place};
use crate::lively::keep_lively;
use crate::request::{Encrypted, Peer};

/// How long a client may take to say who it is, and to send the head of a request.
const HEAD: Duration = Duration::from_secs(30);

/// How often a client of HTTP/2 is asked whether it is still there, and how long it may take to say so.
/// One that is gone without a word would keep its place among the connections for ever: while nothing
/// is sent to it, nothing else tells.
const ALIVE: Duration = Duration::from_secs(30);

/// How much of a head is read, and how much may wait in a connection's own buffer. The core allows
/// URLs of 64 KiB, and tokens of 32 KiB.
const BUFFER: usize = 128 * 1024;

/// How many streams a connection of HTTP/2 may have: a proxy brings those of many readers.
const STREAMS: u32 = 1_000;

/// How much may wait for one of them, as its client sets the pace.
const STREAM_BUFFER: usize = 64 * 1024;

/// How long streams may take to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// Serves a hub until `end`. Then streams end with their positions, requests that are under way are
/// answered, and the hub's log is closed.
pub async fn serve(
    mut listener: Listener,
    tls: Option<TlsAcceptor>,
    hub: Hub,
    end: impl Future<Output = ()>,
) {
    let connections = GracefulShutdown::new();
    let builder = Arc::new(builder());
    let mut end = pin!(end);
    loop {
        let (stream, place) = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut end => break,
        };
        let peer = stream.peer_addr().ok().map(|peer| Peer(peer.ip()));
        let connection = Connection {
            builder: Arc::clone(&builder),
            hub: hub.clone(),
            peer,
            watcher: connections.watcher(),
            place: Arc::new(place),
        };
        tokio::spawn(connection.begin(stream, tls.clone()));
    }
    // A client that finds nobody listening tries elsewhere, or again.
    drop(listener);
    // At once, so that a reader that does not take its end holds up no answer to a publisher.
    let ended = async { tokio::join!(hub.end_streams(), connections.shutdown()) };
    if timeout(PATIENCE, ended).await.is_err() {
        warn!("some readers did not take the end of their streams in time; they resume");
    }
    hub.close().await;
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(BUFFER);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(ALIVE)
        .keep_alive_timeout(ALIVE)
        .max_concurrent_streams(STREAMS)
        .max_send_buf_size(STREAM_BUFFER)
        .max_header_list_size(BUFFER as u32);
    builder
}

struct Connection {
    builder: Arc<Builder<TokioExecutor>>,
    hub: Hub,
    peer: Option<Peer>,
    watcher: Watcher,
    /// A link to a hub that follows this one outlives the connection of HTTP that it began as, and
    /// keeps its place.
    place: Arc<Place>,
}

impl Connection {
    async fn begin(self, stream: TcpStream, tls: Option<TlsAcceptor>) {
        keep_lively(&stream);
        let Some(tls) = tls else {
            self.serve(stream, Encrypted(false)).await;
            return;
        };
        // Boxed: a connection without TLS does not take the room that one with it needs.
        Box::pin(async move {
            if let Ok(Ok(stream)) = timeout(HEAD, tls.accept(stream)).await {
                self.serve(stream, Encrypted(true)).await;
            }
        })
        .await;
    }

    async fn serve(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        encrypted: Encrypted,
    ) {
        let Self { builder, hub, peer, watcher, place } = self;
        let began = Arc::new(AtomicBool::new(false));
        let begins = Arc::clone(&began);
        let service = service_fn(move |mut request: Request<Incoming>| {
            begins.store(true, Ordering::Relaxed);
            request.extensions_mut().insert(encrypted);
            request.extensions_mut().insert(Arc::clone(&place));
            if let Some(peer) = peer {
                request.extensions_mut().insert(peer);
            }
            let hub = hub.clone();
            // Boxed: hyper keeps the room for what it answers with as long as the connection.
            Box::pin(async move { Ok::<_, io::Error>(hub.respond(request).await) })
        });
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
        let mut connection = pin!(watcher.watch(connection));
        // hyper's own patience begins once it knows the version of HTTP, and HTTP/2 has none.
        // If it breaks, there is nobody to tell.
        if timeout(HEAD, &mut connection).await.is_err() && began.load(Ordering::Relaxed) {
            let _ = connection.await;
        }
    }
}
