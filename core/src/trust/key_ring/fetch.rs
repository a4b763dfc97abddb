//! What a shell fetches.

use std::time::Duration;

use http::header::{ACCEPT, USER_AGENT};
use http::{HeaderValue, Request};
use url::Url;

use crate::limits::MAX_KEYS_LENGTH;
use crate::time::Timestamp;

/// How long a fetch may take: as long as a request may wait.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Something to fetch.
#[derive(Clone, Debug)]
pub struct KeyFetch {
    /// The number of its source in the ring.
    pub(super) source: usize,
    /// How the source is referred to, whatever is fetched of it.
    pub(super) name: String,
    pub(super) url: Url,
    pub(super) what: What,
    pub(super) since: Timestamp,
}

/// What is at a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Metadata,
    Keys,
}

/// Why a fetch got no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchFailure {
    /// The body goes on beyond [`KeyFetch::limit`].
    #[error("it is larger than {MAX_KEYS_LENGTH} bytes")]
    TooLarge,
    /// Nobody answered, or not in time, or not to the end.
    #[error("there was no answer: {0}")]
    Unanswered(String),
}

impl KeyFetch {
    /// The request to send. Whatever is answered, a redirect included, is handed to the ring.
    #[must_use]
    pub fn request(&self) -> Request<()> {
        let mut request = Request::new(());
        // What is a URL but no URI goes nowhere, and is reported as a failure.
        *request.uri_mut() = self.url.as_str().parse().unwrap_or_default();
        let headers = request.headers_mut();
        // RFC 7517, section 8.5; RFC 8414, section 3.2.
        let types = "application/jwk-set+json, application/json";
        headers.insert(ACCEPT, HeaderValue::from_static(types));
        // Some servers refuse requests without.
        headers.insert(USER_AGENT, HeaderValue::from_static("cinnabar"));
        request
    }

    /// How many bytes of the body to read at most; one that goes on is [`FetchFailure::TooLarge`].
    #[must_use]
    pub fn limit(&self) -> usize {
        MAX_KEYS_LENGTH
    }

    /// How long it may take, the body included; past it, it is [`KeyFetch::timed_out`].
    #[must_use]
    pub fn timeout(&self) -> Duration {
        TIMEOUT
    }

    /// The failure of a fetch that takes longer.
    #[must_use]
    pub fn timed_out(&self) -> FetchFailure {
        FetchFailure::Unanswered(format!("it took more than {TIMEOUT:?}"))
    }

    /// What is fetched in the end: the same for all that lead there. What came of it may be
    /// [kept](super::fetched::Fetched::keep) under this name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}
