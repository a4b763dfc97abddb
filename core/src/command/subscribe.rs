//! Subscriptions: from a request's parameters to what its stream shall carry.

use std::collections::BTreeSet;
use std::time::Duration;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, LINK};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

use crate::authorization::token::Token;
use crate::config::Config;
use crate::limits::MAX_MATCHERS_LENGTH;
use crate::matching::budget::{Budget, TooCostly};
use crate::matching::matcher::{InvalidMatcher, Matcher};
use crate::matching::matchers::Matchers;
use crate::matching::subject::Subject;
use crate::terms::cursor::Cursor;
use crate::terms::event_id::EARLIEST;
use crate::terms::generation::{Generation, Generations};
use crate::terms::hub_url::HubUrl;
use crate::terms::update::StoredUpdate;
use crate::time::Timestamp;
use crate::wire::answer::finish;
use crate::wire::cors::Cors;
use crate::wire::discovery;
use crate::wire::form::{self, Pair};
use crate::wire::reader::Reader;
use crate::wire::refusal::Refusal;
use crate::wire::request::Request;
use crate::wire::sse;
use crate::wire::unavailable::Unavailable;

/// The answer field of draft-08, and the one of 0.x hubs.
const ANSWER_FIELD: HeaderName = HeaderName::from_static("mercure-last-event-id");
const LEGACY_ANSWER_FIELD: HeaderName = HeaderName::from_static("last-event-id");

/// Keeps a proxy (nginx) from holding events back.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The names of a cursor in the query, the likelier to be fresh before the stale: libraries
/// append `lastEventId` at a reconnection, beside what the page's URL already held.
const CURSOR_PARAMETERS: [&str; 4] =
    ["lastEventId", "last_event_id", "lastEventID", "Last-Event-ID"];

/// How long a reader is to wait before it comes back: between these.
const RETRY: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(8));

/// The same of a reader that polls.
const POLLS: (Duration, Duration) = (Duration::from_secs(4), Duration::from_secs(6));

/// A subscriber that may subscribe, on its way to the holder of its stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscribe {
    /// The topics it asks for; they grant nothing.
    pub(crate) matchers: Matchers,
    /// The URL that topics are relative to.
    pub(crate) hub: HubUrl,
    /// The topics whose private updates it may read.
    pub(crate) grants: Matchers,
    /// When its token expires.
    pub(crate) expires: Option<Timestamp>,
    /// Where it says that it stands, if it says so.
    pub(crate) cursor: Option<Cursor>,
    /// Whether it asked in the way of 0.x hubs, and wants their answer field too.
    pub(crate) legacy: bool,
    pub(crate) reader: Reader,
    /// How long it is to wait before it comes back; for each stream another, so that streams
    /// that end together do not come back together.
    pub(crate) retry: Duration,
    /// How long its stream lives, for the same reason.
    pub(crate) lifetime: Duration,
    pub(crate) cors: Cors,
}

impl Subscribe {
    /// Whether this stream carries an update: some matcher selects it and, if it is private, the
    /// token grants one of its topics (draft-08, "Subscribers").
    pub(crate) fn wants(&self, subject: &Subject<'_>, private: bool) -> bool {
        self.matchers.select_any(subject, &self.hub) && self.may_read(subject, private)
    }

    /// Whether this stream carries an update that a log keeps.
    #[must_use]
    pub fn selects(&self, stored: &StoredUpdate) -> bool {
        self.wants(&Subject::of_stored(stored), stored.private)
    }

    /// The answer where its token has expired.
    pub(crate) fn expired(&self, now: Timestamp) -> Option<Unavailable> {
        let expired = self.expires.is_some_and(|expires| expires <= now);
        expired.then(|| Unavailable::refused(&self.cors))
    }

    /// How many bytes its matchers keep, about.
    pub(crate) fn size(&self) -> usize {
        self.matchers.size() + self.grants.size()
    }

    /// Whether its stream ends as soon as it has all there is.
    pub(crate) fn polls(&self) -> bool {
        self.lifetime.is_zero()
    }

    /// Whether it may read an update that it selected.
    pub(crate) fn may_read(&self, subject: &Subject<'_>, private: bool) -> bool {
        !private || self.grants.select_any(subject.audience(), &self.hub)
    }

