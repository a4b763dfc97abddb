//! The event that a request comes as (payload format 2.0 of function URLs).
//!
//! ```json
//! { "rawPath": "/.well-known/mercure", "rawQueryString": "match=a%20b",
//!   "headers": { "accept": "text/event-stream" }, "cookies": ["a=b"],
//!   "requestContext": { "domainName": "x.lambda-url.eu-west-1.on.aws", "http": { "method": "GET" } },
//!   "body": "dG9waWM9YQ==", "isBase64Encoded": true }
//! ```
//!
//! Taken as it is, since libraries make a URI of it, by the `Host` and `X-Forwarded-Proto` that the
//! client sent. The domain here is the one that AWS routed the request by.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cinnabar_core::{Body, Request};
use serde::{Deserialize, Deserializer};

/// A request, as an event.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    request_context: RequestContext,
    raw_path: String,
    #[serde(default)]
    raw_query_string: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "nullable")]
    cookies: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    body: String,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    domain_name: String,
    http: Http,
}

#[derive(Debug, Default, Deserialize)]
struct Http {
    method: String,
}

fn nullable<'de, T: Default + Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

impl Event {
    /// The request's head.
    #[must_use]
    pub fn head(&self) -> Request {
        let Self { request_context, raw_path, raw_query_string, .. } = self;
        let mut url = format!("https://{}{raw_path}", request_context.domain_name);
        if !raw_query_string.is_empty() {
            url.push('?');
            url.push_str(raw_query_string);
        }
        // AWS takes them out of the other fields.
        let cookies = self.cookies.join("; ");
        let cookies = Some((http::header::COOKIE.as_str(), cookies.as_bytes()))
            .filter(|(_, cookies)| !cookies.is_empty());
        let fields = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        Request::new(&request_context.http.method, &url, fields.chain(cookies))
    }

    /// The request's body, no further than its limit.
    #[must_use]
    pub fn body(self, limit: usize) -> Body {
        let body = if self.is_base64_encoded {
            // Four characters hold three bytes.
            if self.body.len() / 4 > limit / 3 + 1 {
                return Body::TooLarge;
            }
            match STANDARD.decode(&self.body) {
                Ok(body) => body,
                Err(_) => return Body::Broken,
            }
        } else {
            self.body.into_bytes()
        };
        if body.len() > limit { Body::TooLarge } else { Body::Whole(body) }
    }
}

#[cfg(test)]
mod tests {
    use cinnabar_core::{Admission, Command, Config, Step, Timestamp, admit};
    use serde_json::json;

    use super::*;
    use crate::deployment::PLATFORM;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn event(changes: &serde_json::Value) -> Event {
        let mut event = json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": "/.well-known/mercure",
            "rawQueryString": "match=https%3A%2F%2Fa.example%2F%7Bid%7D&x=%ff",
            "headers": {
                "host": "forged.example",
                "x-forwarded-host": "forged.example",
                "last-event-id": "é",
            },
            "requestContext": {
                "accountId": "anonymous",
                "domainName": "abc.lambda-url.eu-west-1.on.aws",
                "http": { "method": "GET", "path": "/.well-known/mercure" },
                "timeEpoch": 1_700_000_000_000u64,
            },
            "isBase64Encoded": false,
        });
        for (name, value) in changes.as_object().unwrap() {
            event[name] = value.clone();
        }
        serde_json::from_value(event).unwrap()
    }

    fn config() -> Config {
        let variables = [
            ("MERCURE_PUBLISHER_JWT_KEY", "a publisher's key of thirty-two bytes"),
            ("ANONYMOUS", "1"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Config::read(&PLATFORM, variables).unwrap()
    }

    #[test]
    fn the_url_is_what_aws_vouches_for_and_stays_encoded() {
        let head = event(&json!({})).head();
        let shown = format!("{head:?}");
        assert!(shown.contains("\"https://abc.lambda-url.eu-west-1.on.aws\""), "{shown}");
        assert!(shown.contains("match=https%3A%2F%2Fa.example%2F%7Bid%7D&x=%ff"), "{shown}");
        let config = config();
        match admit(&head, &config, NOW, &[0; 32]) {
            Step::Done(Admission::Forward(Command::Subscribe(_))) => {}
            other => panic!("not a subscription: {other:?}"),
        }
    }

    #[test]
    fn cookies_are_a_field_again() {
        let request = event(&json!({"cookies": ["a=b", "mercureAuthorization=x"]})).head();
        assert!(format!("{request:?}").contains("a=b; mercureAuthorization=x"));
        // So the core finds the token, and that it is none.
        match admit(&request, &config(), NOW, &[0; 32]) {
            Step::Done(Admission::Answer(answer)) => assert_eq!(answer.response.status(), 401),
            other => panic!("it was admitted: {other:?}"),
        }
    }

    #[test]
    fn bodies_come_in_two_codings() {
        let plain = json!({"body": "topic=a"});
        let coded = json!({"body": "dG9waWM9YQ==", "isBase64Encoded": true});
        for changes in [&plain, &coded] {
            assert_eq!(event(changes).body(7), Body::Whole(b"topic=a".to_vec()));
            assert_eq!(event(changes).body(6), Body::TooLarge);
        }
        let broken = json!({"body": "?", "isBase64Encoded": true});
        assert_eq!(event(&broken).body(7), Body::Broken);
        let long = json!({"body": "A".repeat(10_000), "isBase64Encoded": true});
        assert_eq!(event(&long).body(7), Body::TooLarge);
        assert_eq!(event(&json!({"body": null})).body(7), Body::Whole(Vec::new()));
    }

    #[test]
    fn long_urls_and_odd_paths_do_no_harm() {
        let query = "x".repeat(100_000);
        for changes in [
            json!({"rawPath": "", "rawQueryString": ""}),
            json!({"rawPath": "/é {}\"<>\\^`|", "rawQueryString": "%zz&&="}),
            json!({"rawQueryString": query}),
            json!({"headers": {"bad name": "x", "x": "a\u{0}b"}}),
        ] {
            let _ = admit(&event(&changes).head(), &config(), NOW, &[0; 32]);
        }
    }
}
