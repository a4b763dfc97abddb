//! Admission: from a request to an answer, or to a command for the holder of the log.
//!
//! ```text
//!  request ─▶ route ─▶ size ─▶ token ─▶ type ─▶ body ─▶ fields ─▶ grants ─▶ Command
//!               └────────┴────────┴────────┴───────┴────────┴────────┴─────▶ Answer
//! ```
//!
//! All of it is a pure function of the request, the configuration, the time and some random bytes;
//! where the body counts, two: [`admit`](admit()) asks for it ([`Step::Read`]) when its sender has
//! shown the token that is needed, for a body is not worth memory before that.
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
//! let request = Request::new("QUERY", url, []);
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

use crate::authorization::bearer::{Presentation, bearer};
use crate::authorization::token::{self, Token};
use crate::command::publish::{self, Publish};
use crate::command::subscribe::{self, Subscribe};
use crate::command::{CheckHealth, Command};
use crate::config::Config;
use crate::config::serves::{check_origin, methods};
use crate::limits::{MAX_QUERY_BODY_LENGTH, MAX_URL_LENGTH};
use crate::terms::hub_url::{DEFAULT_PATH, HEALTH_PATH, HubUrl};
use crate::terms::update::Update;
use crate::time::Timestamp;
use crate::trust::role::Role;
use crate::wire::answer::{Answer, Response};
use crate::wire::cors::{self, Cors};
use crate::wire::form;
use crate::wire::refusal::Refusal;
use crate::wire::request::{Body, Request};

/// What becomes of a request, as far as its head tells.
#[derive(Debug)]
pub enum Step<'a> {
    /// Its body does not count, and need not be read.
    Done(Admission),
    /// Its body counts: read it, no further than [`Unread::limit`], and go on with
    /// [`Unread::admit`].
    Read(Unread<'a>),
}

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum Admission {
    /// It is answered at once.
    Answer(Answer),
    /// The holder of the log answers it.
    Forward(Command),
}

/// A request whose head is in order, and whose body is still to be read.
#[derive(Debug)]
pub struct Unread<'a> {
    head: Head<'a>,
    purpose: Purpose,
    limit: usize,
}

/// What a body is read for.
#[derive(Debug)]
enum Purpose {
    Publish(Token),
    Subscribe(Option<Token>),
}

/// What is known of a request before its body.
#[derive(Debug)]
struct Head<'a> {
    request: &'a Request,
    config: &'a Config,
    hub: HubUrl,
    cors: Cors,
    random: [u8; 16],
}

/// The methods of the hub's health.
const HEALTH_METHODS: &str = "GET, HEAD, OPTIONS";

/// What a path and a method ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    Publish,
    Subscribe,
    /// The answer to a subscriber, without a stream.
    Probe,
    Query,
    Preflight {
        methods: &'static str,
    },
    CheckHealth,
}

/// Decides what becomes of a request. `entropy` must be fresh random bytes: ids are made of it.
#[must_use]
pub fn admit<'a>(
    request: &'a Request,
    config: &'a Config,
    now: Timestamp,
    entropy: &[u8; 32],
) -> Step<'a> {
    let cors = Cors::of(request, config);
    match begin(request, config, now, entropy, &cors) {
        Ok(step) => step,
        Err(refusal) => Step::Done(Admission::Answer(refusal.into_answer(&cors))),
    }
}

