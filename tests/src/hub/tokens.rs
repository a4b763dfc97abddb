//! Tokens for a hub: signed with the keys it trusts, and valid unless a case breaks them.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use super::{Hub, fresh};
use crate::token::{Generation, detail, header_v0, header_v1, now, sign};

impl Hub {
    /// A publisher's token that grants these topics.
    pub(crate) fn publisher(&self, generation: Generation, topics: &[&str]) -> String {
        match generation {
            Generation::V0 => self.publisher_v0(json!({"mercure": {"publish": topics}})),
            Generation::V1 => self.publisher_v1(json!([detail("publish", topics)])),
        }
    }

    /// Shows that a token for everything is good for both roles.
    #[track_caller]
    pub(crate) fn expect_to_accept(&self, token: &str) {
        let topic = fresh("a");
        let mut stream = self.subscription(&[("match", &topic)]).bearer(token).open();
        let update = [("topic", topic.as_str()), ("private", "on"), ("data", "x")];
        self.publication(&update).bearer(token).send().expect_status(200);
        stream.expect_data("x");
    }

    /// A subscriber's token that grants these topics.
    pub(crate) fn subscriber(&self, generation: Generation, topics: &[&str]) -> String {
        match generation {
            Generation::V0 => self.subscriber_v0(json!({"mercure": {"subscribe": topics}})),
            Generation::V1 => self.subscriber_v1(json!([detail("subscribe", topics)])),
        }
    }

    /// A subscriber's token that expires at this time, in seconds since the Unix epoch.
    pub(crate) fn subscriber_until(
        &self,
        generation: Generation,
        topics: &[&str],
        exp: u64,
    ) -> String {
        match generation {
            Generation::V0 => {
                self.subscriber_v0(json!({"mercure": {"subscribe": topics}, "exp": exp}))
            }
            Generation::V1 => {
                let mut claims = self.claims_v1(json!([detail("subscribe", topics)]));
                claims["exp"] = json!(exp);
                sign(&header_v1(), &claims, &self.keys.subscriber)
            }
        }
    }

    /// A 0.x token with these claims, signed with the publisher's key.
    pub(crate) fn publisher_v0(&self, claims: Value) -> String {
        sign(&header_v0(), &claims, &self.keys.publisher)
    }

    /// A 0.x token with these claims, signed with the subscriber's key.
    pub(crate) fn subscriber_v0(&self, claims: Value) -> String {
        sign(&header_v0(), &claims, &self.keys.subscriber)
    }

    /// A valid 1.0 token with these `authorization_details`, signed with the publisher's key.
    pub(crate) fn publisher_v1(&self, details: Value) -> String {
        sign(&header_v1(), &self.claims_v1(details), &self.keys.publisher)
    }

    /// A valid 1.0 token with these `authorization_details`, signed with the subscriber's key.
    pub(crate) fn subscriber_v1(&self, details: Value) -> String {
        sign(&header_v1(), &self.claims_v1(details), &self.keys.subscriber)
    }

    /// Every claim that RFC 9068 asks for; cases remove one, or break it.
    pub(crate) fn claims_v1(&self, details: Value) -> Value {
        static TOKENS: AtomicU64 = AtomicU64::new(0);
        json!({
            "iss": self.keys.issuer,
            "aud": self.keys.audience,
            "sub": "https://example.com/users/42",
            "client_id": "https://example.com",
            "iat": now(),
            "exp": now() + 3600,
            "jti": format!("token-{}", TOKENS.fetch_add(1, Ordering::Relaxed)),
            "authorization_details": details,
        })
    }
}
