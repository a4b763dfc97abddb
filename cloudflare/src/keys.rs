//! The keys that issuers publish, fetched by the runtime.
//!
//! An isolate remembers them, and so does the cache of its data centre ([`EdgeCache`]): an isolate that
//! has just started asks that first. No request waits for another one's promise, whose client may go
//! away and take it along: fetches outlive the requests that began them, and whoever waits looks again.

use std::cell::OnceCell;
use std::time::Duration;

use cinnabar_core::{Config, FetchFailure, KeyFetch, KeyRing, LogLine, Step, Unkeyed};
use worker::{Context, Delay, console_log, console_warn};

use crate::edge_cache::EdgeCache;
use crate::outbound::Unanswered;
use crate::{outbound, platform};

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
        let answer = answer(&fetch).await;
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

/// Sends a fetch's request, and reads the answer.
async fn answer(fetch: &KeyFetch) -> Result<http::Response<Vec<u8>>, FetchFailure> {
    let request = fetch.request().map(|()| Vec::new());
    outbound::send(&request, fetch.limit(), fetch.timeout()).await.map_err(
        |failure| match failure {
            Unanswered::Late(_) => fetch.timed_out(),
            Unanswered::TooLarge => FetchFailure::TooLarge,
            Unanswered::Failed(error) => FetchFailure::Unanswered(error.to_string()),
        },
    )
}
