#!/usr/bin/env bash
# Two Rust clients obey `retry:` only where it comes with data.
#
# crates reqwest-eventsource 0.6.0 and eventsource-client 0.18.0. By the HTML standard (section 9.2.6)
# a `retry` field counts at once, whatever is in its block. Here a stream that says `retry: 4000` and
# ends is asked for again in far less, and with data in the block after 4 s. So a server in trouble
# cannot send them away by a bare `retry:`; it can only hold its answer open.
#
# Seen:
#   reqwest-eventsource, retry alone: back in less than 4 s
#   reqwest-eventsource, retry with data: back after 4 s or more
#   eventsource-client, retry alone: back in less than 4 s
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cargo init --quiet --vcs none --name seen .
cargo add --quiet tokio@1 --features rt-multi-thread,macros,net,io-util,sync,time
cargo add --quiet futures-util@0.3
cargo add --quiet reqwest@=0.12.28 --no-default-features --features stream
cargo add --quiet reqwest-eventsource@=0.6.0
cargo add --quiet eventsource-client@=0.18.0
cargo add --quiet launchdarkly-sdk-transport@0.1 --features hyper

cat > src/main.rs <<'RUST'
use std::time::{Duration, Instant};

use eventsource_client::Client as _;
use futures_util::StreamExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// Answers every connection with `body`, and tells when each arrived.
async fn serve(body: &'static str) -> (String, mpsc::UnboundedReceiver<Instant>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let (arrived, arrivals) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let _ = socket.read(&mut [0; 4096]).await;
            let _ = arrived.send(Instant::now());
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n";
            let answer = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
            let _ = socket.write_all(answer.as_bytes()).await;
        }
    });
    (address, arrivals)
}

async fn show(what: &str, mut arrivals: mpsc::UnboundedReceiver<Instant>) {
    let first = arrivals.recv().await.unwrap();
    let waited = arrivals.recv().await.unwrap() - first;
    let when = if waited < Duration::from_millis(3900) { "in less than" } else { "after" };
    let more = if when == "after" { " or more" } else { "" };
    println!("{what}: back {when} 4 s{more}");
}

#[tokio::main]
async fn main() {
    for (what, body) in [
        ("reqwest-eventsource, retry alone", ":\nretry: 4000\n\n"),
        ("reqwest-eventsource, retry with data", "retry: 4000\ndata: x\n\n"),
    ] {
        let (address, arrivals) = serve(body).await;
        let mut source = reqwest_eventsource::EventSource::get(address);
        let reader = tokio::spawn(async move { while source.next().await.is_some() {} });
        show(what, arrivals).await;
        reader.abort();
    }
    let (address, arrivals) = serve(":\nretry: 4000\n\n").await;
    let transport = launchdarkly_sdk_transport::HyperTransport::builder().build_http().unwrap();
    let client = eventsource_client::ClientBuilder::for_url(&address).unwrap();
    let mut stream = client.build_with_transport(transport).stream();
    let reader = tokio::spawn(async move { while stream.next().await.is_some() {} });
    show("eventsource-client, retry alone", arrivals).await;
    reader.abort();
}
RUST
output=$(cargo run --quiet)
echo "$output"
diff <(echo "$output") - <<'SEEN' || { echo "this has changed"; exit 1; }
reqwest-eventsource, retry alone: back in less than 4 s
reqwest-eventsource, retry with data: back after 4 s or more
eventsource-client, retry alone: back in less than 4 s
SEEN
