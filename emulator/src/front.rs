//! The front: both function URLs behind one address, as with CloudFront.
//!
//! Publications go to the publish function, everything else to the subscribe function. A request is
//! read to its end before a function sees it; an answer is passed on as it arrives.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::{Body, Frame};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::event::{Arrival, event};
use crate::function::Function;
use crate::integration::{self, Prelude};
use crate::invocation::{Mode, Piece, Reply};

/// The largest event.
const MAX_EVENT: usize = 6 << 20;

pub(crate) struct Front {
    pub(crate) publish: Arc<Function>,
    pub(crate) subscribe: Arc<Function>,
}

/// Serves on this port; returns only if it cannot.
pub(crate) async fn serve(port: u16, front: Arc<Front>) -> std::io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let port = listener.local_addr()?.port();
    println!("listening at http://localhost:{port}");
    loop {
        let (connection, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Most likely too many files are open; some of them will be closed.
                eprintln!("lambda: cannot accept a connection: {error}");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                continue;
            }
        };
        // Updates are small and must not be held back; a failure would only delay them.
        let _ = connection.set_nodelay(true);
        let front = Arc::clone(&front);
        let service = service_fn(move |request| answer(Arc::clone(&front), request, peer, port));
        // If the connection breaks, there is nobody to tell.
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(connection), service));
    }
}

async fn answer(
    front: Arc<Front>,
    request: Request<Incoming>,
    peer: SocketAddr,
    port: u16,
) -> Result<Response<Answer>, Infallible> {
    let arrival = Arrival::new(peer.ip(), port, SystemTime::now());
    let id = arrival.id.to_string();
    let is_head = request.method() == Method::HEAD;
    let mut response = invoke(&front, request, arrival).await;
    if is_head || response.status() == StatusCode::NO_CONTENT {
        // The client gets no body, but waits for its beginning as any other client does.
        let _ = response.body_mut().frame().await;
    }
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    Ok(response)
}

async fn invoke(front: &Front, request: Request<Incoming>, arrival: Arrival) -> Response<Answer> {
    let function = if request.method() == Method::POST { &front.publish } else { &front.subscribe };
    let (request, body) = request.into_parts();
    let body = match Limited::new(body, MAX_EVENT).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => return too_large(),
        Err(_) => return failure(StatusCode::BAD_REQUEST, "the body is incomplete"),
    };
    let event = event(&request, &body, &arrival);
    if event.len() > MAX_EVENT {
        return too_large();
    }
    let Ok(reply) = function.invoke(arrival.id, arrival.trace, event) else {
        eprintln!("lambda: {} is throttled", function.settings.name);
        return failure(StatusCode::TOO_MANY_REQUESTS, "Rate Exceeded.");
    };
    let answer = match reply.await {
        Ok(reply) => read(reply).await,
        // It failed, died, or ran out of time.
        Err(_) => None,
    };
    answer.unwrap_or_else(|| failure(StatusCode::BAD_GATEWAY, "Internal Server Error"))
}

/// A function's answer; `None` if it broke off before there was one.
async fn read(mut reply: Reply) -> Option<Response<Answer>> {
    match reply.mode {
        Mode::Raw => {
            let mut response =
                Response::new(Answer::Streamed { first: None, rest: reply.body, began: false });
            response
                .headers_mut()
                .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
            Some(response)
        }
        Mode::Integration => {
            let mut prelude = Prelude::default();
            while let Some(Piece::Bytes(piece)) = reply.body.recv().await {
                match prelude.push(&piece) {
                    Ok(None) => {}
                    Ok(Some((head, first))) => {
                        let first = Some(first).filter(|first| !first.is_empty());
                        return Some(head.map(|()| Answer::Streamed {
                            first,
                            rest: reply.body,
                            began: false,
                        }));
                    }
                    Err(malformed) => {
                        eprintln!("lambda: a response cannot be read: {malformed}");
                        return None;
                    }
                }
            }
            None
        }
        Mode::Buffered => {
            let mut bytes = Vec::new();
            while let Piece::Bytes(piece) = reply.body.recv().await? {
                bytes.extend_from_slice(&piece);
            }
            match integration::buffered(bytes.into()) {
                Ok(response) => Some(response.map(|body| Answer::Whole(Some(body)))),
                Err(malformed) => {
                    eprintln!("lambda: a response cannot be read: {malformed}");
                    None
                }
            }
        }
    }
}

fn too_large() -> Response<Answer> {
    failure(StatusCode::PAYLOAD_TOO_LARGE, "Request must be smaller than 6291456 bytes")
}

fn failure(status: StatusCode, message: &str) -> Response<Answer> {
    let body = serde_json::json!({"message": message}).to_string();
    let mut response = Response::new(Answer::Whole(Some(body.into())));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The body of an answer.
enum Answer {
    Whole(Option<Bytes>),
    Streamed {
        first: Option<Bytes>,
        rest: mpsc::Receiver<Piece>,
        /// Whether there were any bytes.
        began: bool,
    },
    /// Streamed, without any bytes: the client waits until it loses patience.
    Endless,
}

/// The function broke off; so does the answer.
#[derive(Debug)]
struct BrokenOff;

impl std::fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the function broke off")
    }
}

impl std::error::Error for BrokenOff {}

impl Body for Answer {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let frame = |bytes| Some(Ok(Frame::data(bytes)));
        match &mut *self {
            Self::Whole(body) => Poll::Ready(body.take().and_then(frame)),
            Self::Streamed { first, rest, began } => {
                if let Some(first) = first.take() {
                    *began = true;
                    return Poll::Ready(frame(first));
                }
                match ready!(rest.poll_recv(context)) {
                    Some(Piece::Bytes(bytes)) => {
                        *began = true;
                        Poll::Ready(frame(bytes))
                    }
                    Some(Piece::End) if *began => Poll::Ready(None),
                    Some(Piece::End) => {
                        *self = Self::Endless;
                        Poll::Pending
                    }
                    None => Poll::Ready(Some(Err(BrokenOff))),
                }
            }
            Self::Endless => Poll::Pending,
        }
    }

    fn size_hint(&self) -> http_body::SizeHint {
        match self {
            Self::Whole(body) => {
                http_body::SizeHint::with_exact(body.as_ref().map_or(0, Bytes::len) as u64)
            }
            Self::Streamed { .. } | Self::Endless => http_body::SizeHint::default(),
        }
    }
}
