//! Admission: from a request to an answer, or to a command for the holder of the log.
//!
//! ```text
//!            Routed         Authenticated            Unread
//!  request ─▶ path, method ─▶ token, origin ─┬─▶ type, body ─┬─▶ fields, grants ─▶ Command
//!               lengths                      └───────────────┘
//!                 │               │                 │               │
//!                 └───────────────┴─── Refusal ─────┴───────────────┴──────────▶ Answer
//! ```
//!
//! Each step takes the value that the one before it made. All of them are pure functions of the
//! request, the configuration, the time and some random bytes.
//!
//! Where the body counts there are two calls: [`admit`](admit()) asks for the body
//! ([`Step::Read`]) once its sender has shown the token that is needed, because before that a body
//! is not worth the memory.
//!
//! Where an issuer publishes its keys, there is one more: [`Step::Keys`] asks for the [`KeyRing`].
//!
//! ```
//! use cinnabar_core::{
//!     Admission, Body, Command, Config, Platform, Request, Step, Timestamp, admit,
//! };
//!
//! let variables = [("MERCURE_PUBLISHER_JWT_KEY", "k".repeat(32)), ("ANONYMOUS", "1".into())];
//! let variables = variables.map(|(name, value)| (name.into(), value));
//! let config = Config::read(&Platform::new("my machine"), variables)?;
//! let now = Timestamp::from_millis(1_767_225_600_000);
//!
//! let url = "https://hub.example.com/.well-known/mercure";
//! let form = [("content-type", b"application/x-www-form-urlencoded".as_slice())];
//! let request = Request::new("QUERY", url, form);
//! let Step::Read(unread) = admit(&request, &config, now, &[7; 32]) else {
//!     panic!("the body of a QUERY counts");
//! };
//! assert!(unread.limit() > 10);
//! match unread.admit(&Body::Whole(b"match=news".into()), now) {
//!     Admission::Forward(Command::Subscribe(_)) => {}
//!     other => panic!("a stream of public updates: {other:?}"),
//! }
//! # Ok::<(), cinnabar_core::ConfigError>(())
//! ```

mod authenticated;
mod debugger;
mod envelope;
mod feed;
mod list;
mod metadata;
mod own;
mod publication;
mod route;
mod subscription;

use std::time::Duration;

use crate::admission::authenticated::{Authenticated, Unauthenticated};
use crate::admission::route::{Purpose, Route, Routed};
use crate::command::Command;
use crate::command::health::CheckHealth;
use crate::config::Config;
use crate::feed::forward::is_forwarded;
use crate::time::Timestamp;
use crate::trust::key_ring::{KeyRing, Lookup};
use crate::wire::answer::{Answer, plain, preflight};
use crate::wire::cors::Cors;
use crate::wire::refusal::Refusal;
use crate::wire::request::{Body, Request};

pub use own::{InvalidPublication, OwnPublication};

/// What robots are told (RFC 9309): that nothing here is for them.
const ROBOTS: &str = "User-agent: *\nDisallow: /\n";

/// What becomes of a request, as far as its head tells.
#[derive(Debug)]
pub enum Step<'a> {
    /// Its body does not count, and need not be read.
    Done(Admission),
    /// Its body counts: read it, no further than [`Unread::limit`], and go on with
    /// [`Unread::admit`].
    Read(Unread<'a>),
    /// Its token's issuer publishes its keys: ask the ring of them, with [`Unkeyed::admit`].
    Keys(Unkeyed<'a>),
}

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum Admission {
    /// It is answered at once. If the answer [begins a link](Answer::begins_link), what follows on the
    /// connection is a WebSocket, for a [`Leader`](crate::feed::Leader): the shell adds the field
    /// `Sec-WebSocket-Accept`, or has its platform answer. Only hubs that may be [followed](Config::leads)
    /// answer so.
    Answer(Answer),
    /// The holder of the log answers it.
    Forward(Command),
}

/// Decides what becomes of a request. `entropy` must be fresh random bytes. The id of an update is
/// made of one half, and what differs from stream to stream; all that others are
/// told of a subscriber, of the other.
#[must_use]
pub fn admit<'a>(
    request: &'a Request,
    config: &'a Config,
    now: Timestamp,
    entropy: &[u8; 32],
) -> Step<'a> {
    let cors = Cors::of(request, &config.cors_origins);
    match Routed::find(request, config, cors.clone(), *entropy) {
        Ok(routed) => {
            let envelope = routed.envelope();
            follow(routed, now)
                .unwrap_or_else(|refusal| Step::Done(Admission::Answer(envelope.refuse(refusal))))
        }
        Err(refusal) => {
            let envelope = route::envelope_of_unrouted(request, config, cors);
            Step::Done(Admission::Answer(envelope.refuse(refusal)))
        }
    }
}

