//! A request, as a platform received it.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::wire::form::{self, Pair};

/// The head of a request: method, URL and header fields.
///
/// Built from text and bytes, never from a platform's own conversion: `Last-Event-ID` is raw
/// UTF-8, URLs are long, and methods such as QUERY are unknown to many a library.
#[derive(Clone, Debug)]
pub struct Request {
    method: String,
    url_length: usize,
    origin: String,
    path: String,
    query: String,
    headers: HeaderMap,
}

impl Request {
    /// A request for `url`, the absolute URL as the platform vouches for it. Fields that are no
    /// legal header fields are left out: a client cannot have sent them.
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
        }
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

    /// The path, as it was encoded.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The pairs of the query component.
    pub(crate) fn query(&self) -> impl Iterator<Item = Pair> {
        form::pairs(self.query.as_bytes())
    }

    /// The value of a header field, where it is text; of several, the first.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// All values of a header field, as bytes.
    pub(crate) fn header_values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.headers.get_all(name).iter().map(HeaderValue::as_bytes)
    }
}

/// The body of a request, as far as [`Unread::limit`](crate::Unread::limit) lets it be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// All of it.
    Whole(Vec<u8>),
    /// It went on past the limit.
    TooLarge,
    /// It broke off, or was not well-formed.
    Broken,
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
}
