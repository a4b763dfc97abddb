//! Who may follow this hub: whoever shows the secret that both have, and speaks WebSocket.

use http::header::{CONNECTION, UPGRADE};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::admission::route::Routed;
use crate::wire::answer::{Answer, respond};
use crate::wire::cors::Cors;
use crate::wire::refusal::Refusal;
use crate::wire::request::Request;

/// Opens the feed.
///
/// # Errors
///
/// It is not opened to this client, or not in this way.
pub(super) fn open(routed: &Routed<'_>) -> Result<Answer, Refusal> {
    let Routed { request, config, .. } = routed;
    let shown = request.header_values("authorization").filter_map(secret);
    let mut is_known = false;
    for shown in shown {
        is_known |= config.feed_secret.as_ref().is_some_and(|secret| secret.is(shown));
    }
    if !is_known {
        return Err(Refusal::Stranger);
    }
    if !is_websocket(request, config.checks_websockets) {
        return Err(Refusal::NotAWebSocket);
    }
    let mut headers = HeaderMap::new();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    // No page follows a hub.
    Ok(respond(StatusCode::SWITCHING_PROTOCOLS, headers, Vec::new(), &Cors::none()).into())
}

/// What an `Authorization` field of the scheme `Bearer` shows.
fn secret(field: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = field.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| rest.trim_ascii())
}

/// Whether a request begins a WebSocket (RFC 6455, section 4.2.1). Where the platform has checked the rest,
/// it is one if it asks for one.
fn is_websocket(request: &Request, is_checked: bool) -> bool {
    let lists = |name, word: &str| {
        let values = request.header_values(name);
        let mut words = values.flat_map(|value| value.split(|&byte| byte == b','));
        words.any(|given| given.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
    };
    let is_asked_for = lists("upgrade", "websocket");
    let is_begun = || {
        lists("connection", "upgrade")
            && request.header("sec-websocket-version") == Some("13")
            && request.header("sec-websocket-key").is_some()
    };
    is_asked_for && (is_checked || is_begun())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::config_of;
    use crate::{Admission, Platform, Step, Timestamp, admit};

    const SECRET: &str = "a secret of thirty-two bytes that hubs share";
    const PLATFORM: Platform = Platform { has_feed: true, ..Platform::new("a test") };
    const WEBSOCKET: [(&str, &str); 4] = [
        ("Connection", "keep-alive, Upgrade"),
        ("Upgrade", "WebSocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="),
    ];

    fn answer(
        variables: &[(&str, &str)],
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Answer {
        let config = config_of(&PLATFORM, variables);
        let url = format!("https://hub.example{path}");
        let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
        let request = Request::new(method, &url, fields);
        let now = Timestamp::from_millis(1_767_225_600_000);
        match admit(&request, &config, now, &[7; 32]) {
            Step::Done(Admission::Answer(answer)) => answer,
            other => panic!("{other:?}"),
        }
    }

    fn status(variables: &[(&str, &str)], path: &str, fields: &[(&str, &str)]) -> u16 {
        answer(variables, "GET", path, fields).response.status().as_u16()
    }

    #[test]
    fn it_is_open_to_those_who_know_the_secret_and_speak_websocket() {
        let leads = [("FEED_SECRET", SECRET), ("HUB_ALIASES", "/hub")];
        let path = "/.well-known/mercure/feed";
        let bearer = format!("Bearer {SECRET}");
        let shown = [("Authorization", bearer.as_str())];
        let whole = [&shown[..], &WEBSOCKET[..]].concat();
        assert_eq!(status(&leads, path, &whole), 101);
        assert_eq!(status(&leads, "/hub/feed", &whole), 101);
        assert_eq!(status(&leads, "/feed", &whole), 404);
        assert_eq!(status(&[], path, &whole), 404, "nobody may follow");
        assert_eq!(status(&leads, path, &WEBSOCKET), 401);
        for wrong in [format!("{bearer}x"), bearer.replace("hubs", "hugs"), SECRET.to_owned()] {
            let wrong = [&[("Authorization", wrong.as_str())], &WEBSOCKET[..]].concat();
            assert_eq!(status(&leads, path, &wrong), 401, "{wrong:?}");
        }
        let refused = answer(&leads, "GET", path, &shown);
        assert_eq!(refused.response.status(), 426);
        assert_eq!(refused.response.headers()[UPGRADE], "websocket");
        for left_out in 1..whole.len() {
            let mut fields = whole.clone();
            let (name, _) = fields.remove(left_out);
            assert_eq!(status(&leads, path, &fields), 426, "{name}");
        }
        assert_eq!(answer(&leads, "POST", path, &whole).response.status(), 405);
    }

    #[test]
    fn where_the_platform_checks_websockets_it_is_enough_that_one_is_asked_for() {
        let platform = Platform { checks_websockets: true, ..PLATFORM };
        let config = config_of(&platform, &[("FEED_SECRET", SECRET)]);
        let bearer = format!("Bearer {SECRET}");
        for (upgrade, status) in [("websocket", 101), ("h2c", 426)] {
            let fields = [("Authorization", bearer.as_bytes()), ("Upgrade", upgrade.as_bytes())];
            let url = "https://hub.example/.well-known/mercure/feed";
            let now = Timestamp::from_millis(1_767_225_600_000);
            let request = Request::new("GET", url, fields);
            let step = admit(&request, &config, now, &[7; 32]);
            let Step::Done(Admission::Answer(answer)) = step else { panic!("{step:?}") };
            assert_eq!(answer.response.status(), status);
            assert_eq!(answer.begins_link(), status == 101);
        }
    }

    #[test]
    fn a_hub_that_follows_another_is_not_followed_and_says_where_to_publish() {
        let follows = [("FEED_SECRET", SECRET), ("FOLLOW", "https://leader.example/hub")];
        let bearer = format!("Bearer {SECRET}");
        let fields = [&[("Authorization", bearer.as_str())], &WEBSOCKET[..]].concat();
        assert_eq!(status(&follows, "/.well-known/mercure/feed", &fields), 404);
        let refused = answer(&follows, "POST", "/.well-known/mercure", &[]).response;
        assert_eq!(refused.status(), 405);
        assert_eq!(refused.headers()["allow"], "GET, HEAD, QUERY, OPTIONS");
        let body = String::from_utf8_lossy(refused.body());
        assert!(body.contains("publish at https://leader.example/hub"), "{body}");
    }
}