/// Follows a route as far as it goes without a body.
fn follow(routed: Routed<'_>, now: Timestamp) -> Result<Step<'_>, Refusal> {
    let answered = |answer| Ok(Step::Done(Admission::Answer(answer)));
    match routed.route {
        Route::Preflight { methods } => answered(preflight(methods, routed.request, &routed.cors)),
        Route::TellRobots => answered(plain(ROBOTS, &routed.cors)),
        Route::Metadata => answered(metadata::document(&routed)),
        Route::Debugger => answered(debugger::page(&routed)),
        Route::Facts => answered(debugger::facts(&routed, now)),
        Route::CheckHealth => {
            let check = CheckHealth { cors: routed.cors };
            Ok(Step::Done(Admission::Forward(Command::CheckHealth(check))))
        }
        Route::Feed => answered(feed::open(&routed)?),
        Route::Hub(Purpose::Publish)
            if routed.config.forwards() && is_forwarded(routed.request) =>
        {
            Err(Refusal::Loop)
        }
        Route::List { .. } | Route::Hub(_) => enter(routed, None, now),
    }
}

/// Finds out who sent a request, and goes on as far as that goes without a body. Keys that issuers
/// publish are looked up in a ring.
fn enter<'a>(
    routed: Routed<'a>,
    lookup: Option<Lookup<'_>>,
    now: Timestamp,
) -> Result<Step<'a>, Refusal> {
    let since = lookup.map_or(now, |lookup| lookup.since);
    let authenticated = match Authenticated::check(routed, lookup, now) {
        Ok(authenticated) => authenticated,
        Err(Unauthenticated::Refused(refusal)) => return Err(refusal),
        Err(Unauthenticated::Unfetched(routed)) => {
            return Ok(Step::Keys(Unkeyed { routed: *routed, since }));
        }
        Err(Unauthenticated::Unavailable(routed)) => {
            let answer = Unkeyed { routed: *routed, since }.unavailable();
            return Ok(Step::Done(Admission::Answer(answer)));
        }
    };
    let Route::Hub(purpose) = authenticated.routed.route else {
        let command = authenticated.command(b"", now)?;
        return Ok(Step::Done(Admission::Forward(command)));
    };
    // dunglas/mercure#1385; RFC 9110, section 12.5.1.
    if purpose.subscribes() && !authenticated.routed.request.accepts_event_streams() {
        return Err(Refusal::NotAcceptable);
    }
    if let Some(limit) = purpose.body_limit(authenticated.routed.config) {
        return Unread::check(authenticated, purpose, limit).map(Step::Read);
    }
    Ok(Step::Done(match authenticated.command(b"", now)? {
        Command::Subscribe(subscribe) if purpose == Purpose::Probe => {
            Admission::Answer(subscribe.probed())
        }
        command => Admission::Forward(command),
    }))
}

/// A request whose token is to be verified with keys that its issuer publishes.
#[derive(Debug)]
pub struct Unkeyed<'a> {
    routed: Routed<'a>,
    /// When it came.
    since: Timestamp,
}

impl<'a> Unkeyed<'a> {
    /// How long a request waits for keys: for the few fetches that lead to them.
    pub const PATIENCE: Duration = Duration::from_secs(12);

    /// Decides what becomes of the request, as far as its head tells. [`Step::Keys`] again: make the
    /// fetches that the ring wants now ([`KeyRing::poll_fetch`]), and ask again when it has heard of
    /// one. Also if it is decided, there may be a fetch to make in the background.
    #[must_use]
    pub fn admit(self, ring: &KeyRing, now: Timestamp) -> Step<'a> {
        let envelope = self.routed.envelope();
        let lookup = Lookup { ring, since: self.since };
        enter(self.routed, Some(lookup), now)
            .unwrap_or_else(|refusal| Step::Done(Admission::Answer(envelope.refuse(refusal))))
    }

    /// The answer if there is no telling: a token that cannot be verified is not therefore invalid.
    #[must_use]
    pub fn unavailable(&self) -> Answer {
        let Routed { request, random, .. } = &self.routed;
        self.routed.envelope().turn_away(request, &random.for_pauses())
    }
}