    /// The head of the stream's response; `resumed` is where its replay begins, if it resumes.
    pub(crate) fn opened(&self, resumed: Option<&str>) -> http::Response<()> {
        let mut headers = stream_fields();
        headers.extend(discovery::link(&self.hub).map(|link| (LINK, link)));
        // As bytes: a cursor may hold characters that are not ASCII.
        if let Some(Ok(cursor)) = resumed.map(|cursor| HeaderValue::from_bytes(cursor.as_bytes())) {
            if self.legacy {
                headers.insert(LEGACY_ANSWER_FIELD, cursor.clone());
            }
            headers.insert(ANSWER_FIELD, cursor);
        }
        finish(StatusCode::OK, headers, &self.cors)
    }

    /// The answer when it cannot be served just now.
    #[must_use]
    pub fn unavailable(&self) -> Unavailable {
        if !self.reader.gives_up_on_errors {
            return Unavailable::refused(&self.cors);
        }
        let cursor = self.cursor.as_ref().and_then(Cursor::as_str);
        let known = cursor.filter(|_| self.reader.native);
        let body = sse::come_back(known, self.retry);
        Unavailable::come_back(self.opened(self.unresumed()).map(|()| body.to_vec()))
    }

    /// The answer field where a cursor came and nothing is replayed.
    pub(crate) fn unresumed(&self) -> Option<&str> {
        self.cursor.as_ref().map(|cursor| cursor.as_str().unwrap_or(EARLIEST))
    }
}

/// The fields of every event stream. Nothing on the way may transform it: compressing buffers.
pub(crate) fn stream_fields() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store, no-transform"));
    headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    headers
}

/// Reads the parameters of a subscription (draft-08, "Subscription").
///
/// # Errors
///
/// A parameter that breaks a rule, or none that selects a topic. Parameters that are not known
/// are foreign and ignored, unless they are in the reserved `match` namespace.
pub(crate) fn read(
    request: &Request,
    body: &[u8],
    token: Option<Token>,
    config: &Config,
    hub: &HubUrl,
    cors: Cors,
    random: [u8; 16],
) -> Result<Subscribe, Refusal> {
    // draft-08, "Subscription": the union of query and body.
    let [query, body]: [Vec<Pair>; 2] = [request.query().collect(), form::pairs(body).collect()];
    let selection = Selection::collect(query.iter().chain(&body), config, hub)?;
    let (grants, expires) = match token {
        Some(token) => (token.grants.subscribe, token.expires),
        None => (Matchers::default(), None),
    };
    let [a, b, c, d, e, f, g, h, rest @ ..] = random;
    let (soonest, latest) = if config.stream_lifetime.is_zero() { POLLS } else { RETRY };
    Ok(Subscribe {
        matchers: selection.matchers,
        hub: hub.clone(),
        grants,
        expires,
        cursor: cursor(request, &[query, body]),
        legacy: selection.legacy,
        reader: Reader::of(request, config),
        retry: between(soonest, latest, [a, b, c, d, e, f, g, h]),
        lifetime: between(config.stream_lifetime * 4 / 5, config.stream_lifetime * 6 / 5, rest),
        cors,
    })
}

/// The topic matchers of a request.
struct Selection {
    matchers: Matchers,
    legacy: bool,
}

