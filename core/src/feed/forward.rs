//! Publications that a hub passes on to the one that it follows, with their publisher's own token.
//!
//! This hub passes on only what it would take itself. What becomes of it, the other hub says.

use http::header::{
    AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderName, ORIGIN, REFERER, RETRY_AFTER, WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::authorization::bearer::token_cookies;
use crate::command::publish::Publish;
use crate::config::Config;
use crate::terms::event_id::EventId;
use crate::wire::answer::{Answer, Response};
use crate::wire::request::Request;

/// What tells who publishes, from where, and what. Everything else is between the two hubs.
const PASSED_ON: [HeaderName; 4] = [AUTHORIZATION, CONTENT_TYPE, ORIGIN, REFERER];

/// What an answer says besides its body.
const PASSED_BACK: [HeaderName; 3] = [CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE];

/// The field that marks what was passed on: a hub that follows another takes no such publication, or two
/// that follow each other would pass it to and fro.
const MARK: HeaderName = HeaderName::from_static("cinnabar-forwarded");

/// The request that passes a publication on, which came with this head and body, to the hub that is
/// followed. `None` if this hub passes none on.
///
/// It has the publisher's token, so no redirection may be followed.
#[must_use]
pub fn forward(config: &Config, head: &Request, body: Vec<u8>) -> Option<http::Request<Vec<u8>>> {
    let leader = config.follow().filter(|_| config.forwards())?;
    // A token may be in the query.
    let url = format!("{}{}", leader.as_str(), head.raw_query());
    let mut request = http::Request::post(url).body(body).ok()?;
    copy(&PASSED_ON, head.headers(), request.headers_mut());
    // An application's other cookies are none of that hub's business.
    let cookies = token_cookies(head, config);
    request.headers_mut().extend(cookies.map(|cookies| (COOKIE, cookies)));
    request.headers_mut().insert(MARK, HeaderValue::from_static("1"));
    Some(request)
}

/// What the publisher is answered where the hub that is followed answers this. If no hub answers so, the
/// publication may have gone anywhere, and is not acknowledged.
#[must_use]
pub fn forwarded(publish: &Publish, theirs: Response) -> Answer {
    if !is_a_hubs(&theirs) {
        return publish.unavailable();
    }
    // The rest of it, such as which pages may read it, is for this hub to say.
    let mut answer = publish.accepted();
    *answer.response.status_mut() = theirs.status();
    copy(&PASSED_BACK, theirs.headers(), answer.response.headers_mut());
    *answer.response.body_mut() = theirs.into_body();
    answer
}

/// Whether a hub answers a publication so: with the id of its update, or with an error.
fn is_a_hubs(answer: &Response) -> bool {
    let status = answer.status();
    if status == StatusCode::OK {
        let id = std::str::from_utf8(answer.body());
        return id.is_ok_and(|id| !id.is_empty() && EventId::parse(id).is_ok());
    }
    status.is_client_error() || status.is_server_error()
}

/// Whether another hub has passed this publication on.
pub(crate) fn is_forwarded(request: &Request) -> bool {
    request.headers().contains_key(MARK)
}

/// Copies these fields, and removes those that the source does not have.
fn copy(names: &[HeaderName], from: &HeaderMap, to: &mut HeaderMap) {
    for name in names {
        to.remove(name);
        for value in from.get_all(name) {
            to.append(name, value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{config_of, sign};
    use crate::{Admission, Body, Command, Platform, Step, Timestamp, admit};

    const PLATFORM: Platform = Platform { has_feed: true, ..Platform::new("a test") };
    const LEADER: &str = "https://leader.example/hub";
    const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

    fn config(variables: &[(&str, &str)]) -> Config {
        let secret = ("FEED_SECRET", "a secret of thirty-two bytes that hubs share");
        let follows = [("FOLLOW", LEADER), secret];
        config_of(&PLATFORM, &[&follows, variables].concat())
    }

    fn request(fields: &[(&str, &str)]) -> Request {
        let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
        Request::new("POST", "https://hub.example/.well-known/mercure?authorization=x", fields)
    }

    #[test]
    fn what_tells_who_publishes_is_passed_on_and_nothing_else() {
        let config = config(&[("FOLLOW_PUBLISH", "forward")]);
        let head = request(&[
            ("Authorization", "Bearer x"),
            ("Cookie", "session=a; mercureAuthorization=b"),
            ("Cookie", "__Secure-mercure_access_token=c; mercureAuthorization=d"),
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Content-Length", "7"),
            ("Host", "hub.example"),
            ("X-Origin-Verify", "a secret"),
        ]);
        let passed_on = forward(&config, &head, b"topic=a".to_vec()).unwrap();
        assert_eq!(passed_on.method(), "POST");
        assert_eq!(passed_on.uri(), "https://leader.example/hub?authorization=x");
        assert_eq!(passed_on.body(), b"topic=a");
        let fields = passed_on.headers();
        assert_eq!(fields["authorization"], "Bearer x");
        let cookies: Vec<_> = fields.get_all("cookie").iter().collect();
        assert_eq!(cookies, ["__Secure-mercure_access_token=c; mercureAuthorization=b"]);
        let mut names: Vec<&str> = fields.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["authorization", "cinnabar-forwarded", "content-type", "cookie"]);
        let refuses = self::config(&[]);
        assert!(forward(&refuses, &head, Vec::new()).is_none());
    }

    /// What is admitted, or the status of the refusal.
    fn publish(config: &Config, fields: &[(&str, &str)]) -> Result<Publish, http::StatusCode> {
        let claims = serde_json::json!({"mercure": {"publish": ["*"]}});
        let token = format!("Bearer {}", sign("publish", &claims));
        let head = request(&[&[("Authorization", token.as_str())], fields].concat());
        match admit(&head, config, NOW, &[7; 32]) {
            Step::Read(unread) => match unread.admit(&Body::Whole(b"topic=a".to_vec()), NOW) {
                Admission::Forward(Command::Publish(publish)) => Ok(publish),
                other => panic!("{other:?}"),
            },
            Step::Done(Admission::Answer(answer)) => Err(answer.response.status()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_publisher_is_answered_what_the_other_hub_answers() {
        let config = config(&[("FOLLOW_PUBLISH", "forward"), ("CORS_ORIGINS", "*")]);
        let publish = publish(&config, &[("Origin", "https://page.example")]).unwrap();
        let theirs = http::Response::builder()
            .status(429)
            .header("Retry-After", "3")
            .header("Content-Type", "application/problem+json")
            .header("Access-Control-Allow-Origin", "https://other.example")
            .header("Set-Cookie", "a=b")
            .body(b"{}".to_vec())
            .unwrap();
        let answer = forwarded(&publish, theirs).response;
        assert_eq!((answer.status().as_u16(), answer.body().as_slice()), (429, &b"{}"[..]));
        assert_eq!(answer.headers()["retry-after"], "3");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        assert_eq!(answer.headers()["access-control-allow-origin"], "*");
        assert!(!answer.headers().contains_key("set-cookie"));
    }

    /// Somebody else may live at the URL, and be content with anything.
    #[test]
    fn only_a_hub_acknowledges() {
        let config = config(&[("FOLLOW_PUBLISH", "forward")]);
        let publish = publish(&config, &[]).unwrap();
        for (status, body, answered) in [
            (200, "urn:uuid:1", 200),
            (200, "<!DOCTYPE html>\n<title>Back soon</title>", 503),
            (200, "", 503),
            (201, "urn:uuid:1", 503),
            (302, "", 503),
            (401, "{}", 401),
            (502, "<html>", 502),
        ] {
            let theirs = http::Response::builder().status(status).body(body.into()).unwrap();
            let answer = forwarded(&publish, theirs).response;
            assert_eq!(answer.status().as_u16(), answered, "{status} {body}");
        }
    }

    #[test]
    fn what_was_passed_on_is_not_passed_on_again() {
        let mark = [("Cinnabar-Forwarded", "1")];
        let follows = config(&[("FOLLOW_PUBLISH", "forward")]);
        assert_eq!(publish(&follows, &mark), Err(http::StatusCode::LOOP_DETECTED));
        assert!(publish(&config_of(&PLATFORM, &[]), &mark).is_ok(), "it has the log");
    }
}