/// A request whose head is in order, and whose body is still to be read.
#[derive(Debug)]
pub struct Unread<'a> {
    authenticated: Authenticated<'a>,
    limit: usize,
}

impl<'a> Unread<'a> {
    /// Checks that the body will be a form. That of a POST is one if nothing is said of it, since
    /// some publishers say nothing; a QUERY has to say it (RFC 10008, section 2.3; dunglas/mercure#1385).
    fn check(
        authenticated: Authenticated<'a>,
        purpose: Purpose,
        limit: usize,
    ) -> Result<Self, Refusal> {
        let request = authenticated.routed.request;
        if purpose == Purpose::Query && !request.names_a_type() {
            return Err(Refusal::Malformed(
                "A QUERY has to name the type of its body: send Content-Type application/x-www-form-urlencoded.".into(),
            ));
        }
        if !request.is_form() {
            return Err(Refusal::NotAForm);
        }
        Ok(Self { authenticated, limit })
    }

    /// How many bytes of the body to read at most; one that goes on is [`Body::TooLarge`].
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Decides what becomes of the request, now that its body is known.
    #[must_use]
    pub fn admit(self, body: &Body, now: Timestamp) -> Admission {
        let Self { authenticated, limit } = self;
        let envelope = authenticated.routed.envelope();
        match whole(body, limit).and_then(|body| authenticated.command(body, now)) {
            Ok(command) => Admission::Forward(command),
            Err(refusal) => Admission::Answer(envelope.refuse(refusal)),
        }
    }
}