impl Selection {
    /// Each matcher is weighed before the next is read: what comes from anybody is never compiled
    /// beyond what may be kept, and what is repeated costs nothing.
    fn collect<'a>(
        parameters: impl Iterator<Item = &'a Pair>,
        config: &Config,
        hub: &HubUrl,
    ) -> Result<Self, Refusal> {
        let mut legacy = false;
        let mut matchers = Matchers::default();
        let mut seen = BTreeSet::new();
        let mut length = 0;
        let mut budget = Budget::of_request();
        for pair in parameters {
            let name = pair.name_lossy();
            let Some(parameter) = Parameter::named(&name, config.protocol)? else { continue };
            legacy |= parameter == Parameter::Topic;
            let text = pair
                .value()
                .map_err(|_| Refusal::Malformed(format!("The parameter `{name}` is not UTF-8.")))?;
            if text.is_empty() || !seen.insert((parameter, text)) {
                continue;
            }
            length += text.len();
            if length > MAX_MATCHERS_LENGTH {
                return Err(Refusal::Malformed(format!(
                    "The topic matchers of a subscriber may have {MAX_MATCHERS_LENGTH} bytes together, and these have more."
                )));
            }
            let matcher = parameter
                .read(text, hub)
                .map_err(|error| Refusal::Malformed(format!("The parameter `{name}` {error}.")))?;
            budget.spend(&matcher).map_err(|_: TooCostly| {
                Refusal::Malformed("The URL patterns and templates are too large or too costly together; use simpler ones, or fewer.".into())
            })?;
            if matchers.insert(matcher) && matchers.len() > config.max_matchers {
                return Err(Refusal::Malformed(format!(
                    "A subscriber may have at most {} topic matchers, and these are more.",
                    config.max_matchers
                )));
            }
        }
        if matchers.is_empty() {
            return Err(Refusal::Malformed(match config.protocol {
                Generations::Both => {
                    "Name at least one topic: `?match=<topic>`, or `?topic=<topic>`.".into()
                }
                Generations::Only(Generation::V1) => {
                    "Name at least one topic: `?match=<topic>`. This hub serves protocol 1.0 alone."
                        .into()
                }
                Generations::Only(Generation::V0) => {
                    "Name at least one topic: `?topic=<topic>`. This hub serves protocol 0.x alone."
                        .into()
                }
            }));
        }
        Ok(Self { matchers, legacy })
    }
}

/// A parameter that selects topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Parameter {
    Topic,
    Match,
    MatchUrlPattern,
}

impl Parameter {
    /// The parameter of this name; `None` for a foreign one, which is ignored.
    ///
    /// # Errors
    ///
    /// draft-08, "Subscription": the whole prefix `match` is reserved, whatever its case, so that
    /// a misspelt type fails loudly.
    fn named(name: &str, protocol: Generations) -> Result<Option<Self>, Refusal> {
        if name == "topic" && protocol.contains(Generation::V0) {
            return Ok(Some(Self::Topic));
        }
        let is_reserved = name.get(..5).is_some_and(|prefix| prefix.eq_ignore_ascii_case("match"));
        if !is_reserved || !protocol.contains(Generation::V1) {
            return Ok(None);
        }
        match name {
            "match" | "match_exact" => Ok(Some(Self::Match)),
            "match_urlpattern" => Ok(Some(Self::MatchUrlPattern)),
            _ => Err(Refusal::Malformed(format!(
                "The parameter `{name}` names no topic matcher type; use `match`, `match_exact` or `match_urlpattern`."
            ))),
        }
    }

    fn read(self, text: &str, hub: &HubUrl) -> Result<Matcher, InvalidMatcher> {
        match self {
            Self::Topic => Matcher::selector(text),
            Self::Match => Matcher::exact(text),
            Self::MatchUrlPattern => Matcher::url_pattern(text, hub),
        }
    }
}

/// The cursor of a request: the first that is not empty, the header field before the query, and the
/// query before the body (draft-08, "Subscription", "Reconciliation"); empty where all that were
/// named are.
fn cursor(request: &Request, components: &[Vec<Pair>; 2]) -> Option<Cursor> {
    let header = request
        .header_values("last-event-id")
        .map(|value| String::from_utf8_lossy(value).into_owned());
    let named = components.iter().flat_map(|pairs| {
        CURSOR_PARAMETERS.iter().flat_map(move |name| {
            pairs
                .iter()
                .filter(move |pair| pair.name() == Ok(name))
                .map(|pair| pair.value_lossy().into_owned())
        })
    });
    let mut is_named = false;
    header
        .chain(named)
        .inspect(|_| is_named = true)
        .find(|cursor| !cursor.is_empty())
        .or_else(|| is_named.then(String::new))
        .map(|cursor| Cursor::read(&cursor))
}

/// A duration between two, at random.
fn between(low: Duration, high: Duration, random: [u8; 8]) -> Duration {
    let span = u64::try_from((high - low).as_millis()).unwrap_or(u64::MAX - 1);
    low + Duration::from_millis(u64::from_be_bytes(random) % (span + 1))
}
