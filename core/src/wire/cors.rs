//! Browsers across origins: who may read answers, and whose cookies may publish.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW,
    VARY,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::config::{Config, Origins};
use crate::terms::hub_url::HubUrl;
use crate::wire::answer::{Response, respond};
use crate::wire::request::Request;

/// What the answers to one request say about reading them across origins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Cors {
    /// Nothing; `varies` where another origin would have got another answer.
    Closed { varies: bool },
    /// All pages may read, without credentials.
    Open,
    /// Pages of this origin may read, with credentials.
    Origin(String),
}

impl Cors {
    /// For a hub that has no configuration to say more.
    pub(crate) fn none() -> Self {
        Self::Closed { varies: false }
    }

    /// For all origins.
    pub(crate) fn open_to(request: &Request) -> Self {
        // A page whose request carries cookies could not read it anyway.
        match request.header_values("cookie").next() {
            Some(_) => Self::none(),
            None => Self::Open,
        }
    }

    /// draft-08, "Subscription": with credentials, never `*` and never a reflected origin, but
    /// one of an explicit list.
    pub(crate) fn of(request: &Request, config: &Config) -> Self {
        match (&config.cors_origins, request.header("origin")) {
            (Origins::All, _) => Self::open_to(request),
            (Origins::Listed(list), Some(origin)) if list.iter().any(|listed| listed == origin) => {
                Self::Origin(origin.to_owned())
            }
            (Origins::Listed(list), _) => Self::Closed { varies: !list.is_empty() },
        }
    }

    /// Adds the fields to an answer.
    pub(crate) fn apply(&self, headers: &mut HeaderMap) {
        match self {
            Self::Closed { varies: false } => {}
            Self::Closed { varies: true } => {
                headers.insert(VARY, HeaderValue::from_static("Origin"));
            }
            Self::Open => {
                headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
                expose(headers);
            }
            Self::Origin(origin) => {
                headers.insert(VARY, HeaderValue::from_static("Origin"));
                // An origin of the list is ASCII; it came in a header field besides.
                if let Ok(origin) = HeaderValue::from_str(origin) {
                    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
                    headers
                        .insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
                    expose(headers);
                }
            }
        }
    }

    /// The answer to OPTIONS: for a preflight, what may be sent.
    pub(crate) fn preflight(&self, methods: &'static str) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert(ALLOW, HeaderValue::from_static(methods));
        if !matches!(self, Self::Closed { .. }) {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
            headers.insert(
                ACCESS_CONTROL_ALLOW_HEADERS,
                HeaderValue::from_static(
                    "authorization, cache-control, content-type, last-event-id, x-requested-with",
                ),
            );
            headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("7200"));
        }
        respond(StatusCode::NO_CONTENT, headers, Vec::new(), self)
    }
}

/// What scripts may read of an answer, beside its body.
fn expose(headers: &mut HeaderMap) {
    headers.insert(
        ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("Link, Mercure-Last-Event-ID, Last-Event-ID, WWW-Authenticate"),
    );
}

/// Whether a publication that a cookie authorizes comes from a page that may send it: the check
/// against cross-site request forgery (CSRF).
///
/// draft-08, "Security Considerations": the origin in `Origin` or `Referer` matches the hub's own
/// (or one of the configured), and a request with neither is refused.
pub(crate) fn may_publish(request: &Request, config: &Config, hub: &HubUrl) -> bool {
    let source = match request.header_values("origin").next() {
        // One that is not text matches none, and is not the absence of one.
        Some(origin) => Some(String::from_utf8_lossy(origin).into_owned()),
        None => request
            .header("referer")
            .and_then(|referer| Url::parse(referer).ok())
            .map(|page| page.origin().ascii_serialization()),
    };
    source.is_some_and(|source| source == hub.origin() || config.publish_origins.contains(&source))
}