fn begin<'a>(
    request: &'a Request,
    config: &'a Config,
    now: Timestamp,
    entropy: &[u8; 32],
    cors: &Cors,
) -> Result<Step<'a>, Refusal> {
    let (route, hub) = route(request, config)?;
    let mut random = [0; 16];
    random.copy_from_slice(&entropy[..16]);
    let head = Head { request, config, hub, cors: cors.clone(), random };
    Ok(match route {
        Route::Preflight { methods } => Step::Done(answer(cors.preflight(methods))),
        Route::CheckHealth => {
            Step::Done(Admission::Forward(Command::CheckHealth(CheckHealth { cors: cors.clone() })))
        }
        Route::Publish => head.unread(config.max_request_body_size, |head| {
            Ok(Purpose::Publish(head.publisher(now)?))
        })?,
        Route::Query => head
            .unread(MAX_QUERY_BODY_LENGTH, |head| Ok(Purpose::Subscribe(head.subscriber(now)?)))?,
        Route::Subscribe => {
            let subscribe = head.subscribe(head.subscriber(now)?, &[])?;
            Step::Done(Admission::Forward(Command::Subscribe(subscribe)))
        }
        Route::Probe => {
            let subscribe = head.subscribe(head.subscriber(now)?, &[])?;
            let response = subscribe.opened(subscribe.unresumed());
            Step::Done(answer(response.map(|()| Vec::new())))
        }
    })
}

fn answer(response: Response) -> Admission {
    Admission::Answer(Answer { response, log: None })
}

impl Unread<'_> {
    /// The most bytes of the body that are of use; one that goes on is [`Body::TooLarge`].
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Decides what becomes of the request, now that its body is known.
    #[must_use]
    pub fn admit(self, body: &Body, now: Timestamp) -> Admission {
        let Self { head, purpose, limit } = self;
        let decided = whole(body, limit).and_then(|body| match purpose {
            Purpose::Publish(token) => {
                // It may have taken its time to arrive.
                check_expiry(Some(&token), now)?;
                let update = head.publish(&token, body)?;
                Ok(Command::Publish(Publish { update, cors: head.cors.clone() }))
            }
            Purpose::Subscribe(token) => {
                check_expiry(token.as_ref(), now)?;
                head.subscribe(token, body).map(Command::Subscribe)
            }
        });
        match decided {
            Ok(command) => Admission::Forward(command),
            Err(refusal) => Admission::Answer(refusal.into_answer(&head.cors)),
        }
    }
}

