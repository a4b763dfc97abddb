//! The hub's URL, and the namespace below its path that is reserved for the hub.
//!
//! The URL is three things at once: where the hub answers, the resource identifier that tokens
//! name as their audience, and the base that relative topics are resolved against.

use std::fmt;

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use url::Url;

/// The path of a hub unless it is told another (draft-08, "Hub Discovery").
pub(crate) const DEFAULT_PATH: &str = "/.well-known/mercure";

/// Where metadata of protected resources is (RFC 9728, section 3).
pub(crate) const METADATA_PATH: &str = "/.well-known/oauth-protected-resource";

/// Where the hub reports whether it is healthy.
pub(crate) const HEALTH_PATH: &str = "/healthz";

/// Where robots look for what they may read (RFC 9309, section 2.3).
pub(crate) const ROBOTS_PATH: &str = "/robots.txt";

/// Where hubs that follow this one connect, behind its path.
pub(crate) const FEED: &str = "/feed";

/// The URL of the hub: absolute, with scheme `http` or `https`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HubUrl(Url);

/// Why a text is not a hub's URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHubUrl {
    /// It does not parse as an absolute URL.
    #[error("is not an absolute URL")]
    NotAbsolute,
    /// Its scheme is neither `http` nor `https`.
    #[error("has a scheme other than http and https")]
    Scheme,
    /// It contains a user name, a password, a query or a fragment.
    #[error("holds credentials, a query or a fragment")]
    Extras,
    /// Its path is `/`, ends with a slash, or contains two in a row.
    #[error("has no path, ends with a slash, or has two in a row")]
    Slashes,
    /// Its path is the health check's.
    #[error("is the address of the health check")]
    Health,
    /// Its path is that of what robots are told.
    #[error("is where robots look for what they may read")]
    Robots,
    /// Its path is one of those for the metadata of protected resources.
    #[error("is where metadata of protected resources is")]
    Metadata,
}

impl HubUrl {
    /// Parses the URL of a hub.
    ///
    /// # Errors
    ///
    /// If the text is not an absolute `http` or `https` URL with a path and nothing after it.
    pub fn parse(text: &str) -> Result<Self, InvalidHubUrl> {
        let url = Url::parse(text).map_err(|_| InvalidHubUrl::NotAbsolute)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(InvalidHubUrl::Scheme);
        }
        let extras = !url.username().is_empty()
            || url.password().is_some()
            || url.query().is_some()
            || url.fragment().is_some();
        if extras {
            return Err(InvalidHubUrl::Extras);
        }
        if url.path().ends_with('/') || url.path().contains("//") {
            return Err(InvalidHubUrl::Slashes);
        }
        match url.path() {
            HEALTH_PATH => Err(InvalidHubUrl::Health),
            ROBOTS_PATH => Err(InvalidHubUrl::Robots),
            path if path.starts_with(METADATA_PATH) => Err(InvalidHubUrl::Metadata),
            _ => Ok(Self(url)),
        }
    }

    /// The default path at an origin (`https://hub.example.com`), for a hub that is not told its
    /// URL.
    pub(crate) fn at_origin(origin: &str) -> Result<Self, InvalidHubUrl> {
        Self::parse(&format!("{origin}{DEFAULT_PATH}"))
    }

    /// The URL as text: the default audience of access tokens.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The path at which the hub answers.
    #[must_use]
    pub fn path(&self) -> &str {
        self.0.path()
    }

    /// Scheme, host and port, as a browser's `Origin` field spells them.
    pub(crate) fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// The URL that a topic names, as a reference resolved against the hub's URL; `None` if it does
    /// not parse as one (draft-08, "URL Pattern").
    pub(crate) fn resolve(&self, topic: &str) -> Option<Url> {
        // The URL parser skips any slashes beyond two. This library's does not, in a reference
        // without a scheme.
        let reference = topic.trim_start_matches(|c: char| c <= ' ');
        let name = reference.trim_start_matches(['/', '\\', '\t', '\n', '\r']);
        let slashes = reference[..reference.len() - name.len()].matches(['/', '\\']).count();
        match slashes {
            0..=2 => self.0.join(topic).ok(),
            _ => self.0.join(&format!("//{name}")).ok(),
        }
    }

    /// The URL as the base of relative patterns.
    pub(crate) fn as_url(&self) -> &Url {
        &self.0
    }

    /// Whether a topic is in the namespace that is reserved for the hub's own resources.
    ///
    /// draft-08, "Publication": the topic is resolved against the hub's URL with the URL parser,
    /// which removes dot segments (`..`, `%2e%2E`), strips tabs and newlines and reads `\` as `/`;
    /// then percent-encoded unreserved characters are decoded; and the path alone is compared,
    /// whatever the scheme and the authority. A topic that does not parse is not in it.
    pub(crate) fn reserves(&self, topic: &str) -> bool {
        let Some(resolved) = self.resolve(topic) else {
            return false;
        };
        let reserved = decode_unreserved(self.path());
        decode_unreserved(resolved.path())
            .strip_prefix(&reserved)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl TryFrom<String> for HubUrl {
    type Error = InvalidHubUrl;

    fn try_from(text: String) -> Result<Self, InvalidHubUrl> {
        Self::parse(&text)
    }
}

impl From<HubUrl> for String {
    fn from(hub: HubUrl) -> Self {
        hub.0.into()
    }
}

impl fmt::Display for HubUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Decodes, once, the percent-encoded octets of unreserved characters (RFC 3986, section 6.2.2.2).
fn decode_unreserved(path: &str) -> String {
    let mut decoded = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        decoded.push_str(&rest[..at]);
        rest = &rest[at..];
        let escape = rest.get(..3).unwrap_or("%");
        match percent_decode_str(escape).next() {
            Some(byte) if is_unreserved(byte) => decoded.push(char::from(byte)),
            _ => decoded.push_str(escape),
        }
        rest = &rest[escape.len()..];
    }
    decoded.push_str(rest);
    decoded
}

