//! The Runtime API, version 2018-06-01: what a function's process asks, and what it is answered.
//!
//! ```text
//! GET  /2018-06-01/runtime/invocation/next            waits, and brings an event
//! POST /2018-06-01/runtime/invocation/{id}/response   the answer, streamed or not, to its end
//! POST /2018-06-01/runtime/invocation/{id}/error      there is no answer
//! POST /2018-06-01/runtime/init/error                 there will never be one
//! ```
//!
//! And as much of the Extensions API as a process needs to be told of its end: it registers an
//! extension, and then gets SIGTERM some time before it is killed.
//!
//! ```text
//! POST /2020-01-01/extension/register                 before the first invocation is asked for
//! GET  /2020-01-01/extension/event/next               waits, and brings nothing
//! ```

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use serde_json::json;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::environment::{Claim, Environment, Refusal};
use crate::integration;
use crate::invocation::{Mode, Piece, Reply};

/// The versions of the Runtime API and of the Extensions API.
const RUNTIME: &str = "2018-06-01";
const EXTENSIONS: &str = "2020-01-01";

/// The most bytes of a buffered answer.
const MAX_BUFFERED: usize = 6 << 20;

/// The most bytes of a streamed answer.
const MAX_STREAMED: usize = 200 << 20;

/// How many parts of an answer may wait for its client, beyond what the sockets hold.
const PIECES: usize = 4;

/// Answers one request of the process.
pub(crate) async fn answer(
    environment: Arc<Environment>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let answer = match (request.method(), segments.as_slice()) {
        (&Method::GET, [RUNTIME, "runtime", "invocation", "next"]) => next(&environment).await,
        (&Method::POST, [RUNTIME, "runtime", "invocation", id, "response"]) => {
            respond(&environment, id, request).await
        }
        (&Method::POST, [RUNTIME, "runtime", "invocation", id, "error"]) => {
            give_up(&environment, id, request).await
        }
        (&Method::POST, [RUNTIME, "runtime", "init", "error"]) => {
            report(&environment, "init", request).await;
            accepted()
        }
        (&Method::POST, [EXTENSIONS, "extension", "register"]) => register(&environment),
        // There are no events to register for.
        (&Method::GET, [EXTENSIONS, "extension", "event", "next"]) => std::future::pending().await,
        _ => fault(StatusCode::NOT_FOUND, "NotFound", "there is no such path"),
    };
    Ok(answer)
}

async fn next(environment: &Arc<Environment>) -> Response<Full<Bytes>> {
    let Some(invocation) = environment.next().await else {
        return fault(
            StatusCode::FORBIDDEN,
            "InvalidStateTransition",
            "the previous invocation has not been answered",
        );
    };
    let deadline = environment.begin(&invocation.id, invocation.reply, invocation.permit);
    with_fields(
        StatusCode::OK,
        &[
            ("lambda-runtime-aws-request-id", &invocation.id),
            ("lambda-runtime-deadline-ms", &deadline.to_string()),
            ("lambda-runtime-invoked-function-arn", &environment.function.settings.arn()),
            ("lambda-runtime-trace-id", &invocation.trace),
        ],
        invocation.event,
    )
}

async fn respond(
    environment: &Arc<Environment>,
    id: &str,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let claim = match environment.claim(id) {
        Ok(claim) => claim,
        Err(refusal) => return refused(&refusal),
    };
    let mode = mode(request.headers());
    let taken = take(request.into_body(), mode, claim).await;
    environment.finish(id);
    match taken {
        Ok(()) => accepted(),
        Err(Broken::TooLarge) => fault(
            StatusCode::PAYLOAD_TOO_LARGE,
            "Function.ResponseSizeTooLarge",
            "the response is larger than 6 MB, or than 200 MB if streamed",
        ),
        Err(Broken::Over) => fault(StatusCode::GONE, "InvocationOver", "its deadline has passed"),
        Err(Broken::Reported(what)) => {
            eprintln!("lambda: {} {id} failed: {what}", environment.function.settings.name);
            accepted()
        }
        Err(Broken::Connection) => {
            fault(StatusCode::BAD_REQUEST, "TruncatedResponse", "the response is incomplete")
        }
    }
}

