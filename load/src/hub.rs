//! The hub under load: where it is, and what it is shown.

use std::io;

use thiserror::Error;
use tokio::net::TcpStream;

/// A hub that is running.
#[derive(Clone, Debug)]
pub struct Hub {
    /// Its host and port, as they are written in the URL.
    authority: String,
    /// The path of the URL.
    path: String,
    /// What publishers and subscribers show.
    tokens: Tokens,
    /// The parameter that selects a topic.
    parameter: &'static str,
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
#[derive(Debug, Error)]
pub enum BadUrl {
    /// It is encrypted.
    #[error("https is not spoken here: give the http address of the hub, behind what encrypts it")]
    Encrypted,
    /// It is no URL of a hub.
    #[error("give the hub's URL, such as http://localhost:8787/.well-known/mercure")]
    NoHub,
}

impl Hub {
    /// The hub at this URL. The parameter is `match`, or `topic` in 0.x.
    pub fn new(url: &str, tokens: Tokens, parameter: &'static str) -> Result<Self, BadUrl> {
        if url.starts_with("https:") {
            return Err(BadUrl::Encrypted);
        }
        let rest = url.strip_prefix("http://").ok_or(BadUrl::NoHub)?;
        let (authority, path) = rest.split_once('/').ok_or(BadUrl::NoHub)?;
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        if authority.is_empty() || !plain(rest) || path.contains(['?', '#']) {
            return Err(BadUrl::NoHub);
        }
        Ok(Self { authority: authority.to_owned(), path: format!("/{path}"), tokens, parameter })
    }

    /// Opens a connection.
    pub(crate) async fn connect(&self) -> io::Result<TcpStream> {
        // Only a port is all digits; an IPv6 address ends with a bracket.
        let has_port = self.authority.rsplit_once(':').is_some_and(|(_, port)| {
            !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
        });
        let connection = if has_port {
            TcpStream::connect(&self.authority).await?
        } else {
            TcpStream::connect(format!("{}:80", self.authority)).await?
        };
        connection.set_nodelay(true)?;
        Ok(connection)
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
        for url in ["", "localhost:8787", "http://a", "http:///x", "http://a/?b", "http://a/b c"] {
            assert!(matches!(Hub::new(url, tokens(), "match"), Err(BadUrl::NoHub)), "{url}");
        }
        let url = "https://a/hub";
        assert!(matches!(Hub::new(url, tokens(), "match"), Err(BadUrl::Encrypted)));
    }
}
