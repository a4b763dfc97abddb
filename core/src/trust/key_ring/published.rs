//! What is known of the keys of one source, and when to fetch them again.

use std::sync::Arc;
use std::time::Duration;

use http::header::LOCATION;
use http::{Response, StatusCode};
use serde_json::Value;
use url::Url;

use super::fetch::{FetchFailure, KeyFetch, What};
use super::fetched::{Fetched, LogLine};
use super::freshness;
use super::kept::Kept;
use super::signed::Unverified;
use crate::limits::MAX_KEYS_LENGTH;
use crate::time::Timestamp;
use crate::trust::key_set::KeySet;
use crate::trust::key_source::KeySource;
use crate::trust::shown::Shown;

/// For a key that they do not hold, keys are fetched no more often than this.
const SEEK_PAUSE: Duration = Duration::from_secs(5 * 60);

/// After a failure, the next fetch is no sooner than this; the pause doubles from the first to the
/// second.
const PAUSES: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(60));

/// A fetch that has not been heard of for so long will never be: its process was stopped. Longer than
/// any takes.
const LOST: Duration = Duration::from_secs(10);

/// What is known of the keys of one source.
#[derive(Debug)]
pub(super) struct Published {
    source: KeySource,
    /// Where its metadata said that the keys are.
    discovered: Option<Url>,
    /// Which of the places where its metadata may be is next.
    place: usize,
    known: Option<Known>,
    /// A fetch is wanted, and not begun.
    wanted: bool,
    /// When the fetch under way began.
    fetching: Option<Timestamp>,
    failing: Option<Failing>,
    /// When the keys were last fetched for the sake of one that they did not hold.
    sought: Option<Timestamp>,
    /// What the log was last told of the keys.
    told: String,
}

/// Keys that were fetched.
#[derive(Debug)]
struct Known {
    set: Arc<KeySet>,
    /// When they were asked for: what was published by then is among them.
    fetched: Timestamp,
    lifetime: Duration,
}

/// The last fetches have failed.
#[derive(Debug)]
struct Failing {
    last: Timestamp,
    pause: Duration,
}

impl Published {
    pub(super) fn new(source: KeySource) -> Self {
        Self {
            source,
            discovered: None,
            place: 0,
            known: None,
            wanted: false,
            fetching: None,
            failing: None,
            sought: None,
            told: String::new(),
        }
    }

    /// Has the keys fetched if none are known.
    pub(super) fn want_first(&mut self, now: Timestamp) {
        if self.known.is_none() {
            self.want(now);
        }
    }

    /// The keys to verify a signature with, if they serve.
    pub(super) fn keys(&mut self, now: Timestamp) -> Result<Arc<KeySet>, Unverified> {
        let Some(known) = &self.known else {
            return Err(if self.want(now) { Unverified::Waits } else { Unverified::Unavailable });
        };
        let (set, is_current, is_due) =
            (Arc::clone(&known.set), known.is_current(now), known.is_due(now));
        if is_due && self.want(now) && !is_current && !self.is_down(now) {
            return Err(Unverified::Waits);
        }
        Ok(set)
    }

    /// Whether the issuer did not answer a moment ago, so that a token had better not wait. A failure of
    /// long ago tells nothing: the process may have been asleep since, and during that fetch as well.
    fn is_down(&self, now: Timestamp) -> bool {
        self.failing.as_ref().is_some_and(|failing| now.is_within(PAUSES.1 * 2, failing.last))
    }

    /// Looks for a key that is not known, for a token that came `since`. `None`: there is none.
    pub(super) fn seek(&mut self, since: Timestamp, now: Timestamp) -> Option<Unverified> {
        if self.known.as_ref().is_some_and(|known| known.fetched >= since) {
            return None;
        }
        if self.is_under_way(now) {
            return Some(Unverified::Waits);
        }
        if self.sought.is_some_and(|sought| now.is_within(SEEK_PAUSE, sought)) {
            return None;
        }
        if !self.want(now) {
            return Some(Unverified::Unavailable);
        }
        self.sought = Some(now);
        // Perhaps the issuer publishes elsewhere now, and left the old keys where they were.
        self.discovered = None;
        Some(Unverified::Waits)
    }

    /// Wants a fetch, unless one has failed a moment ago. Returns whether one is wanted or under way.
    fn want(&mut self, now: Timestamp) -> bool {
        let pauses = |failing: &Failing| now.is_within(failing.pause, failing.last);
        if !self.is_under_way(now) && !self.failing.as_ref().is_some_and(pauses) {
            self.wanted = true;
        }
        self.is_under_way(now)
    }

    pub(super) fn is_under_way(&self, now: Timestamp) -> bool {
        self.wanted || self.fetching.is_some_and(|since| now.is_within(LOST, since))
    }

    pub(super) fn poll_fetch(&mut self, number: usize, now: Timestamp) -> Option<KeyFetch> {
        if !std::mem::take(&mut self.wanted) {
            return None;
        }
        self.fetching = Some(now);
        let (url, what) = match self.source.set().or(self.discovered.as_ref()) {
            Some(url) => (url.clone(), What::Keys),
            None => (self.source.metadata().into_iter().nth(self.place)?, What::Metadata),
        };
        Some(KeyFetch { source: number, name: self.source.shown(), url, what, since: now })
    }