/// How to read the answer.
fn mode(fields: &HeaderMap) -> Mode {
    let is = |name: &str, value: &str| {
        fields
            .get(name)
            .is_some_and(|field| field.as_bytes().eq_ignore_ascii_case(value.as_bytes()))
    };
    if !is("lambda-runtime-function-response-mode", "streaming") {
        Mode::Buffered
    } else if is("content-type", integration::CONTENT_TYPE) {
        Mode::Integration
    } else {
        Mode::Raw
    }
}

/// Why an answer ends before its end.
enum Broken {
    TooLarge,
    /// The invocation's deadline has passed.
    Over,
    /// A trailer reports an error.
    Reported(String),
    /// The process broke the connection.
    Connection,
}

/// Passes an answer on, to its end.
async fn take(mut body: Incoming, mode: Mode, claim: Claim) -> Result<(), Broken> {
    let Claim { reply, mut over } = claim;
    let limit = if mode == Mode::Buffered { MAX_BUFFERED } else { MAX_STREAMED };
    let (pieces, receiver) = mpsc::channel(PIECES);
    // Here and below: the function answers to the end even if its client has gone.
    let _ = reply.send(Reply { mode, body: receiver });
    let mut size = 0;
    loop {
        let frame = tokio::select! {
            frame = body.frame() => frame,
            _ = &mut over => return Err(Broken::Over),
        };
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|_| Broken::Connection)?;
        let frame = match frame.into_data() {
            Ok(data) => {
                size += data.len();
                if size > limit {
                    return Err(Broken::TooLarge);
                }
                tokio::select! {
                    _ = pieces.send(Piece::Bytes(data)) => {}
                    _ = &mut over => return Err(Broken::Over),
                }
                continue;
            }
            Err(frame) => frame,
        };
        if let Some(error) = frame
            .trailers_ref()
            .and_then(|trailers| trailers.get("lambda-runtime-function-error-type"))
        {
            return Err(Broken::Reported(String::from_utf8_lossy(error.as_bytes()).into_owned()));
        }
    }
    let _ = pieces.send(Piece::End).await;
    Ok(())
}

async fn give_up(
    environment: &Arc<Environment>,
    id: &str,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    match environment.claim(id) {
        // Dropping the claim tells the client that there will be no answer.
        Ok(_) => {
            report(environment, id, request).await;
            environment.finish(id);
            accepted()
        }
        Err(refusal) => refused(&refusal),
    }
}

/// Prints an error from the function, as Lambda would log it.
async fn report(environment: &Environment, what: &str, request: Request<Incoming>) {
    let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes);
    let body = body.unwrap_or_default();
    let body = String::from_utf8_lossy(&body);
    eprintln!("lambda: {} {what} failed: {body}", environment.function.settings.name);
}

fn register(environment: &Environment) -> Response<Full<Bytes>> {
    if !environment.register_extension() {
        return fault(
            StatusCode::FORBIDDEN,
            "Extension.InvalidStateTransition",
            "extensions must be registered before the first invocation is asked for",
        );
    }
    let name = environment.function.settings.name;
    let body = json!({
        "functionName": name, "functionVersion": "$LATEST", "handler": "bootstrap",
    });
    let id = Uuid::new_v4().to_string();
    with_fields(
        StatusCode::OK,
        &[("lambda-extension-identifier", &id)],
        Bytes::from(body.to_string()),
    )
}

fn accepted() -> Response<Full<Bytes>> {
    with_fields(StatusCode::ACCEPTED, &[], Bytes::from_static(b"{\"status\":\"OK\"}"))
}

fn refused(refusal: &Refusal) -> Response<Full<Bytes>> {
    match refusal {
        Refusal::Unknown => fault(
            StatusCode::BAD_REQUEST,
            "InvalidRequestID",
            "there is no such invocation in this environment",
        ),
        Refusal::Answered => fault(
            StatusCode::FORBIDDEN,
            "InvalidStateTransition",
            "the invocation has already been answered",
        ),
    }
}

fn fault(status: StatusCode, kind: &str, message: &str) -> Response<Full<Bytes>> {
    let body = json!({"errorType": kind, "errorMessage": message});
    with_fields(status, &[], Bytes::from(body.to_string()))
}

fn with_fields(status: StatusCode, fields: &[(&str, &str)], body: Bytes) -> Response<Full<Bytes>> {
    let mut response =
        Response::builder().status(status).header(header::CONTENT_TYPE, "application/json");
    for (name, value) in fields {
        response = response.header(*name, *value);
    }
    response.body(Full::new(body)).unwrap_or_else(|_| {
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}
