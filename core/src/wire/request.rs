//! A request, as a platform received it.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::wire::form::{self, Pair};
use crate::wire::media_type::{self, MediaType};

/// The head of a request: method, URL and header fields.
///
/// Built from text and bytes, never from a platform's own conversion: `Last-Event-ID` is raw
/// UTF-8, URLs are long, and many libraries do not know methods such as QUERY.
#[derive(Clone)]
pub struct Request {
    method: String,
    url_length: usize,
    origin: String,
    path: String,
    query: String,
    headers: HeaderMap,
    address: Option<String>,
}

impl Request {
    /// A request for `url`, the absolute URL as the platform vouches for it. Fields that are not
    /// legal in HTTP are left out: a client cannot have sent them.
    pub fn new<'a>(
        method: &str,
        url: &str,
        headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Self {
        let (location, _fragment) = url.split_once('#').unwrap_or((url, ""));
        let (location, query) = location.split_once('?').unwrap_or((location, ""));
        let authority = location.find("://").map_or(0, |at| at + 3);
        let path_at = location[authority..].find('/').map_or(location.len(), |at| authority + at);
        let (origin, path) = location.split_at(path_at);

        let mut fields = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value)) {
                fields.append(name, value);
            }
        }
        Self {
            method: method.to_owned(),
            url_length: url.len(),
            origin: origin.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: fields,
            address: None,
        }
    }

    /// The same request, from this IP address as the platform vouches for it, with or without a port.
    #[must_use]
    pub fn sent_from(self, address: &str) -> Self {
        Self { address: Some(address.to_owned()), ..self }
    }

    /// The length of the body in bytes, where the request says it.
    #[must_use]
    pub fn length(&self) -> Option<usize> {
        self.header("content-length")?.parse().ok()
    }

    /// The address that the platform vouches for, as it says it.
    pub(crate) fn address(&self) -> Option<&str> {
        self.address.as_deref()
    }

    /// The method, in the client's own case.
    pub(crate) fn method(&self) -> &str {
        &self.method
    }

    /// The length of the whole URL in bytes.
    pub(crate) fn url_length(&self) -> usize {
        self.url_length
    }

    /// Scheme, host and port: `https://hub.example.com`.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// The path, still percent-encoded.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The query component as it came, with the `?` before it; empty if there is none.
    pub(crate) fn raw_query(&self) -> String {
        if self.query.is_empty() { String::new() } else { format!("?{}", self.query) }
    }

    /// The pairs of the query component.
    pub(crate) fn query(&self) -> impl Iterator<Item = Pair> {
        form::pairs(self.query.as_bytes())
    }

    /// The value of a header field, if it is text; of several, the first.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The header fields.
    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// All values of a header field, as bytes.
    pub(crate) fn header_values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.headers.get_all(name).iter().map(HeaderValue::as_bytes)
    }

    /// Whether the client takes event streams, as far as its `Accept` says.
    pub(crate) fn accepts_event_streams(&self) -> bool {
        media_type::accepts_event_streams(self.header_values("accept"))
    }

    /// Whether the request names one type for its body, which can be read.
    pub(crate) fn names_a_type(&self) -> bool {
        let mut fields = self.header_values("content-type");
        match (fields.next(), fields.next()) {
            (Some(field), None) => MediaType::parse(field).is_some(),
            _ => false,
        }
    }

    /// Whether the body is a form, as far as the header fields say. They may say nothing; where a
    /// field comes more than once, each must agree. A compressed body is not a form (RFC 9110,
    /// section 8.4).
    pub(crate) fn is_form(&self) -> bool {
        let is = |name, value: &'static str| {
            self.header_values(name).all(|field| {
                let essence =
                    field.split(|&byte| byte == b';').next().unwrap_or(field).trim_ascii();
                essence.is_empty() || essence.eq_ignore_ascii_case(value.as_bytes())
            })
        };
        is("content-type", "application/x-www-form-urlencoded")
            && is("content-encoding", "identity")
    }
}

impl fmt::Debug for Request {
    /// Leaves out the query and the header fields, which may carry access tokens, and the address.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Request")
            .field("method", &self.method)
            .field("origin", &self.origin)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// The body of a request, as far as [`Unread::limit`](crate::Unread::limit) lets it be read.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Body {
    /// All of it.
    Whole(Vec<u8>),
    /// It went on past the limit.
    TooLarge,
    /// It broke off, or was not well-formed.
    Broken,
}

impl fmt::Debug for Body {
    /// Shows no byte of it: what is published may be private.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(body) => write!(formatter, "Whole({} bytes)", body.len()),
            Self::TooLarge => formatter.write_str("TooLarge"),
            Self::Broken => formatter.write_str("Broken"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart_as_it_is() {
        let request = Request::new("GET", "https://hub.example:8443/a%2Fb?topic=x?y&z#f", []);
        assert_eq!(request.origin(), "https://hub.example:8443");
        assert_eq!(request.path(), "/a%2Fb");
        assert_eq!(request.query().count(), 2);
        let bare = Request::new("GET", "https://hub.example", []);
        assert_eq!((bare.origin(), bare.path()), ("https://hub.example", ""));
    }

    #[test]
    fn fields_are_bytes() {
        let fields =
            [("last-event-id", "é".as_bytes()), ("X-A", b"1"), ("x-a", b"2"), ("bad name", b"3")];
        let request = Request::new("GET", "https://hub.example/", fields);
        let ids: Vec<&[u8]> = request.header_values("Last-Event-ID").collect();
        assert_eq!(ids, ["é".as_bytes()]);
        assert_eq!(request.header("x-a"), Some("1"));
        assert_eq!(request.header_values("x-a").count(), 2);
    }

    #[test]
    fn what_may_hold_a_token_is_not_shown() {
        let url = "https://hub.example/hub?authorization=secret-1#secret-2";
        let fields: [(&str, &[u8]); 3] = [
            ("Authorization", b"Bearer secret-3"),
            ("Cookie", b"mercureAuthorization=secret-4"),
            ("X-Origin-Verify", b"secret-5"),
        ];
        let shown = format!("{:?}", Request::new("GET", url, fields));
        let expected =
            r#"Request { method: "GET", origin: "https://hub.example", path: "/hub", .. }"#;
        assert_eq!(shown, expected);
        assert_eq!(format!("{:?}", Body::Whole(b"secret".to_vec())), "Whole(6 bytes)");
    }
}
