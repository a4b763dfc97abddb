//! Why requests are refused, by whose fault it is, and the one map from there to the wire.
//!
//! | fault | status | challenge |
//! |---|---|---|
//! | of the request | 400, 404, 405, 406, 413, 414, 415, 426 | none: the body is problem details |
//! | of the token | 400, 401, 403 | `Bearer`, with where the hub's metadata is; and the same in words |
//! | of a client that asks for too much | 429 | none |
//! | of the page that sent it, or of the way it came | 403 | none |
//! | of the hub, for a while | 503 | none |
//! | of the hub's owner | 500, 508 | none |

use std::time::Duration;

use http::header::{ALLOW, CONNECTION, CONTENT_TYPE, RETRY_AFTER, UPGRADE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::wire::answer::{Answer, Response, respond};
use crate::wire::cors::Cors;
use crate::wire::discovery::MetadataUrl;

/// Why a request is refused. Texts are whole sentences, for the person who reads the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    // The request's fault.
    /// A field or parameter is wrong: what is wrong with it, and what to do.
    Malformed(String),
    /// There is no resource at this path; the hub's is another.
    NotFound { hub_path: String },
    /// There is no such active subscription.
    NoSubscription,
    /// The resource does not have this method, but those.
    Method { allowed: &'static str },
    /// This hub follows another, at which to publish; here are those methods.
    PublishElsewhere { allowed: &'static str, leader: String },
    /// The feed is sent over a WebSocket alone.
    NotAWebSocket,
    /// Something is larger than this hub accepts: what it is, and how large it may be.
    TooLarge(String),
    /// The URL is longer than this hub accepts.
    UrlTooLong,
    /// The body has another media type than a form's, or is compressed.
    NotAForm,
    /// The client takes no event streams, and there is nothing else to answer a subscription with.
    NotAcceptable,

    // The token's fault.
    /// There is no token, and one is needed.
    NoToken,
    /// The `Authorization` field is not one `Bearer` token.
    MalformedToken,
    /// The token is not valid: why, for the log only.
    InvalidToken(String),
    /// The token is valid, and grants less than was asked for.
    InsufficientScope(String),

    /// Whoever would follow the hub has not shown its secret.
    Stranger,

    // The client's fault, for a while.
    /// It has used up what one client may: when to try again.
    TooMany(Limit, Duration),

    // The fault of the page, or of the way.
    /// A cookie came from a page that may not publish with it.
    ForbiddenOrigin,
    /// The request did not come through the CDN in front of the hub.
    Bypass,

    // The hub's fault.
    /// It cannot serve the request for a while.
    Unavailable,
    /// Its log needs its owner's attention.
    BrokenLog,
    /// Its configuration does.
    Misconfigured,
    /// It follows another, and so does the hub that passed this publication on to it.
    Loop,
}

/// A limit of one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    StreamsPerToken,
    StreamsPerAddress,
    PublicationsPerSecond,
}

impl Limit {
    fn variable(self) -> &'static str {
        match self {
            Self::StreamsPerToken => "MAX_STREAMS_PER_TOKEN",
            Self::StreamsPerAddress => "MAX_STREAMS_PER_ADDRESS",
            Self::PublicationsPerSecond => "MAX_PUBLICATIONS_PER_SECOND",
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::StreamsPerToken => {
                "The owner of this access token has as many streams open as the hub allows; close some, or try again later."
            }
            Self::StreamsPerAddress => {
                "As many streams are open from your address as the hub allows; close some, or try again later."
            }
            Self::PublicationsPerSecond => {
                "The owner of this access token publishes more often than the hub allows; try again later, and publish less often."
            }
        }
    }

    /// What the hub's log says of it.
    pub(crate) fn line(self) -> String {
        format!("turned a client away that had reached {}", self.variable())
    }
}

/// The reason to refuse an expired token. It is found in two places: when the token is validated,
/// and when a subscriber has been long on its way to the holder of its stream.
pub(crate) const EXPIRED: &str = "its `exp` has passed";

impl Refusal {
    /// The token has expired.
    pub(crate) fn expired_token() -> Self {
        Self::InvalidToken(EXPIRED.to_owned())
    }

    /// The body is larger than this many bytes.
    pub(crate) fn body_too_large(limit: usize) -> Self {
        Self::TooLarge(format!(
            "The body is larger than the {limit} bytes that are allowed here; send less."
        ))
    }

    /// The sentence that says what is wrong with the token, for the owner of a hub who debugs. All
    /// others get the one sentence for all reasons.
    pub(crate) fn explanation(&self) -> Option<String> {
        match self {
            Self::InvalidToken(reason) => {
                Some(format!("The access token is not valid here: {reason}."))
            }
            _ => None,
        }
    }

    /// The answer on the wire, if it cannot be a challenge.
    pub(crate) fn into_answer(self, cors: &Cors) -> Answer {
        self.challenging(cors, None)
    }

    /// The answer on the wire. If it is a challenge, it leads to the hub's metadata, where there is
    /// some; for an invalid token and a limit, the log has the reason.
    pub(crate) fn challenging(self, cors: &Cors, metadata: Option<&MetadataUrl>) -> Answer {
        let log = match &self {
            Self::InvalidToken(reason) => Some(format!("refused an access token: {reason}")),
            Self::Stranger => Some(
                "refused a hub that would follow this one: its FEED_SECRET is another".to_owned(),
            ),
            Self::TooMany(limit, _) => Some(limit.line()),
            _ => None,
        };
        Answer { log, ..self.response(cors, metadata).into() }
    }

