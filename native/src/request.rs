//! Requests, as the core reads them.

use std::time::Duration;

use cinnabar_core::{Body, Request};
use http::header::HOST;
use http::request::Parts;
use http::uri::Authority;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::timeout;

/// How long a body may take. Its sender has shown a token that lets it publish.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether requests come through TLS that this process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Encrypted(pub(crate) bool);

/// The head of a request. Its URL has the host that it names, which is the client's word; `HUB_URL`
/// is for those who want more.
pub(crate) fn head(parts: &Parts) -> Request {
    let encrypted = parts.extensions.get() == Some(&Encrypted(true));
    let scheme = if encrypted { "https" } else { "http" };
    // HTTP/2 has it in the URI, and HTTP/1.1 in a field.
    let host = parts.uri.authority().map(|authority| authority.as_str());
    let host = host.or_else(|| parts.headers.get(HOST)?.to_str().ok());
    // HTTP/1.0 need not name one, and one that is no host would be read as part of the path.
    let host = host.filter(|host| host.parse::<Authority>().is_ok()).unwrap_or("localhost");
    let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
    let fields = parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    Request::new(parts.method.as_str(), &format!("{scheme}://{host}{target}"), fields)
}

/// A body, of which no more than `limit` is read.
pub(crate) async fn body<B>(body: B, limit: usize) -> Body
where
    B: http_body::Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    match timeout(PATIENCE, Limited::new(body, limit).collect()).await {
        Ok(Ok(whole)) => Body::Whole(whole.to_bytes().into()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Body::TooLarge,
        Ok(Err(_)) | Err(_) => Body::Broken,
    }
}