fn check_expiry(token: Option<&Token>, now: Timestamp) -> Result<(), Refusal> {
    token::check_expiry(token.and_then(|token| token.expires), now).map_err(Refusal::InvalidToken)
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

/// Finds what is asked for, and the hub's URL for this request.
fn route(request: &Request, config: &Config) -> Result<(Route, HubUrl), Refusal> {
    check_origin(request, config)?;
    if request.url_length() > MAX_URL_LENGTH {
        return Err(Refusal::UrlTooLong);
    }
    // A host that makes no URL is none that this hub could be at.
    let hub = config
        .hub_url(request)
        .ok_or_else(|| Refusal::NotFound { hub_path: DEFAULT_PATH.to_owned() })?;
    let path = canonical(request.path());
    let route = if path == hub.path() || config.hub_aliases.contains(&path) {
        let serves = config.serves;
        match request.method() {
            "GET" if serves.subscribes() => Route::Subscribe,
            "HEAD" if serves.subscribes() => Route::Probe,
            "QUERY" if serves.subscribes() => Route::Query,
            "POST" if serves.publishes() => Route::Publish,
            "OPTIONS" => Route::Preflight { methods: methods(config) },
            _ => return Err(Refusal::Method { allowed: methods(config) }),
        }
    } else if path == HEALTH_PATH {
        match request.method() {
            "GET" | "HEAD" => Route::CheckHealth,
            "OPTIONS" => Route::Preflight { methods: HEALTH_METHODS },
            _ => return Err(Refusal::Method { allowed: HEALTH_METHODS }),
        }
    } else {
        return Err(Refusal::NotFound { hub_path: hub.path().to_owned() });
    };
    Ok((route, hub))
}

/// A path without doubled leading slashes or a trailing one. Clients glue URLs together, and a
/// redirected POST would lose its body.
fn canonical(path: &str) -> String {
    format!("/{}", path.trim_matches('/'))
}

impl<'a> Head<'a> {
    /// All that can be known before the body.
    fn unread(
        self,
        limit: usize,
        purpose: impl FnOnce(&Self) -> Result<Purpose, Refusal>,
    ) -> Result<Step<'a>, Refusal> {
        let length =
            self.request.header("content-length").and_then(|length| length.parse::<usize>().ok());
        if length.is_some_and(|length| length > limit) {
            return Err(Refusal::body_too_large(limit));
        }
        let purpose = purpose(&self)?;
        if !form::is_content_of(self.request) {
            return Err(Refusal::NotAForm);
        }
        Ok(Step::Read(Unread { head: self, purpose, limit }))
    }

    /// The token of a publisher, who may publish something.
    fn publisher(&self, now: Timestamp) -> Result<Token, Refusal> {
        let (token, presented) = self.token(Role::Publisher, now)?.ok_or(Refusal::NoToken)?;
        // A cookie comes along whatever page sent the request.
        if presented == Presentation::Cookie
            && !cors::may_publish(self.request, self.config, &self.hub)
        {
            return Err(Refusal::ForbiddenOrigin);
        }
        Ok(token)
    }

    /// The token of a subscriber, who may need none.
    fn subscriber(&self, now: Timestamp) -> Result<Option<Token>, Refusal> {
        match self.token(Role::Subscriber, now)? {
            Some((token, _)) => Ok(Some(token)),
            None if self.config.anonymous => Ok(None),
            None => Err(Refusal::NoToken),
        }
    }

    fn token(&self, role: Role, now: Timestamp) -> Result<Option<(Token, Presentation)>, Refusal> {
        let Some(bearer) = bearer(self.request, self.config)? else { return Ok(None) };
        let own = self.config.own_url(self.request, &self.hub);
        let token = token::validate(&bearer, role, self.config, &self.hub, own.as_ref(), now);
        Ok(Some((token.map_err(Refusal::InvalidToken)?, bearer.presented)))
    }

    fn publish(&self, token: &Token, body: &[u8]) -> Result<Update, Refusal> {
        let update = publish::read(body, self.config, &self.hub, self.random)?;
        if token.publishes_ungranted(&update, self.config) {
            return Ok(update);
        }
        // Of the protocol's first years: every target must be granted as well, and a grant of
        // them is none of the topics.
        let topics = update.topics().iter().chain(update.targets());
        if let Some(topic) = token.grants.refuses(topics, &self.hub) {
            return Err(Refusal::InsufficientScope(format!(
                "The access token does not grant publishing to `{topic}`."
            )));
        }
        Ok(update)
    }

    fn subscribe(&self, token: Option<Token>, body: &[u8]) -> Result<Subscribe, Refusal> {
        let Self { request, config, hub, cors, random } = self;
        subscribe::read(request, body, token, config, hub, cors.clone(), *random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{config, sign};

    const HUB: &str = "https://hub.example/.well-known/mercure";
    const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

    fn request(method: &str, fields: &[(&str, &str)]) -> Request {
        let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
        Request::new(method, HUB, fields)
    }

    /// The status where the body is not asked for, else the limit of the body.
    fn first(config: &Config, method: &str, fields: &[(&str, &str)]) -> Result<usize, u16> {
        match admit(&request(method, fields), config, NOW, &[7; 32]) {
            Step::Read(unread) => Ok(unread.limit()),
            Step::Done(Admission::Answer(answer)) => Err(answer.response.status().as_u16()),
            Step::Done(Admission::Forward(command)) => panic!("forwarded: {command:?}"),
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
        assert_eq!(first(&config, "QUERY", &authorized(&subscriber)), Ok(MAX_QUERY_BODY_LENGTH));
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
        assert_eq!(first(&config, "QUERY", &[("Content-Length", "65536")]), Ok(65_536));
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
            Step::Done(admission) => panic!("{admission:?}"),
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
}
