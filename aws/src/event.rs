//! The event that a request comes as (payload format 2.0 of function URLs).
//!
//! ```json
//! { "rawPath": "/.well-known/mercure", "rawQueryString": "match=a%20b",
//!   "headers": { "accept": "text/event-stream" }, "cookies": ["a=b"],
//!   "requestContext": { "domainName": "x.lambda-url.eu-west-1.on.aws", "http": { "method": "GET",
//!                       "sourceIp": "192.0.2.1" } },
//!   "body": "dG9waWM9YQ==", "isBase64Encoded": true }
//! ```
//!
//! It is read directly, because libraries build a URI from the `Host` and `X-Forwarded-Proto` that
//! the client sent. The domain here is the one by which AWS routed the request.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cinnabar_core::{Body, Request};
use serde::{Deserialize, Deserializer};

/// A request, as an event.
#[derive(Default, Deserialize)]
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
#[serde(rename_all = "camelCase")]
struct Http {
    method: String,
    #[serde(default)]
    source_ip: String,
}

fn nullable<'de, T: Default + Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

impl fmt::Debug for Event {
    /// Leaves out the query, the header fields, the cookies and the body, which may hold access
    /// tokens and private updates.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Event")
            .field("method", &self.request_context.http.method)
            .field("domain_name", &self.request_context.domain_name)
            .field("raw_path", &self.raw_path)
            .finish_non_exhaustive()
    }
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
        // AWS moves them out of the other fields.
        let cookies = self.cookies.join("; ");
        let cookies = Some((http::header::COOKIE.as_str(), cookies.as_bytes()))
            .filter(|(_, cookies)| !cookies.is_empty());
        let fields = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        let Http { method, source_ip } = &request_context.http;
        Request::new(method, &url, fields.chain(cookies)).sent_from(source_ip)
    }

    /// The request's body, if it is within the limit.
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
    use cinnabar_core::testing::stored;
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
            "rawQueryString": "match=https%3A%2F%2Fa.example%2F%7Bid%7D%252F&x=%ff",
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
        let config = config();
        match admit(&event(&json!({})).head(), &config, NOW, &[0; 32]) {
            // It is decoded once, by the core.
            Step::Done(Admission::Forward(Command::Subscribe(subscribe))) => {
                assert!(subscribe.selects(&stored("urn:1", "https://a.example/{id}%2F", "")));
            }
            other => panic!("not a subscription: {other:?}"),
        }
        let probe = json!({"domainName": "abc.on.aws", "http": {"method": "HEAD"}});
        match admit(&event(&json!({"requestContext": probe})).head(), &config, NOW, &[0; 32]) {
            Step::Done(Admission::Answer(answer)) => assert_eq!(
                answer.response.headers()["link"],
                "<https://abc.on.aws/.well-known/mercure>; rel=\"mercure\""
            ),
            other => panic!("not answered: {other:?}"),
        }
    }

    #[test]
    fn the_address_is_what_lambda_says() {
        let variables = [
            ("MERCURE_PUBLISHER_JWT_KEY", "a publisher's key of thirty-two bytes"),
            ("ANONYMOUS", "1"),
            ("MAX_STREAMS_PER_ADDRESS", "1"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let config = Config::read(&PLATFORM, variables).unwrap();
        let account = |source_ip: &str| {
            let http = json!({"method": "GET", "sourceIp": source_ip});
            let context = json!({"domainName": "abc.on.aws", "http": http});
            let headers =
                json!({"x-forwarded-for": "203.0.113.9", "true-client-ip": "203.0.113.9"});
            let event = event(&json!({"requestContext": context, "headers": headers}));
            match admit(&event.head(), &config, NOW, &[0; 32]) {
                Step::Done(Admission::Forward(Command::Subscribe(subscribe))) => {
                    subscribe.quotas().first().map(cinnabar_core::Quota::account)
                }
                other => panic!("not a subscription: {other:?}"),
            }
        };
        assert!(account("192.0.2.1").is_some());
        assert_ne!(account("192.0.2.1"), account("192.0.2.2"));
        assert_ne!(account("192.0.2.1"), account("203.0.113.9"));
        assert_eq!(account(""), None);
    }

    #[test]
    fn cookies_are_a_field_again() {
        for cookies in
            [json!(["mercureAuthorization=x", "a=b"]), json!(["a=b", "mercureAuthorization=x"])]
        {
            let request = event(&json!({"cookies": cookies})).head();
            // The core finds the token, and that it is invalid. Without one, it would be admitted.
            match admit(&request, &config(), NOW, &[0; 32]) {
                Step::Done(Admission::Answer(answer)) => {
                    let challenge = &answer.response.headers()["www-authenticate"];
                    let challenge = challenge.to_str().unwrap();
                    assert!(challenge.starts_with("Bearer error=\"invalid_token\""), "{challenge}");
                }
                other => panic!("it was admitted: {other:?}"),
            }
        }
    }

    #[test]
    fn what_may_hold_a_token_is_not_shown() {
        let secrets = json!({
            "rawQueryString": "authorization=secret",
            "headers": {"authorization": "Bearer secret"},
            "cookies": ["mercureAuthorization=secret"],
            "body": "data=secret",
        });
        let shown = format!("{:?}", event(&secrets));
        assert!(shown.contains("\"/.well-known/mercure\""), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
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