fn whole(body: &Body, limit: usize) -> Result<&[u8], Refusal> {
    match body {
        Body::Whole(body) if body.len() <= limit => Ok(body),
        Body::Whole(_) | Body::TooLarge => Err(Refusal::body_too_large(limit)),
        Body::Broken => {
            Err(Refusal::Malformed("The body did not arrive whole; send it again.".into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::MAX_QUERY_BODY_LENGTH;
    use crate::tests::{config, sign};

    const HUB: &str = "https://hub.example/.well-known/mercure";
    const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);
    const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

    fn request(method: &str, fields: &[(&str, &str)]) -> Request {
        let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
        Request::new(method, HUB, fields)
    }

    /// The status where the body is not asked for, else the limit of the body.
    fn first(config: &Config, method: &str, fields: &[(&str, &str)]) -> Result<usize, u16> {
        match admit(&request(method, fields), config, NOW, &[7; 32]) {
            Step::Read(unread) => Ok(unread.limit()),
            Step::Done(Admission::Answer(answer)) => Err(answer.response.status().as_u16()),
            other => panic!("{other:?}"),
        }
    }

    fn bearer(role: &str, exp: u64) -> String {
        let claims = serde_json::json!({"mercure": {role: ["*"]}, "exp": exp});
        format!("Bearer {}", sign(role, &claims))
    }

    #[test]
    fn a_body_is_asked_for_after_the_token() {
        fn authorized(value: &str) -> [(&str, &str); 1] {
            [("Authorization", value)]
        }
        let config = config(&[]);
        let (publisher, expired) = (bearer("publish", 2_000_000_000), bearer("publish", 1));
        assert_eq!(first(&config, "POST", &authorized(&publisher)), Ok(1 << 20));
        assert_eq!(first(&config, "POST", &[]), Err(401));
        assert_eq!(first(&config, "POST", &authorized("Bearer a.b.c")), Err(401));
        assert_eq!(first(&config, "POST", &authorized(&expired)), Err(401));
        let cookie = format!("mercureAuthorization={}", &publisher["Bearer ".len()..]);
        let foreign = [("Cookie", cookie.as_str()), ("Origin", "https://evil.example")];
        assert_eq!(first(&config, "POST", &foreign), Err(403));
        assert_eq!(first(&config, "QUERY", &[]), Err(401));
        let subscriber = bearer("subscribe", 2_000_000_000);
        let form = [("Authorization", subscriber.as_str()), FORM];
        assert_eq!(first(&config, "QUERY", &form), Ok(MAX_QUERY_BODY_LENGTH));
    }

    #[test]
    fn a_body_that_cannot_do_is_not_asked_for() {
        let config = config(&[("ANONYMOUS", "1")]);
        let token = bearer("publish", 2_000_000_000);
        let with = |field| [("Authorization", token.as_str()), field];
        assert_eq!(first(&config, "POST", &with(("Content-Length", "2000000"))), Err(413));
        assert_eq!(first(&config, "POST", &with(("Content-Type", "application/json"))), Err(415));
        assert_eq!(first(&config, "POST", &with(("Content-Encoding", "gzip"))), Err(415));
        assert!(first(&config, "POST", &with(("Content-Encoding", "identity"))).is_ok());
        assert_eq!(first(&config, "QUERY", &[("Content-Length", "65537")]), Err(413));
        assert_eq!(first(&config, "QUERY", &[("Content-Type", "text/plain")]), Err(415));
        assert_eq!(first(&config, "QUERY", &[FORM, ("Content-Length", "65536")]), Ok(65_536));
    }

    #[test]
    fn every_answer_for_a_subscription_tells_of_query() {
        let config = config(&[]);
        let token = bearer("subscribe", 2_000_000_000);
        let fields = |token: &str| [("Authorization".to_owned(), token.to_owned())];
        let tells = |method: &str, query: &str, token: &str| {
            let fields = fields(token);
            let fields = fields.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
            let request = Request::new(method, &format!("{HUB}?{query}"), fields);
            let response = match admit(&request, &config, NOW, &[7; 32]) {
                Step::Done(Admission::Answer(answer)) => answer.response.map(drop),
                Step::Done(Admission::Forward(Command::Subscribe(subscribe))) => {
                    subscribe.opened(None)
                }
                other => panic!("{other:?}"),
            };
            let field = |name| response.headers().get(name).map(|value| value.to_str().unwrap());
            match (field("accept-query"), field("incremental")) {
                (Some("application/x-www-form-urlencoded"), Some("?1")) => true,
                (None, None) => false,
                other => panic!("{other:?}"),
            }
        };
        for method in ["GET", "HEAD", "QUERY"] {
            assert!(tells(method, "match=a", "Bearer a.b.c"), "{method}: 401");
            assert!(tells(method, "matcher=a", &token), "{method}: 400");
        }
        assert!(tells("GET", "match=a", &token) && tells("HEAD", "match=a", &token));
        assert!(!tells("POST", "match=a", "Bearer a.b.c"));
        assert!(!tells("OPTIONS", "match=a", "") && !tells("PUT", "match=a", &token));
        let long = format!("match={}", "a".repeat(crate::limits::MAX_URL_LENGTH));
        assert!(tells("GET", &long, &token), "414: QUERY would do");
        assert!(!tells("POST", &long, &token));
    }

    #[test]
    fn a_token_may_expire_while_the_body_arrives() {
        let config = config(&[]);
        let token = bearer("publish", NOW.as_millis() / 1_000 + 1);
        let request = request("POST", &[("Authorization", &token)]);
        let admitted = |millis| match admit(&request, &config, NOW, &[7; 32]) {
            Step::Read(unread) => {
                let later = Timestamp::from_millis(NOW.as_millis() + millis);
                matches!(
                    unread.admit(&Body::Whole(b"topic=a".into()), later),
                    Admission::Forward(_)
                )
            }
            other => panic!("{other:?}"),
        };
        assert!(admitted(999));
        assert!(!admitted(1_000));
    }

    #[test]
    fn a_body_that_broke_off_publishes_nothing() {
        let config = config(&[]);
        let token = bearer("publish", 2_000_000_000);
        let request = request("POST", &[("Authorization", &token)]);
        for (body, status) in [(Body::Broken, 400), (Body::TooLarge, 413)] {
            let Step::Read(unread) = admit(&request, &config, NOW, &[7; 32]) else { panic!() };
            let Admission::Answer(answer) = unread.admit(&body, NOW) else { panic!() };
            assert_eq!(answer.response.status().as_u16(), status);
        }
    }

    #[test]
    fn a_token_that_expires_on_the_way_to_the_holder_is_answered_as_at_the_entry() {
        let config = config(&[("CORS_ORIGINS", "https://page.example")]);
        let token = bearer("subscribe", NOW.as_millis() / 1_000 + 1);
        let fields = [("authorization", token.as_bytes()), ("origin", b"https://page.example")];
        let request = Request::new("GET", &format!("{HUB}?match=a"), fields);
        let step = admit(&request, &config, NOW, &[7; 32]);
        let Step::Done(Admission::Forward(Command::Subscribe(subscribe))) = step else { panic!() };
        let at = |millis| Timestamp::from_millis(NOW.as_millis() + millis);
        assert!(subscribe.expired(at(999)).is_none());
        let Step::Done(Admission::Answer(entry)) = admit(&request, &config, at(1_000), &[7; 32])
        else {
            panic!()
        };
        let holder = subscribe.expired(at(1_000)).unwrap();
        assert_eq!(holder.response.status(), 401);
        assert_eq!(holder.response.headers(), entry.response.headers());
        assert_eq!(holder.response.body(), entry.response.body());
        assert_eq!((holder.response.status(), holder.log), (entry.response.status(), entry.log));
    }

    /// A page that reads with `cache: 'no-store'` resembles an `EventSource`, and wants JSON.
    #[test]
    fn only_a_subscription_is_answered_with_a_stream_while_keys_are_away() {
        let config = config(&[
            ("MERCURE_SUBSCRIBER_JWT_KEY", ""),
            ("MERCURE_SUBSCRIBER_JWKS_URI", "https://auth.example/jwks"),
            ("SUBSCRIPTIONS", "1"),
        ]);
        // {"alg":"ES256"}, {}
        let fields = [
            ("authorization", b"Bearer eyJhbGciOiJFUzI1NiJ9.e30.AA".as_slice()),
            ("cache-control", b"no-cache"),
            ("sec-fetch-mode", b"cors"),
        ];
        let status = |path: &str| {
            let request = Request::new("GET", &format!("{HUB}{path}"), fields);
            let step = admit(&request, &config, NOW, &[7; 32]);
            let Step::Keys(unkeyed) = step else { panic!("{step:?}") };
            unkeyed.unavailable().response.status().as_u16()
        };
        assert_eq!((status("?match=a"), status("/subscriptions")), (200, 503));
    }

    #[test]
    fn a_subscriber_without_a_token_never_expires() {
        let config = config(&[("ANONYMOUS", "1")]);
        let request = Request::new("GET", &format!("{HUB}?match=a"), []);
        let step = admit(&request, &config, NOW, &[7; 32]);
        let Step::Done(Admission::Forward(Command::Subscribe(subscribe))) = step else { panic!() };
        assert!(subscribe.expired(Timestamp::from_millis(u64::MAX)).is_none());
    }

    /// Wherever a client puts a token, no value that a shell holds shows it.
    #[test]
    fn a_token_is_never_shown() {
        let config = config(&[("QUERY_AUTHORIZATION", "1"), ("ANONYMOUS", "1")]);
        let mut forwarded = 0;
        for role in ["publish", "subscribe"] {
            let authorization = bearer(role, 2_000_000_000);
            let token = &authorization["Bearer ".len()..];
            let bytes = format!("{:?}", token.as_bytes());
            let bytes = bytes.trim_matches(['[', ']']);
            let cookie = format!("mercureAuthorization={token}");
            let query = format!("authorization={token}");
            let places = [
                (query.as_str(), vec![]),
                ("", vec![("authorization", authorization.as_bytes())]),
                ("", vec![("cookie", cookie.as_bytes()), ("origin", b"https://hub.example")]),
            ];
            for (query, fields) in places {
                for method in ["GET", "HEAD", "QUERY", "POST", "PUT"] {
                    let url = format!("{HUB}?{query}&match={token}");
                    let form = [(FORM.0, FORM.1.as_bytes())];
                    let fields = fields.iter().copied().chain(form);
                    let request = Request::new(method, &url, fields);
                    let body = format!("topic=a&match=a&authorization={token}&data={token}");
                    let body = Body::Whole(body.into_bytes());
                    let step = admit(&request, &config, NOW, &[7; 32]);
                    let mut shown = format!("{request:?} {body:?} {step:?}");
                    if let Step::Read(unread) = step {
                        shown += &format!(" {:?}", unread.admit(&body, NOW));
                    }
                    forwarded += usize::from(shown.contains("Forward("));
                    assert!(!shown.contains(token) && !shown.contains(bytes), "{shown}");
                }
            }
        }
        // For each of the places: a POST of the publisher's, a GET and a QUERY of the subscriber's.
        assert_eq!(forwarded, 9);
    }
}