/// RFC 3986, section 2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hub() -> HubUrl {
        HubUrl::parse("https://hub.example.com/.well-known/mercure").unwrap()
    }

    #[test]
    fn it_is_handed_on_as_text() {
        let text = serde_json::to_string(&hub()).unwrap();
        assert_eq!(text, "\"https://hub.example.com/.well-known/mercure\"");
        assert_eq!(serde_json::from_str::<HubUrl>(&text).unwrap(), hub());
    }

    #[test]
    fn reserved_however_it_is_spelt() {
        for topic in [
            "/.well-known/mercure",
            "/.well-known/mercure/",
            "/.well-known/mercure/subscriptions/exact/a/b",
            "/.well-known/mercure?a=b#c",
            "mercure",
            "./mercure/x",
            "https://hub.example.com/.well-known/mercure/x",
            "http://other.example/.well-known/mercure",
            "//other.example/.well-known/mercure",
            "///other.example/.well-known/mercure",
            "////a..b/.well-known/mercure/x",
            "/\\/other.example/.well-known/mercure",
            " \t///other.example/.well-known/mercure",
            "foo://bar/.well-known/mercure/x",
            "/.well-known/%6Dercure/x",
            "/.well-known/%6dercure",
            "/%2Ewell-known/mercure",
            "/.well-known/x/../mercure",
            "/.well-known/mercure/../mercure/x",
            "/.well-known/x/%2e%2E/mercure",
            "/a/./../.well-known/mercure",
            "\\.well-known\\mercure",
            "",
            "?a",
        ] {
            assert!(hub().reserves(topic), "{topic:?}");
        }
    }

    #[test]
    fn not_reserved() {
        for topic in [
            "https://example.com/books/1",
            "/.well-known/mercurey",
            "/.well-known/mercure%2Fx",
            "/.well-known/%256Dercure",
            "/.Well-Known/mercure",
            "/x/.well-known/mercure",
            "/.well-known/mercure/..",
            "urn:uuid:e1ee88e2-532a-4d6f-ba70-f0f8bd584022",
            "http://[not-a-url/.well-known/mercure",
            "pub",
            "%",
            "/.well-known/%6",
        ] {
            assert!(!hub().reserves(topic), "{topic:?}");
        }
    }

    #[test]
    fn a_hub_url_is_absolute_and_bare() {
        assert_eq!(HubUrl::parse("/hub"), Err(InvalidHubUrl::NotAbsolute));
        assert_eq!(HubUrl::parse("ftp://a/hub"), Err(InvalidHubUrl::Scheme));
        assert_eq!(HubUrl::parse("https://a/hub?x"), Err(InvalidHubUrl::Extras));
        assert_eq!(HubUrl::parse("https://u@a/hub"), Err(InvalidHubUrl::Extras));
        assert_eq!(HubUrl::parse("https://a/"), Err(InvalidHubUrl::Slashes));
        assert_eq!(HubUrl::parse("https://a//hub"), Err(InvalidHubUrl::Slashes));
        assert_eq!(HubUrl::parse("https://a/healthz"), Err(InvalidHubUrl::Health));
        assert_eq!(HubUrl::parse("https://a/robots.txt"), Err(InvalidHubUrl::Robots));
        let metadata = "https://a/.well-known/oauth-protected-resource/hub";
        assert_eq!(HubUrl::parse(metadata), Err(InvalidHubUrl::Metadata));
        let hub = HubUrl::parse("https://A:443/hub").unwrap();
        assert_eq!((hub.as_str(), hub.to_string().as_str()), ("https://a/hub", "https://a/hub"));
        assert_eq!(HubUrl::parse("http://a:8787/hub").unwrap().origin(), "http://a:8787");
    }
}
