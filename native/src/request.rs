//! Requests, as the core reads them.

use std::net::IpAddr;
use std::pin::pin;
use std::time::Duration;

use bytes::{Buf as _, BufMut as _};
use cinnabar_core::{Body, Request};
use http::header::HOST;
use http::request::Parts;
use http::uri::Authority;
use http_body_util::BodyExt as _;
use tokio::time::timeout;

/// How long a body may take. Its sender has shown a token that lets it publish.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether requests come through TLS that this process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Encrypted(pub(crate) bool);

/// Who is at the other end of a request's connection: an extension of the request. A server that embeds
/// a hub sets it if streams are limited by address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

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
    let request =
        Request::new(parts.method.as_str(), &format!("{scheme}://{host}{target}"), fields);
    match parts.extensions.get() {
        Some(Peer(address)) => request.sent_from(&address.to_string()),
        None => request,
    }
}

/// A body, of which no more than `limit` is read.
pub(crate) async fn body<B: http_body::Body>(body: B, limit: usize) -> Body {
    timeout(PATIENCE, read(body, limit)).await.unwrap_or(Body::Broken)
}

/// Copies a body into one buffer. Its frames are as small as its sender likes, and each would hold
/// on to far more than its bytes if it were kept.
async fn read<B: http_body::Body>(body: B, limit: usize) -> Body {
    let mut body = pin!(body);
    let mut whole = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return Body::Broken };
        // What is no data is a trailer, and means nothing here.
        let Ok(data) = frame.into_data() else { continue };
        if data.remaining() > limit - whole.len() {
            return Body::TooLarge;
        }
        whole.put(data);
    }
    Body::Whole(whole)
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use bytes::Bytes;
    use http_body::Frame;

    use super::*;

    /// A body of these frames.
    struct Frames(VecDeque<Bytes>);

    impl http_body::Body for Frames {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Ready(self.0.pop_front().map(|data| Ok(Frame::data(data))))
        }
    }

    async fn read(frames: &[&'static str], limit: usize) -> Body {
        body(
            Frames(frames.iter().map(|frame| Bytes::from_static(frame.as_bytes())).collect()),
            limit,
        )
        .await
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit() {
        let whole = |text: &str| Body::Whole(text.as_bytes().to_vec());
        assert_eq!(read(&[], 0).await, whole(""));
        assert_eq!(read(&["a", "", "bc"], 3).await, whole("abc"));
        assert_eq!(read(&["a", "bc", "d"], 3).await, Body::TooLarge);
        assert_eq!(read(&["abcd"], 3).await, Body::TooLarge);
    }

    #[tokio::test]
    async fn frames_of_one_byte_take_no_more_than_their_bytes() {
        const LENGTH: usize = 100_000;
        // Each is a view of a buffer of its own, which only its frame keeps alive.
        let buffers: Vec<Bytes> = (0..LENGTH).map(|_| Bytes::from(vec![b'x'; 1])).collect();
        let kept = buffers[0].clone();
        let Body::Whole(read) = body(Frames(buffers.into()), LENGTH).await else {
            unreachable!("it is within its limit")
        };
        assert_eq!(read.len(), LENGTH);
        assert!(read.capacity() <= 2 * LENGTH);
        // Nothing but this test holds on to the frame.
        assert!(kept.is_unique());
    }
}