    fn response(&self, cors: &Cors, metadata: Option<&MetadataUrl>) -> Response {
        let status = self.status();
        let mut headers = HeaderMap::new();
        let body = match self.challenge(metadata) {
            Some(challenge) => {
                headers.insert(WWW_AUTHENTICATE, challenge);
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
                self.sentence()
            }
            None => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
                problem(status, &self.sentence())
            }
        };
        match self {
            Self::NotAWebSocket => {
                headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
                headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
            }
            Self::Method { allowed } | Self::PublishElsewhere { allowed, .. } => {
                headers.insert(ALLOW, HeaderValue::from_static(allowed));
            }
            Self::Unavailable => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("2"));
            }
            // RFC 9110, section 10.2.3: whole seconds.
            Self::TooMany(_, wait) => {
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
            }
            _ => {}
        }
        respond(status, headers, body.into_bytes(), cors)
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(_) | Self::MalformedToken => StatusCode::BAD_REQUEST,
            Self::NoToken | Self::InvalidToken(_) | Self::Stranger => StatusCode::UNAUTHORIZED,
            Self::InsufficientScope(_) | Self::ForbiddenOrigin | Self::Bypass => {
                StatusCode::FORBIDDEN
            }
            Self::NotFound { .. } | Self::NoSubscription => StatusCode::NOT_FOUND,
            Self::Method { .. } | Self::PublishElsewhere { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAWebSocket => StatusCode::UPGRADE_REQUIRED,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UrlTooLong => StatusCode::URI_TOO_LONG,
            Self::NotAForm => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::TooMany(..) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::BrokenLog | Self::Misconfigured => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Loop => StatusCode::LOOP_DETECTED,
        }
    }

    /// draft-08, "Error Responses", after RFC 6750, section 3: no error code where no token was
    /// presented, and one and the same code whatever makes a token invalid. Then, in each of them,
    /// where the hub's metadata is (RFC 9728, section 5.1).
    fn challenge(&self, metadata: Option<&MetadataUrl>) -> Option<HeaderValue> {
        let error = match self {
            // It is no access token that is missing, and metadata does not lead to it.
            Self::Stranger => return Some(HeaderValue::from_static("Bearer")),
            Self::NoToken => None,
            Self::MalformedToken => Some("invalid_request"),
            Self::InvalidToken(_) => Some("invalid_token"),
            Self::InsufficientScope(_) => Some("insufficient_scope"),
            _ => return None,
        };
        let error = error.map(|code| format!("error=\"{code}\""));
        // A URL holds no quotation marks.
        let metadata = metadata.map(|url| format!("resource_metadata=\"{url}\""));
        let parameters: Vec<String> = error.into_iter().chain(metadata).collect();
        let challenge = format!("Bearer {}", parameters.join(", "));
        // It cannot fail: a URL is ASCII.
        let challenge = HeaderValue::try_from(challenge.trim_end());
        Some(challenge.unwrap_or(const { HeaderValue::from_static("Bearer") }))
    }

    pub(crate) fn sentence(&self) -> String {
        match self {
            Self::Malformed(what) | Self::TooLarge(what) | Self::InsufficientScope(what) => what.clone(),
            Self::NotFound { hub_path } => format!("There is nothing here; the hub is at {hub_path}."),
            Self::NoSubscription => {
                "There is no such active subscription; it may have ended.".into()
            }
            Self::Method { allowed } => format!("Use one of the methods {allowed}."),
            Self::PublishElsewhere { leader, .. } => {
                format!("This hub follows another, and takes no publications; publish at {leader}.")
            }
            Self::NotAWebSocket => {
                "The feed is sent over a WebSocket; begin one, with HTTP/1.1.".into()
            }
            Self::Stranger => {
                "Only hubs that know this hub's FEED_SECRET may follow it; send it as `Authorization: Bearer <secret>`.".into()
            }
            Self::UrlTooLong => format!(
                "The URL is longer than {} bytes; subscribe to fewer topics at a time, or with QUERY.",
                crate::limits::MAX_URL_LENGTH
            ),
            Self::NotAForm => {
                "Send the body as a form, and not compressed: Content-Type application/x-www-form-urlencoded.".into()
            }
            Self::NotAcceptable => {
                "A subscription is answered with an event stream; accept text/event-stream.".into()
            }
            Self::NoToken => {
                "An access token is needed; send it as `Authorization: Bearer <token>`, or in the hub's cookie.".into()
            }
            Self::MalformedToken => {
                "The Authorization header must be `Bearer`, a space, and one access token.".into()
            }
            // One sentence for all reasons: draft-08, "Error Responses".
            Self::InvalidToken(_) => {
                "The access token is not valid here; get a new one. The hub's log has the reason.".into()
            }
            Self::ForbiddenOrigin => {
                "A page of this origin may not publish with a cookie; list its origin in PUBLISH_ORIGINS, or send the token in the Authorization header.".into()
            }
            Self::Bypass => {
                "The hub answers only what comes by its public URL; use that one.".into()
            }
            Self::TooMany(limit, _) => limit.sentence().into(),
            Self::Unavailable => "The hub cannot do this just now; try again in a moment.".into(),
            Self::BrokenLog => {
                "The hub's log needs its owner, who finds the reason in the hub's own log.".into()
            }
            Self::Misconfigured => {
                "The hub's configuration is broken; its owner finds the reason in the hub's log.".into()
            }
            Self::Loop => {
                "A hub has passed this publication on to one that follows another, or itself; its owner must set FOLLOW to the hub that has the log.".into()
            }
        }
    }
}

/// Problem details (RFC 9457).
fn problem(status: StatusCode, detail: &str) -> String {
    serde_json::json!({
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "detail": detail,
    })
    .to_string()
}
