//! Admission: from a request to an answer, or to a command for the holder of the log.
//!
//! ```text
//!  request ─▶ route ─▶ size ─▶ token ─▶ fields ─▶ grants ─▶ Command
//!               └────────┴────────┴────────┴────────┴─────▶ Answer
//! ```
//!
//! All of it is a pure function of the request, the configuration, the time and some random bytes.

use crate::answer::{Answer, Response};
use crate::bearer::{Bearer, Presentation, bearer};
use crate::command::{CheckHealth, Command};
use crate::config::Config;
use crate::cors::{self, Cors};
use crate::error::Refusal;
use crate::hub_url::{DEFAULT_PATH, HEALTH_PATH, HubUrl};
use crate::limits::MAX_URL_LENGTH;
use crate::publish::{self, Publish};
use crate::request::{Body, Request};
use crate::serves::check_origin;
use crate::subscribe::{self, Subscribe};
use crate::time::Timestamp;
use crate::token::{self, Role, Token};
use crate::update::Update;

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum Admission {
    /// It is answered at once.
    Answer(Answer),
    /// The holder of the log answers it.
    Forward(Command),
}

/// The methods of the hub's health.
const HEALTH_METHODS: &str = "GET, HEAD, OPTIONS";

/// What a path and a method ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    Publish,
    Subscribe { with_body: bool },
    Preflight { methods: &'static str },
    CheckHealth,
}

/// How many bytes of a request's body to read before [`admit`]; `None`: do not read it. A body is
/// not worth memory before its sender has shown a valid token.
#[must_use]
pub fn body_limit(request: &Request, config: &Config, now: Timestamp) -> Option<usize> {
    let (route, hub) = route(request, config).ok()?;
    let admitted = route == Route::Publish && publisher(request, config, &hub, now).is_ok();
    admitted.then_some(config.max_request_body_size)
}

/// Decides what becomes of a request. `entropy` must be fresh random bytes: ids are made of it.
#[must_use]
pub fn admit(
    request: &Request,
    body: &Body,
    config: &Config,
    now: Timestamp,
    entropy: &[u8; 32],
) -> Admission {
    let cors = Cors::of(request, config);
    match decide(request, body, config, now, entropy, &cors) {
        Ok(admission) => admission,
        Err(refusal) => Admission::Answer(refusal.into_answer(&cors)),
    }
}

fn decide(
    request: &Request,
    body: &Body,
    config: &Config,
    now: Timestamp,
    entropy: &[u8; 32],
    cors: &Cors,
) -> Result<Admission, Refusal> {
    let (route, hub) = route(request, config)?;
    let mut random = [0; 16];
    random.copy_from_slice(&entropy[..16]);
    match route {
        Route::Preflight { methods } => Ok(answer(cors.preflight(methods))),
        Route::CheckHealth => {
            Ok(Admission::Forward(Command::CheckHealth(CheckHealth { cors: cors.clone() })))
        }
        Route::Publish => {
            let update = publish(request, body, config, &hub, now, random)?;
            Ok(Admission::Forward(Command::Publish(Publish { update, cors: cors.clone() })))
        }
        Route::Subscribe { with_body } => {
            let subscribe = subscribe(request, config, &hub, now, cors, random)?;
            Ok(if with_body {
                Admission::Forward(Command::Subscribe(subscribe))
            } else {
                answer(subscribe.opened(subscribe.unresumed()).map(|()| Vec::new()))
            })
        }
    }
}

fn answer(response: Response) -> Admission {
    Admission::Answer(Answer { response, log: None })
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
    let route = if path == hub.path() {
        let serves = config.serves;
        match request.method() {
            "GET" if serves.subscribes() => Route::Subscribe { with_body: true },
            "HEAD" if serves.subscribes() => Route::Subscribe { with_body: false },
            "POST" if serves.publishes() => Route::Publish,
            "OPTIONS" => Route::Preflight { methods: serves.methods() },
            _ => return Err(Refusal::Method { allowed: serves.methods() }),
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

fn publish(
    request: &Request,
    body: &Body,
    config: &Config,
    hub: &HubUrl,
    now: Timestamp,
    random: [u8; 16],
) -> Result<Update, Refusal> {
    let token = publisher(request, config, hub, now)?;
    let body = match body {
        Body::Whole(body) if body.len() <= config.max_request_body_size => body.as_slice(),
        Body::Unread => &[],
        Body::Broken => {
            return Err(Refusal::Malformed("The body did not arrive whole; send it again.".into()));
        }
        Body::Whole(_) | Body::TooLarge => return Err(body_too_large(config)),
    };
    if !publish::is_form(request) {
        return Err(Refusal::NotAForm);
    }
    let update = publish::read(body, config, hub, random)?;
    if token.publishes_ungranted(&update, config) {
        return Ok(update);
    }
    if let Some(topic) = token.grants.refuses(update.topics(), hub) {
        return Err(Refusal::InsufficientScope(format!(
            "The access token does not grant publishing to the topic `{topic}`."
        )));
    }
    Ok(update)
}

/// The token of a publisher, who may publish something; all that can be known before the body.
fn publisher(
    request: &Request,
    config: &Config,
    hub: &HubUrl,
    now: Timestamp,
) -> Result<Token, Refusal> {
    let length = request.header("content-length").and_then(|length| length.parse::<usize>().ok());
    if length.is_some_and(|length| length > config.max_request_body_size) {
        return Err(body_too_large(config));
    }
    let bearer = bearer(request, config)?.ok_or(Refusal::NoToken)?;
    let token = validate(&bearer, Role::Publisher, config, hub, now)?;
    // A cookie comes along whatever page sent the request.
    if bearer.presented == Presentation::Cookie && !cors::may_publish(request, config, hub) {
        return Err(Refusal::ForbiddenOrigin);
    }
    Ok(token)
}

fn body_too_large(config: &Config) -> Refusal {
    Refusal::TooLarge(format!(
        "The body is larger than the {} bytes that are allowed; publish less, or a link to it.",
        config.max_request_body_size
    ))
}

fn subscribe(
    request: &Request,
    config: &Config,
    hub: &HubUrl,
    now: Timestamp,
    cors: &Cors,
    random: [u8; 16],
) -> Result<Subscribe, Refusal> {
    let token = match bearer(request, config)? {
        Some(bearer) => Some(validate(&bearer, Role::Subscriber, config, hub, now)?),
        None if config.anonymous => None,
        None => return Err(Refusal::NoToken),
    };
    subscribe::read(request, token, config, hub, cors.clone(), random)
}

fn validate(
    bearer: &Bearer,
    role: Role,
    config: &Config,
    hub: &HubUrl,
    now: Timestamp,
) -> Result<Token, Refusal> {
    token::validate(bearer, role, config, hub, now).map_err(Refusal::InvalidToken)
}
