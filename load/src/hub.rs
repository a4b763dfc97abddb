//! The hub under load: where it is, and what it is shown.

use std::io;

use thiserror::Error;
use tokio::net::TcpStream;
use tokio_rustls::rustls::RootCertStore;

use crate::io::{Io, Tls, system_roots};

/// A hub that is running.
#[derive(Clone, Debug)]
pub struct Hub {
    /// Its host and port, as they are written in the URL.
    authority: String,
    /// The same, with a port in any case.
    address: String,
    /// For https.
    tls: Option<Tls>,
    /// The path of the URL.
    path: String,
    /// What publishers and subscribers show.
    tokens: Tokens,
    /// The parameter that selects a topic.
    parameter: &'static str,
    /// The hubs that follow it and hold its streams; none if it holds them itself.
    followers: Vec<Self>,
}

/// The access tokens of both roles, each for every topic.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The publishers'.
    pub publisher: String,
    /// The subscribers'.
    pub subscriber: String,
}

/// A URL at which there can be no load.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("give the hub's URL, such as http://localhost:8787/.well-known/mercure")]
pub struct BadUrl;

impl Hub {
    /// The hub at this URL. The parameter is `match`, or `topic` in 0.x.
    ///
    /// # Errors
    ///
    /// It is no URL of a hub.
    pub fn new(url: &str, tokens: Tokens, parameter: &'static str) -> Result<Self, BadUrl> {
        Self::trusting(system_roots, url, tokens, parameter)
    }

    /// The same, where these are the roots that vouch for a hub's certificate.
    ///
    /// # Errors
    ///
    /// It is no URL of a hub.
    pub fn trusting(
        roots: impl FnOnce() -> RootCertStore,
        url: &str,
        tokens: Tokens,
        parameter: &'static str,
    ) -> Result<Self, BadUrl> {
        let (scheme, rest) = url.split_once("://").ok_or(BadUrl)?;
        let (authority, path) = rest.split_once('/').ok_or(BadUrl)?;
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        if authority.is_empty() || !plain(rest) || path.contains(['?', '#']) {
            return Err(BadUrl);
        }
        // Only a port is all digits; an IPv6 address ends with a bracket.
        let named = authority
            .rsplit_once(':')
            .filter(|(_, port)| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
        let host = named.map_or(authority, |(host, _)| host);
        let (port, tls) = match scheme {
            "http" => (80, None),
            "https" => {
                let name = host.trim_start_matches('[').trim_end_matches(']');
                (443, Some(Tls::new(name, roots()).ok_or(BadUrl)?))
            }
            _ => return Err(BadUrl),
        };
        let address = named.map_or_else(|| format!("{host}:{port}"), |_| authority.to_owned());
        let (authority, path) = (authority.to_owned(), format!("/{path}"));
        let followers = Vec::new();
        Ok(Self { authority, address, tls, path, tokens, parameter, followers })
    }

    /// The same hub, whose streams these others hold: they follow it.
    #[must_use]
    pub fn followed_by(self, followers: Vec<Self>) -> Self {
        Self { followers, ..self }
    }

    /// The hub at which the stream of this number is opened: each follower has as many as the next.
    pub(crate) fn holder(&self, stream: usize) -> &Self {
        match self.followers.len() {
            0 => self,
            count => &self.followers[stream % count],
        }
    }

    /// Opens a connection.
    pub(crate) async fn connect(&self) -> io::Result<Io> {
        let connection = TcpStream::connect(&self.address).await?;
        connection.set_nodelay(true)?;
        match &self.tls {
            None => Ok(Io::Plain(connection)),
            Some(tls) => tls.connect(connection).await,
        }
    }

    /// The request that opens a stream of a topic. It is not a browser's.
    pub(crate) fn subscription(&self, topic: &str) -> Vec<u8> {
        format!(
            "GET {}?{}={topic} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
             Accept: text/event-stream\r\n\r\n",
            self.path, self.parameter, self.authority, self.tokens.subscriber
        )
        .into_bytes()
    }

    /// The head of a publication whose form is of this length.
    pub(crate) fn publication(&self, length: usize) -> Vec<u8> {
        format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n",
            self.path, self.authority, self.tokens.publisher
        )
        .into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_one_of_a_hub() {
        let tokens = || Tokens { publisher: "p".to_owned(), subscriber: "s".to_owned() };
        let hub = Hub::new("http://[::1]:80/hub", tokens(), "match").unwrap();
        assert_eq!((hub.authority.as_str(), hub.path.as_str()), ("[::1]:80", "/hub"));
        let request = String::from_utf8(hub.subscription("a")).unwrap();
        assert!(
            request.starts_with("GET /hub?match=a HTTP/1.1\r\nHost: [::1]:80\r\n"),
            "{request}"
        );
        for url in [
            "",
            "localhost:8787",
            "http://a",
            "http:///x",
            "http://a/?b",
            "http://a/b c",
            "ws://a/b",
            "https://a:b:c/d",
        ] {
            assert_eq!(Hub::new(url, tokens(), "match").unwrap_err(), BadUrl, "{url}");
        }
        for (url, address) in [
            ("http://a/hub", "a:80"),
            ("https://a/hub", "a:443"),
            ("https://[::1]/hub", "[::1]:443"),
            ("https://a:8443/hub", "a:8443"),
        ] {
            let hub = Hub::new(url, tokens(), "match").unwrap();
            assert_eq!(
                (hub.address.as_str(), hub.tls.is_some()),
                (address, url.starts_with("https"))
            );
        }
    }

    #[test]
    fn followers_hold_the_streams_in_turn() {
        let hub = |host: &str| {
            let tokens = Tokens { publisher: "p".to_owned(), subscriber: "s".to_owned() };
            Hub::new(&format!("http://{host}/hub"), tokens, "match").unwrap()
        };
        assert_eq!(hub("a").holder(1).authority, "a");
        let followed = hub("a").followed_by(vec![hub("b"), hub("c")]);
        assert_eq!([0, 1, 2].map(|stream| &*followed.holder(stream).authority), ["b", "c", "b"]);
    }
}
