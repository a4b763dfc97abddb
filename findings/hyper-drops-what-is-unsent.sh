#!/usr/bin/env bash
# A response whose body fails at once is not even begun.
#
# crate hyper 1.12.0 (HTTP/1.1). A body that yields a chunk and then an error, both without waiting:
# neither the head nor the chunk is sent, and the client sees a connection that was closed without an
# answer. If the body is pending once in between, head and chunk are flushed first. So a stream that is
# to be broken off has to give way once before it fails.
#
# Seen:
#   at once: 0 bytes
#   after one Pending: status 200, chunk 'x'
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
unset CARGO_TARGET_DIR
cargo init --quiet --vcs none --name seen .
cargo add --quiet hyper@=1.12.0 --features http1,server
cargo add --quiet hyper-util@0.1 --features tokio
cargo add --quiet tokio@1 --features rt,macros,net,io-util
cargo add --quiet bytes@1

cat > src/main.rs <<'RUST'
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming};
use hyper::{Request, Response, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A chunk, perhaps a pause, and an error.
struct Failing {
    polled: usize,
    pauses: bool,
}

impl Body for Failing {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.polled += 1;
        match self.polled {
            1 => Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"x"))))),
            2 if self.pauses => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            _ => Poll::Ready(Some(Err(std::io::Error::other("broken off")))),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    for (what, pauses) in [("at once", false), ("after one Pending", true)] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (socket, _) = listener.accept().await.unwrap();
            let answer = service_fn(move |_: Request<Incoming>| async move {
                Ok::<_, std::convert::Infallible>(Response::new(Failing { polled: 0, pauses }))
            });
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(socket), answer)
                .await;
        });
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        let _ = client.read_to_end(&mut answer).await;
        let text = String::from_utf8(answer).unwrap();
        match text.split_once("\r\n\r\n") {
            Some((head, body)) => {
                let status = head.split(' ').nth(1).unwrap();
                let chunk = body.lines().nth(1).unwrap_or_default();
                println!("{what}: status {status}, chunk '{chunk}'");
            }
            None => println!("{what}: {} bytes", text.len()),
        }
    }
}
RUST
output=$(cargo run --quiet)
echo "$output"
diff <(echo "$output") - <<'SEEN' || { echo "this has changed"; exit 1; }
at once: 0 bytes
after one Pending: status 200, chunk 'x'
SEEN