    pub(super) fn handle_fetched(
        &mut self,
        fetch: &KeyFetch,
        answer: Result<Response<Vec<u8>>, FetchFailure>,
        now: Timestamp,
    ) -> Fetched {
        if self.fetching != Some(fetch.since) {
            // It was taken for lost, and another is under way.
            return Fetched::default();
        }
        self.fetching = None;
        let was_answered = answer.is_ok();
        let taken =
            answer.map_err(|failure| failure.to_string()).and_then(|response| match fetch.what {
                What::Metadata => self.take_metadata(&response).map(|()| Fetched::default()),
                What::Keys => self.take_keys(response, fetch.since),
            });
        match taken {
            Ok(fetched) => fetched,
            Err(_) if was_answered && self.has_another_place(fetch.what) => {
                self.place += 1;
                self.wanted = true;
                Fetched::default()
            }
            Err(reason) => self.fail(fetch, &reason, now),
        }
    }

    fn has_another_place(&self, what: What) -> bool {
        what == What::Metadata && self.place + 1 < self.source.metadata().len()
    }

    fn take_metadata(&mut self, response: &Response<Vec<u8>>) -> Result<(), String> {
        check(response)?;
        let metadata: Value = serde_json::from_slice(response.body())
            .map_err(|_| "it is not JSON, as metadata is".to_owned())?;
        let text = |name| metadata.get(name).and_then(Value::as_str);
        // RFC 8414, section 3.3: identical, or it may be somebody else's.
        if text("issuer") != self.source.issuer() {
            let named =
                text("issuer").map_or("nobody".to_owned(), |it| Shown::text(it).to_string());
            return Err(format!("it is the metadata of {named}, and not of this issuer"));
        }
        let uri = text("jwks_uri").ok_or("it has no `jwks_uri`")?;
        let url = self.source.named(uri).map_err(|what| format!("its `jwks_uri` {what}"))?;
        self.discovered = Some(url);
        self.wanted = true;
        Ok(())
    }

    fn take_keys(
        &mut self,
        response: Response<Vec<u8>>,
        fetched: Timestamp,
    ) -> Result<Fetched, String> {
        check(&response)?;
        let lifetime = freshness::lifetime(response.headers());
        let set = self.read(response.body())?;
        let log = self.tell(&set);
        self.known = Some(Known { set: set.into(), fetched, lifetime });
        self.failing = None;
        let body = String::from_utf8(response.into_body()).map_err(|error| error.to_string())?;
        let keep = Kept::new(fetched, lifetime, self.sought, body).to_bytes();
        Ok(Fetched { log, keep })
    }

    fn read(&self, body: &[u8]) -> Result<KeySet, String> {
        KeySet::read(body, self.source.algorithm()).map_err(|error| error.to_string())
    }

    /// What the log is told of keys, unless it was told before.
    fn tell(&mut self, set: &KeySet) -> Option<LogLine> {
        let (good, others) = (set.len(), set.passed_over());
        let text = format!(
            "{} of the keys at {} can verify tokens here; {others} were passed over, since they are for other uses, or of kinds or algorithms that the hub does not take",
            good,
            self.source.shown()
        );
        (std::mem::replace(&mut self.told, text.clone()) != text)
            .then_some(LogLine { text, is_warning: good == 0 })
    }

    fn fail(&mut self, fetch: &KeyFetch, reason: &str, now: Timestamp) -> Fetched {
        let pause = self.failing.as_ref().map_or(PAUSES.0, |it| (it.pause * 2).min(PAUSES.1));
        self.failing = Some(Failing { last: now, pause });
        // What was not answered was not refused: it may be sought again.
        self.sought = None;
        self.place = 0;
        self.discovered = None;
        self.told.clear();
        let consequence = match self.known {
            Some(_) => "the last ones that were fetched still serve",
            None => "until they are, no token can be checked with them",
        };
        let text = format!(
            "the keys at {} could not be fetched ({}: {reason}); {consequence}",
            self.source.shown(),
            fetch.url
        );
        Fetched { log: Some(LogLine { text, is_warning: true }), keep: None }
    }

    pub(super) fn handle_kept(&mut self, fetch: &KeyFetch, kept: &[u8], now: Timestamp) -> bool {
        let Some(kept) = Kept::from_bytes(kept) else { return false };
        let is_news = self.known.as_ref().is_none_or(|known| known.fetched < kept.fetched);
        if self.fetching != Some(fetch.since) || !is_news {
            return false;
        }
        let Ok(set) = self.read(kept.body.as_bytes()) else { return false };
        let known = Known { set: set.into(), fetched: kept.fetched, lifetime: kept.lifetime() };
        self.fetching = None;
        self.wanted = !known.is_current(now);
        if !self.wanted {
            self.failing = None;
        }
        self.sought = kept.sought;
        self.known = Some(known);
        true
    }
}

impl Known {
    /// Whether they may be used without asking for them again.
    fn is_current(&self, now: Timestamp) -> bool {
        now.is_within(self.lifetime, self.fetched)
    }

    /// Whether it is time to ask for them again.
    fn is_due(&self, now: Timestamp) -> bool {
        !now.is_within(self.lifetime / 2, self.fetched)
    }
}

/// Only what is there counts: a redirect could lead anywhere.
fn check(response: &Response<Vec<u8>>) -> Result<(), String> {
    match response.status() {
        _ if response.body().len() > MAX_KEYS_LENGTH => Err(FetchFailure::TooLarge.to_string()),
        StatusCode::OK => Ok(()),
        status if status.is_redirection() => {
            let location = response.headers().get(LOCATION).map(|it| it.as_bytes());
            let location = String::from_utf8_lossy(location.unwrap_or_default()).into_owned();
            Err(format!(
                "it redirects to {}, and redirects are not followed; if that is right, configure it",
                Shown::text(&location)
            ))
        }
        status => Err(format!("its status is {}", status.as_u16())),
    }
}
