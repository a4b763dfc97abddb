//! A stream that is cut right after its head: whoever asked must get the head before the break.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use cinnabar_native::log::Storage;
use cinnabar_native::{Body, Hub, configuration};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{DuplexStream, duplex};

use crate::server::KEY;

const URL: &str = "http://hub/.well-known/mercure?match=a";

/// The response of a stream that has been cut already.
async fn cut() -> Response<Body> {
    let variables = [("MERCURE_PUBLISHER_JWT_KEY", KEY), ("ANONYMOUS", "1")];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let (config, _) = configuration::read(BTreeMap::from(variables)).unwrap();
    let hub = Hub::open(config, &Storage::Memory).unwrap();
    let response = hub.respond(Request::get(URL).body(Empty::<Bytes>::new()).unwrap()).await;
    // With its last handle its streams are cut, by the task that owns them.
    drop(hub);
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    response
}

/// Answers the one request on a connection with this response, in a task of its own.
fn answer_with(response: Response<Body>) -> DuplexStream {
    let (client, server) = duplex(64 * 1024);
    let response = Arc::new(Mutex::new(Some(response)));
    let service = service_fn(move |_| {
        let response = response.lock().unwrap().take().unwrap();
        async move { Ok::<_, Infallible>(response) }
    });
    tokio::spawn(async move {
        Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(server), service).await
    });
    client
}

#[tokio::test]
async fn its_head_comes_first_in_http_1() {
    let io = TokioIo::new(answer_with(cut().await));
    let (mut sender, connection) = http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get(URL).header("Host", "hub").body(Empty::<Bytes>::new()).unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.collect().await.is_err(), "it ends as if it were whole");
}

#[tokio::test]
async fn its_head_comes_first_in_http_2() {
    let io = TokioIo::new(answer_with(cut().await));
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get(URL).body(Empty::<Bytes>::new()).unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.collect().await.is_err(), "it ends as if it were whole");
}
