//! Where a hub is.

use crate::arguments::{Arguments, Capability};

/// A hub's address.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The path of the hub's URL.
    pub(crate) path: String,
    /// Whether `WWW-Authenticate` arrives under its own name.
    pub(super) challenges: bool,
}

impl Endpoint {
    /// The endpoint of a hub's URL.
    pub(crate) fn parse(url: &str, arguments: &Arguments) -> Result<Self, String> {
        let rest = url.strip_prefix("http://").ok_or_else(|| {
            format!("{url}: only http:// is supported so far; put a proxy that speaks TLS between")
        })?;
        let (authority, path) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => return Err(format!("{url}: names no path")),
        };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => {
                (host, port.parse().map_err(|error| format!("{url}: port {port}: {error}"))?)
            }
            None => (authority, 80),
        };
        Ok(Self {
            host: host.to_owned(),
            port,
            path: path.to_owned(),
            challenges: !arguments.without.contains(&Capability::WwwAuthenticate),
        })
    }

    /// A server on this machine, known by its port alone.
    pub(crate) fn local(port: u16) -> Self {
        Self { host: "localhost".to_owned(), port, path: "/".to_owned(), challenges: true }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}{}", self.authority(), self.path)
    }

    /// Scheme, host and port, as an `Origin` field has them.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.authority())
    }

    pub(super) fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}
