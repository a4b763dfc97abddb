//! The keys that issuers publish, fetched by the runtime.
//!
//! An isolate remembers them, and so does the cache of its data centre ([`EdgeCache`]): an isolate that
//! has just started asks that first. No request waits for another one's promise, whose client may go
//! away and take it along: fetches outlive the requests that began them, and whoever waits looks again.

use std::cell::OnceCell;
use std::pin::pin;
use std::time::Duration;

use cinnabar_core::{Config, FetchFailure, KeyFetch, KeyRing, LogLine, Step, Unkeyed};
use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use http::{HeaderName, HeaderValue};
use worker::{
    AbortController, AbortSignal, ByteStream, Context, Delay, Error, Fetch, Headers, Request,
    RequestInit, RequestRedirect, console_log, console_warn,
};

use crate::edge_cache::EdgeCache;
use crate::platform;

/// How soon it looks again, from the first time to the last ones: each look reads the token anew, which
/// costs time of the processor, of which a request may have ten milliseconds altogether.
const RECHECK: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(500));

thread_local! {
    /// Made when the first token needs it.
    static RING: OnceCell<Option<KeyRing>> = const { OnceCell::new() };
}

/// Goes on with a request whose token needs published keys, once they are known. It is left as it is
/// if they are not by then.
pub(crate) async fn settle<'a>(mut step: Step<'a>, config: &Config, context: &Context) -> Step<'a> {
    let end = platform::now().plus(Unkeyed::PATIENCE);
    let mut recheck = RECHECK.0;
    while let Step::Keys(unkeyed) = step {
        step = RING.with(|ring| match ring.get_or_init(|| config.key_ring()) {
            Some(ring) => unkeyed.admit(ring, platform::now()),
            None => Step::Keys(unkeyed),
        });
        if let Some(fetch) = next() {
            context.wait_until(carry_out(fetch));
        }
        if !matches!(step, Step::Keys(_)) || platform::now() >= end {
            break;
        }
        Delay::from(recheck).await;
        recheck = (recheck * 2).min(RECHECK.1);
    }
    step
}

/// The next fetch that the ring wants.
fn next() -> Option<KeyFetch> {
    hear(|ring| ring.poll_fetch(platform::now())).flatten()
}

/// Carries out a fetch, and all that it leads to.
async fn carry_out(first: KeyFetch) {
    let cache = EdgeCache::open();
    let mut fetches = Some(first);
    while let Some(fetch) = fetches.take().or_else(next) {
        let kept = match &cache {
            Some(cache) => cache.get(&fetch).await,
            None => None,
        };
        let is_news = kept.is_some_and(|kept| {
            hear(|ring| ring.handle_kept(&fetch, &kept, platform::now())).unwrap_or_default()
        });
        if is_news {
            continue;
        }
        let answer = in_time(&fetch).await;
        let heard = hear(|ring| ring.handle_fetched(&fetch, answer, platform::now()));
        let heard = heard.unwrap_or_default();
        match heard.log {
            Some(LogLine { text, is_warning: true }) => console_warn!("{text}"),
            Some(LogLine { text, is_warning: false }) => console_log!("{text}"),
            None => {}
        }
        if let (Some(cache), Some(keep)) = (&cache, heard.keep) {
            cache.put(&fetch, keep).await;
        }
    }
}

/// Tells the ring something, or asks it, if there is one.
fn hear<T>(tell: impl FnOnce(&KeyRing) -> T) -> Option<T> {
    RING.with(|ring| ring.get()?.as_ref().map(tell))
}

type Answer = Result<http::Response<Vec<u8>>, FetchFailure>;

async fn in_time(fetch: &KeyFetch) -> Answer {
    let abort = AbortController::default();
    let signal = abort.signal();
    let answer = pin!(answer(fetch, &signal));
    match select(answer, pin!(Delay::from(fetch.timeout()))).await {
        Either::Left((answer, _)) => answer,
        Either::Right(_) => {
            abort.abort();
            Err(fetch.timed_out())
        }
    }
}

async fn answer(fetch: &KeyFetch, signal: &AbortSignal) -> Answer {
    let response = send(fetch, signal).await.map_err(unanswered)?;
    let mut bytes = Vec::new();
    if let Some(mut chunks) = response.body {
        while let Some(chunk) = chunks.next().await {
            bytes.extend(chunk.map_err(unanswered)?);
            if bytes.len() > fetch.limit() {
                return Err(FetchFailure::TooLarge);
            }
        }
    }
    Ok(response.head.map(|()| bytes))
}

fn unanswered(error: Error) -> FetchFailure {
    FetchFailure::Unanswered(error.to_string())
}

/// A response, whose body is still to be read.
struct Response {
    head: http::Response<()>,
    body: Option<ByteStream>,
}

async fn send(fetch: &KeyFetch, signal: &AbortSignal) -> worker::Result<Response> {
    let request = fetch.request();
    let fields = request.headers().iter();
    let fields = fields.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let mut init = RequestInit::new();
    init.with_redirect(RequestRedirect::Manual).with_headers(fields.collect::<Headers>());
    let request = Request::new_with_init(&request.uri().to_string(), &init)?;
    let mut response = Fetch::Request(request).send_with_signal(signal).await?;
    let mut head = http::Response::new(());
    *head.status_mut() = http::StatusCode::from_u16(response.status_code())
        .map_err(|error| Error::from(error.to_string()))?;
    for (name, value) in response.headers().entries() {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
            head.headers_mut().append(name, value);
        }
    }
    // A response without a body has no stream.
    Ok(Response { head, body: response.stream().ok() })
}
