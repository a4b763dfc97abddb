//! Requests, in the notation of the vectors.

use std::collections::BTreeMap;

use cinnabar_core::{
    Admission, Body, Config, FetchFailure, Platform, Request, Step, Timestamp, admit,
};
use serde::Deserialize;
use serde_json::Value;

use super::text::Text;
use super::token::{Key, Token};

/// The random bytes for every request. The id that the hub makes from them is [`RANDOM_ID`].
const ENTROPY: [u8; 32] = [
    0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f,
    0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f,
];

/// A version 4 UUID (RFC 9562): four bits give the version, two the variant.
pub(super) const RANDOM_ID: &str = "urn:uuid:00010203-0405-4607-8809-0a0b0c0d0e0f";

/// A request, and the hub that it reaches. Whatever is left out comes from the scene.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Exchange {
    /// `GET` if the scene has none either.
    pub(super) method: Option<String>,
    /// The URL without its query.
    pub(super) url: Option<String>,
    /// What follows `?`.
    pub(super) query: Option<Text>,
    /// Names and values; `{name}` in a value is the token with that name.
    pub(super) headers: Option<Vec<(String, Text)>>,
    /// Tokens by name, in addition to the scene's.
    pub(super) tokens: BTreeMap<String, Token>,
    pub(super) body: Option<Text>,
    /// Variables by name, in addition to the scene's. Keys are configured by default; an empty one
    /// removes it.
    pub(super) config: BTreeMap<String, String>,
    /// What can be fetched, by URL.
    pub(super) published: BTreeMap<String, Value>,
    /// Milliseconds since the Unix epoch.
    pub(super) now: Option<u64>,
}

impl Exchange {
    /// This request, completed with what the scene says.
    pub(super) fn over(&self, scene: &Self) -> Self {
        let mut tokens = scene.tokens.clone();
        tokens.extend(self.tokens.clone());
        let mut config = scene.config.clone();
        config.extend(self.config.clone());
        let mut published = scene.published.clone();
        published.extend(self.published.clone());
        Self {
            method: self.method.clone().or_else(|| scene.method.clone()),
            url: self.url.clone().or_else(|| scene.url.clone()),
            query: self.query.clone().or_else(|| scene.query.clone()),
            headers: self.headers.clone().or_else(|| scene.headers.clone()),
            tokens,
            body: self.body.clone().or_else(|| scene.body.clone()),
            config,
            published,
            now: self.now.or(scene.now),
        }
    }

    /// What the core makes of it, given what a shell would read.
    pub(super) fn admit(&self) -> Admission {
        let config = self.config();
        let headers = self.headers();
        let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
        let request = Request::new(self.method(), &self.url(), headers);
        match self.with_keys(admit(&request, &config, self.now(), &ENTROPY), &config) {
            Step::Done(admission) => admission,
            Step::Keys(unkeyed) => Admission::Answer(unkeyed.unavailable()),
            Step::Read(unread) => {
                let bytes = self.body.as_ref().map(Text::bytes).unwrap_or_default();
                let body = match unread.limit() {
                    limit if bytes.len() > limit => Body::TooLarge,
                    _ => Body::Whole(bytes),
                };
                unread.admit(&body, self.now())
            }
        }
    }

    /// Goes on with the keys that its issuer publishes: all fetches find what the vector says.
    fn with_keys<'a>(&self, mut step: Step<'a>, config: &Config) -> Step<'a> {
        let Some(ring) = config.key_ring() else { return step };
        // A few fetches lead to keys; there is no vector with more.
        for _ in 0..4 {
            let Step::Keys(unkeyed) = step else { break };
            step = unkeyed.admit(&ring, self.now());
            while let Some(fetch) = ring.poll_fetch(self.now()) {
                let url = fetch.request().uri().to_string();
                let found = self.published.get(&url).map(|it| it.to_string().into_bytes());
                let answer = found.map(http::Response::new);
                let answer = answer.ok_or(FetchFailure::Unanswered("nobody is there".to_owned()));
                ring.handle_fetched(&fetch, answer, self.now());
            }
        }
        step
    }

    pub(super) fn config(&self) -> Config {
        let keys = [
            ("MERCURE_PUBLISHER_JWT_KEY", Key::Publisher),
            ("MERCURE_SUBSCRIBER_JWT_KEY", Key::Subscriber),
        ];
        let mut variables: BTreeMap<String, String> =
            keys.map(|(name, key)| (name.to_owned(), key.secret().to_owned())).into();
        variables.extend(self.config.clone());
        Config::read(&Platform::new("a test"), variables).expect("a configuration without mistakes")
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.unwrap_or_default())
    }

    fn method(&self) -> &str {
        self.method.as_deref().unwrap_or("GET")
    }

    fn url(&self) -> String {
        let url = self.url.clone().expect("the scene has a URL");
        match &self.query {
            Some(query) => {
                let query = String::from_utf8(self.with_tokens(query)).expect("a URL is text");
                format!("{url}?{query}")
            }
            None => url,
        }
    }

    fn headers(&self) -> Vec<(String, Vec<u8>)> {
        let fields = self.headers.iter().flatten();
        fields.map(|(name, value)| (name.clone(), self.with_tokens(value))).collect()
    }

    /// The text, with tokens in place of their names.
    fn with_tokens(&self, text: &Text) -> Vec<u8> {
        let role = if self.method() == "POST" { Key::Publisher } else { Key::Subscriber };
        self.tokens.iter().fold(text.bytes(), |text, (token, spec)| {
            replace(&text, format!("{{{token}}}").as_bytes(), || spec.encode(&role, &self.tokens))
        })
    }
}

/// The text with the first `what`, if any, replaced by `by`.
fn replace(text: &[u8], what: &[u8], by: impl Fn() -> Vec<u8>) -> Vec<u8> {
    match text.windows(what.len()).position(|window| window == what) {
        Some(at) => [&text[..at], &by(), &text[at + what.len()..]].concat(),
        None => text.to_vec(),
    }
}
