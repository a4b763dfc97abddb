//! How a hub connects to the one that it follows, and what it makes of being refused.

use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, StatusCode};

use crate::config::Config;

/// The request for the feed of the hub that this one follows, but for the fields with which a WebSocket
/// begins: those are the shell's, or its platform's. `None` if it follows none.
///
/// It shows the secret, so no redirection may be followed.
#[must_use]
pub fn dial(config: &Config) -> Option<Request<()>> {
    let (url, secret) = config.feed()?;
    let mut authorization = HeaderValue::try_from(format!("Bearer {secret}")).ok()?;
    authorization.set_sensitive(true);
    Request::get(url).header(AUTHORIZATION, authorization).body(()).ok()
}

/// What a hub that is to be followed answered, other than `101 Switching Protocols`, in words for a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFollowed {
    /// The two hubs have different secrets.
    #[error("it answers 401: its FEED_SECRET is another than this hub's; set both to the same")]
    Stranger,
    /// There is no feed.
    #[error(
        "it answers 404: there is no hub at FOLLOW that may be followed; set FEED_SECRET there (and a hub that itself follows another cannot be followed)"
    )]
    NoFeed,
    /// Something else.
    #[error("it answers {0}")]
    Other(StatusCode),
}

impl From<StatusCode> for NotFollowed {
    fn from(status: StatusCode) -> Self {
        match status {
            StatusCode::UNAUTHORIZED => Self::Stranger,
            StatusCode::NOT_FOUND => Self::NoFeed,
            status => Self::Other(status),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Platform;
    use crate::tests::config_of;

    const PLATFORM: Platform = Platform { has_feed: true, ..Platform::new("a test") };

    #[test]
    fn a_follower_shows_its_secret_at_the_feed_and_to_nobody_else() {
        let secret = "a secret of thirty-two bytes that hubs share";
        let follows = [("FEED_SECRET", secret), ("FOLLOW", "https://leader.example/hub")];
        let request = dial(&config_of(&PLATFORM, &follows)).unwrap();
        assert_eq!(request.uri(), "https://leader.example/hub/feed");
        assert_eq!(request.headers()[AUTHORIZATION], format!("Bearer {secret}"));
        assert!(!format!("{request:?}").contains(secret));
        assert!(dial(&config_of(&PLATFORM, &follows[..1])).is_none(), "it follows none");
    }
}
