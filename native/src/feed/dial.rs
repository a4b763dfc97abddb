//! How a hub connects to the one that it follows.

use std::io;
use std::sync::Arc;

use cinnabar_core::Config;
use cinnabar_core::feed::{NotFollowed, dial};
use cinnabar_runtime::{Dial, Link, tls};
use http::{HeaderValue, Uri};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{InvalidDnsNameError, ServerName};
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, http};

use crate::feed::socket::{carry, config};
use crate::lively::keep_lively;

/// Connects to the hub that is followed.
pub(crate) struct Dialer {
    url: Uri,
    authorization: HeaderValue,
    tls: Option<TlsConnector>,
}

/// Why there is no link.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DialError {
    /// Nobody answers there.
    #[error("{0}")]
    Unreachable(#[from] io::Error),
    /// Its name cannot be one that a certificate is for.
    #[error("{0}")]
    Name(#[from] InvalidDnsNameError),
    /// It refuses.
    #[error("{0}")]
    Refused(#[from] NotFollowed),
    /// It does not speak as it should.
    #[error("{0}")]
    WebSocket(Box<Error>),
}

impl Dialer {
    /// Connects to the hub that this configuration follows; `None` if it follows none.
    pub(crate) fn new(hub: &Config) -> Option<Self> {
        let request = dial(hub)?;
        let authorization = request.headers().get(http::header::AUTHORIZATION)?.clone();
        // The configuration was checked: its URL is one, and so is a WebSocket's.
        let url: Uri =
            format!("ws{}", request.uri().to_string().strip_prefix("http")?).parse().ok()?;
        let is_encrypted = url.scheme_str() == Some("wss");
        let tls = is_encrypted.then(|| TlsConnector::from(Arc::new(tls())));
        Some(Self { url, authorization, tls })
    }

    async fn open<S>(&self, stream: S) -> Result<Link, DialError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut request = self.url.clone().into_client_request()?;
        request.headers_mut().insert(http::header::AUTHORIZATION, self.authorization.clone());
        let (socket, _) = client_async_with_config(request, stream, Some(config())).await?;
        let (link, carrier) = Link::new();
        tokio::spawn(carry(socket, carrier));
        Ok(link)
    }
}

impl Dial for Dialer {
    type Error = DialError;

    async fn dial(&self) -> Result<Link, DialError> {
        let host = self.url.host().unwrap_or_default();
        // As a URL writes an address of IPv6.
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = self.url.port_u16().unwrap_or(if self.tls.is_some() { 443 } else { 80 });
        let stream = TcpStream::connect((host, port)).await?;
        keep_lively(&stream);
        match &self.tls {
            None => self.open(stream).await,
            Some(tls) => {
                let name = ServerName::try_from(host.to_owned())?;
                self.open(tls.connect(name, stream).await?).await
            }
        }
    }
}

impl From<Error> for DialError {
    fn from(error: Error) -> Self {
        match error {
            Error::Http(response) => Self::Refused(response.status().into()),
            other => Self::WebSocket(Box::new(other)),
        }
    }
}
