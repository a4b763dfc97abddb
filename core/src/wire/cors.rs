//! Browsers across origins: who may read answers, and whose cookies may publish.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
    VARY,
};
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::terms::hub_url::HubUrl;
use crate::wire::origin::{self, Origins};
use crate::wire::request::Request;

/// Whose pages may read answers across origins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CorsOrigins {
    /// Everybody's, without credentials.
    All,
    /// Those of these origins, with credentials.
    Listed(Origins),
}

impl CorsOrigins {
    /// Reads `*` or a list.
    ///
    /// # Errors
    ///
    /// What is wrong with an entry, and what to write.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self::All);
        }
        if origin::entries(text).any(|entry| origin::unquoted(entry) == "*") {
            return Err(
                "`*` allows all origins, without cookies, so nothing may stand beside it; write * alone, or list the origins of your own pages"
                    .into(),
            );
        }
        Origins::parse(text).map(Self::Listed)
    }
}

/// What the answers to one request say about reading them across origins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Cors {
    /// Nothing; `varies` where another origin would get a different answer.
    Closed { varies: bool },
    /// All pages may read, without credentials.
    Open,
    /// Pages of this origin may read, with credentials.
    Origin(String),
}

impl Cors {
    /// What a hub without a configuration says.
    pub(crate) fn none() -> Self {
        Self::Closed { varies: false }
    }

    /// What a hub says that is open to every origin.
    pub(crate) fn open_to(request: &Request) -> Self {
        // A page whose request carries cookies could not read it anyway.
        match request.header_values("cookie").next() {
            Some(_) => Self::none(),
            None => Self::Open,
        }
    }

    /// draft-08, "Subscription": with credentials, never `*` and never whatever origin asks, but
    /// one of an explicit list.
    pub(crate) fn of(request: &Request, origins: &CorsOrigins) -> Self {
        match (origins, request.header("origin")) {
            (CorsOrigins::All, _) => Self::open_to(request),
            (CorsOrigins::Listed(list), Some(origin)) if list.contains(origin) => {
                Self::Origin(origin.to_owned())
            }
            (CorsOrigins::Listed(list), _) => Self::Closed { varies: !list.is_empty() },
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
                // It cannot fail: an origin of the list is ASCII, and it came in a header field.
                if let Ok(origin) = HeaderValue::from_str(origin) {
                    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
                    headers
                        .insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
                    expose(headers);
                }
            }
        }
    }
}

/// The fields of an answer that scripts may read, besides its body.
fn expose(headers: &mut HeaderMap) {
    headers.insert(
        ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static(
            "Link, Mercure-Last-Event-ID, Last-Event-ID, WWW-Authenticate, Accept-Query, Retry-After",
        ),
    );
}

/// Whether a publication that a cookie authorizes comes from a page that may send it: the check
/// against cross-site request forgery (CSRF). `origins` may publish besides the hub's own.
///
/// draft-08, "Security Considerations": the origin in `Origin` or `Referer` matches the hub's own
/// or a configured one, and a request with neither is refused.
pub(crate) fn may_publish(request: &Request, origins: &Origins, hub: &HubUrl) -> bool {
    let source = match request.header_values("origin").next() {
        // One that is not text matches no origin; that is not the same as there being none.
        Some(origin) => Some(String::from_utf8_lossy(origin).into_owned()),
        None => request
            .header("referer")
            .and_then(|referer| Url::parse(referer).ok())
            .map(|page| page.origin().ascii_serialization()),
    };
    source.is_some_and(|source| source == hub.origin() || origins.contains(&source))
}
