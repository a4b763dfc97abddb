//! A hub for one input: requests go in, and what streams get comes out.

use std::sync::Arc;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use cinnabar_core::{
    Admission, Answer, Appended, Body, Command, Config, CursorKey, Holder, Output, Place, Platform,
    Position, Request, Step, StreamId, Subscribe, Timestamp, Update, admit,
};
use jsonwebtoken::{Algorithm, EncodingKey};

pub(crate) const HUB: &str = "https://hub.example.com/.well-known/mercure";
pub(crate) const ISSUER: &str = "https://example.com";
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);
pub(crate) const PUBLISHER: &str = "a publisher's key of thirty-two bytes";
pub(crate) const SUBSCRIBER: &str = "a subscriber's key of thirty-two bytes";

/// A hub that anyone may subscribe to.
pub(crate) static OPEN: LazyLock<Config> =
    LazyLock::new(|| config(&[("ANONYMOUS", "1"), ("CORS_ORIGINS", "*")]));

pub(crate) fn config(variables: &[(&str, &str)]) -> Config {
    let common = [
        ("HUB_URL", HUB),
        ("MERCURE_PUBLISHER_JWT_KEY", PUBLISHER),
        ("MERCURE_SUBSCRIBER_JWT_KEY", SUBSCRIBER),
        ("MERCURE_TRUSTED_ISSUERS", ISSUER),
    ];
    let pairs = common.iter().chain(variables);
    let pairs = pairs.map(|(name, value)| ((*name).into(), (*value).into()));
    Config::read(&Platform::new("a test"), pairs).expect("a configuration without mistakes")
}

/// A JWT with these parts, signed with HMAC and SHA-256 whatever its header says.
pub(crate) fn sign(header: &[u8], claims: &[u8], secret: &str) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let key = EncodingKey::from_secret(secret.as_bytes());
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256)
        .expect("a secret signs");
    format!("{message}.{signature}")
}

/// A 0.x token.
pub(crate) fn legacy_token(claims: &serde_json::Value, secret: &str) -> String {
    sign(br#"{"alg":"HS256","typ":"JWT"}"#, claims.to_string().as_bytes(), secret)
}

/// A 1.0 token with exactly these authorization details.
pub(crate) fn modern_token(details: &serde_json::Value, secret: &str) -> String {
    let claims = serde_json::json!({
        "iss": ISSUER, "aud": HUB, "exp": NOW.as_millis() / 1000 + 60,
        "authorization_details": details,
    });
    sign(br#"{"alg":"HS256","typ":"at+jwt"}"#, claims.to_string().as_bytes(), secret)
}

/// The token of a publisher who may publish to every topic.
pub(crate) static PUBLISHES_ALL: LazyLock<String> =
    LazyLock::new(|| legacy_token(&serde_json::json!({"mercure": {"publish": ["*"]}}), PUBLISHER));

/// The token of a subscriber who may read every private update.
pub(crate) static READS_ALL: LazyLock<String> = LazyLock::new(|| {
    legacy_token(&serde_json::json!({"mercure": {"subscribe": ["*"]}}), SUBSCRIBER)
});

/// What becomes of a request with this body.
fn admitted(request: &Request, body: &[u8], config: &Config) -> Admission {
    match admit(request, config, NOW, &[9; 32]) {
        Step::Done(admission) => admission,
        Step::Read(unread) => unread.admit(&Body::Whole(body.to_vec()), NOW),
        Step::Keys(unkeyed) => Admission::Answer(unkeyed.unavailable()),
    }
}

/// Publishes a form.
pub(crate) fn publish(form: &[u8], token: &str, config: &Config) -> Result<Update, Box<Answer>> {
    let authorization = format!("Bearer {token}");
    let request = Request::new("POST", HUB, [("authorization", authorization.as_bytes())]);
    match admitted(&request, form, config) {
        Admission::Forward(Command::Publish(publish)) => Ok(Update::clone(publish.update())),
        Admission::Forward(other) => panic!("not a publication: {other:?}"),
        Admission::Answer(answer) => Err(Box::new(answer)),
    }
}

/// A public or private update of one topic, if that may be published to.
pub(crate) fn update(topic: &str, private: bool) -> Option<Update> {
    let private = if private { "&private" } else { "" };
    publish(format!("topic={}{private}", encoded(topic)).as_bytes(), &PUBLISHES_ALL, &OPEN).ok()
}

/// Asks for a subscription.
pub(crate) fn subscribe(
    query: &str,
    token: Option<&str>,
    config: &Config,
) -> Result<Subscribe, Box<Answer>> {
    let authorization = token.map(|token| format!("Bearer {token}"));
    let fields = authorization.iter().map(|value| ("authorization", value.as_bytes()));
    let request = Request::new("GET", &format!("{HUB}?{query}"), fields);
    match admitted(&request, b"", config) {
        Admission::Forward(Command::Subscribe(subscribe)) => Ok(subscribe),
        Admission::Forward(other) => panic!("not a subscription: {other:?}"),
        Admission::Answer(answer) => Err(Box::new(answer)),
    }
}

pub(crate) fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// Streams whose readers immediately take what they are given.
pub(crate) struct Watched {
    pub(crate) holder: Holder,
    position: Position,
    opened: u64,
}

impl Watched {
    pub(crate) fn new() -> Self {
        let holder = Holder::new(&OPEN, CursorKey::from_bytes([5; 16]), Place::default());
        Self { holder, position: Position::START, opened: 0 }
    }

    /// Opens a stream over a log without history.
    pub(crate) fn open(&mut self, subscribe: Subscribe) -> StreamId {
        self.opened += 1;
        let stream = StreamId::new(self.opened);
        let end = Place { position: self.position, since: NOW };
        self.holder.handle_subscribe(stream, subscribe, end, NOW);
        self.drain();
        stream
    }

    /// Appends an update. Returns the streams that got it, and its bytes.
    pub(crate) fn append(&mut self, update: Update) -> (Vec<StreamId>, Option<Bytes>) {
        self.position = self.position.next();
        let appended = Appended { position: self.position, update: Arc::new(update) };
        self.holder.handle_appended(&[appended], NOW);
        let mut writes = self.drain();
        assert!(writes.len() <= 1, "one update, several frames: {writes:?}");
        match writes.pop() {
            Some((streams, bytes)) => (streams, Some(bytes)),
            None => (Vec::new(), None),
        }
    }

    fn drain(&mut self) -> Vec<(Vec<StreamId>, Bytes)> {
        let mut writes = Vec::new();
        while let Some(output) = self.holder.poll_output() {
            match output {
                Output::Open { response, .. } => assert_eq!(response.status(), 200),
                Output::Write { streams, bytes } => {
                    for stream in &streams {
                        self.holder.handle_taken(*stream, bytes.len(), NOW);
                    }
                    writes.push((streams, bytes));
                }
                // It arrived with a token that is about to expire.
                Output::Close { .. } => assert_eq!(self.holder.streams(), 0),
                other => panic!("nobody asked for this: {other:?}"),
            }
        }
        assert!(self.holder.poll_fetch().is_none(), "there is no history");
        writes
    }
}
