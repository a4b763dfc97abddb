//! A hub in memory: what a shell does, with every step under the test's control.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cinnabar_core::testing::MemoryLog;
use cinnabar_core::{
    Admission, Appended, Body, Command, Config, CursorKey, Fetch, Holder, Location, Output, Place,
    Platform, Position, Publish, Request, Step, StreamId, Subscribe, Subscriptions, Timestamp,
    Update, admit,
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};

pub(crate) const HUB: &str = "https://hub.example/.well-known/mercure";
const PUBLISHER_KEY: &str = "a publisher's key of thirty-two bytes";
const SUBSCRIBER_KEY: &str = "a subscriber's key of thirty-two bytes";

/// How a response ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Cleanly,
    Cut,
}

/// What a stream asks the log.
#[derive(Debug)]
pub(crate) enum Question {
    Locate(StreamId, Location),
    Fetch(Fetch),
}

/// The hub's side of one connection.
#[derive(Debug, Default)]
pub(crate) struct Connection {
    pub(crate) head: Option<http::Response<()>>,
    /// Chunks that were written but not taken.
    pub(crate) queue: VecDeque<Bytes>,
    /// The length of the chunk that is on its way; it counts as taken when the next is asked for.
    in_flight: usize,
    pub(crate) ended: Option<Ended>,
    /// A whole answer instead of a stream, and for how long it is held.
    pub(crate) unavailable: Option<http::Response<Vec<u8>>>,
    pub(crate) held: Duration,
}

pub(crate) struct World {
    pub(crate) now: Timestamp,
    pub(crate) config: Config,
    pub(crate) holder: Holder,
    /// Where the log ends, if that is further than the holder has heard.
    pub(crate) end: Position,
    pub(crate) connections: BTreeMap<StreamId, Connection>,
    /// All updates, durable or not.
    pub(crate) log: MemoryLog,
    /// Whether the log refuses to note any.
    pub(crate) refuses: bool,
    /// Questions to the log that have not been answered yet.
    pub(crate) questions: VecDeque<Question>,
    /// How many pages were read.
    pub(crate) pages: usize,
    entropy: u64,
    streams: u64,
}

impl World {
    pub(crate) fn new(variables: &[(&str, &str)]) -> Self {
        Self::on(&Platform::new("a test"), variables)
    }

    pub(crate) fn on(platform: &Platform, variables: &[(&str, &str)]) -> Self {
        let keys = [
            ("MERCURE_PUBLISHER_JWT_KEY", PUBLISHER_KEY),
            ("MERCURE_SUBSCRIBER_JWT_KEY", SUBSCRIBER_KEY),
            ("HUB_URL", HUB),
            ("ANONYMOUS", "1"),
        ];
        let pairs = keys.iter().chain(variables);
        let pairs = pairs.map(|(name, value)| ((*name).into(), (*value).into()));
        let config = Config::read(platform, pairs).unwrap();
        let holder = Holder::new(&config, CursorKey::from_bytes([5; 16]), Place::default());
        Self {
            now: Timestamp::from_millis(1_700_000_000_000),
            config,
            holder,
            end: Position::START,
            connections: BTreeMap::new(),
            log: MemoryLog::default(),
            refuses: false,
            questions: VecDeque::new(),
            pages: 0,
            entropy: 0,
            streams: 0,
        }
    }

    fn entropy(&mut self) -> [u8; 32] {
        self.entropy += 1;
        let mut bytes = [0; 32];
        let scattered = self.entropy.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
        bytes[..8].copy_from_slice(&scattered);
        bytes[8..16].copy_from_slice(&scattered);
        bytes[16..24].copy_from_slice(&scattered);
        bytes
    }

    fn admit(&mut self, request: &Request, body: &[u8]) -> Option<Command> {
        let entropy = self.entropy();
        let admission = match admit(request, &self.config, self.now, &entropy) {
            Step::Done(admission) => admission,
            Step::Read(unread) => unread.admit(&Body::Whole(body.to_vec()), self.now),
            Step::Keys(unkeyed) => Admission::Answer(unkeyed.unavailable()),
        };
        match admission {
            Admission::Forward(command) => Some(command),
            Admission::Answer(_) => None,
        }
    }

    /// Appends an update; it is not durable yet.
    pub(crate) fn publish(&mut self, form: &str) {
        self.try_publish(form).expect("the publication is admitted");
    }

    /// Appends an update, if its fields are valid.
    pub(crate) fn try_publish(&mut self, form: &str) -> Option<Arc<Update>> {
        let publish =
            self.publication(form, &serde_json::json!({"mercure": {"publish": ["*"]}}))?;
        let update = Arc::clone(publish.update());
        self.log.append(Arc::clone(&update), self.now);
        Some(update)
    }

    /// The publication that a form and a token with these claims make, if both are valid.
    pub(crate) fn publication(
        &mut self,
        form: &str,
        claims: &serde_json::Value,
    ) -> Option<Publish> {
        let authorization = format!("Bearer {}", sign(PUBLISHER_KEY, claims));
        let request = Request::new("POST", HUB, [("authorization", authorization.as_bytes())]);
        match self.admit(&request, form.as_bytes())? {
            Command::Publish(publish) => Some(publish),
            other => panic!("not a publication: {other:?}"),
        }
    }

    /// Makes the next `count` updates durable, together.
    pub(crate) fn sync(&mut self, count: usize) {
        let batch: Vec<Appended> =
            self.log.between(self.holder.position(), self.log.end()).take(count).collect();
        if !batch.is_empty() {
            self.holder.handle_appended(&batch, self.now);
            self.drain();
        }
    }

    pub(crate) fn publish_and_sync(&mut self, form: &str) {
        self.publish(form);
        self.sync(usize::MAX);
    }

    /// The subscription that a request makes.
    pub(crate) fn subscription(&mut self, query: &str, fields: &[(&str, &str)]) -> Subscribe {
        let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
        let request = Request::new("GET", &format!("{HUB}?{query}"), fields);
        match self.admit(&request, b"") {
            Some(Command::Subscribe(subscribe)) => subscribe,
            other => panic!("not a subscription: {other:?}"),
        }
    }

    /// Opens a stream; the log answers only when a test tells it to.
    pub(crate) fn begin(&mut self, query: &str, fields: &[(&str, &str)]) -> StreamId {
        let subscribe = self.subscription(query, fields);
        self.arrive(subscribe)
    }

    /// A subscriber reaches the holder.
    pub(crate) fn arrive(&mut self, subscribe: Subscribe) -> StreamId {
        self.streams += 1;
        let stream = StreamId::new(self.streams);
        self.connections.insert(stream, Connection::default());
        let end = Place { position: self.end, since: self.now };
        self.holder.handle_subscribe(stream, subscribe, end, self.now);
        self.drain();
        stream
    }

    /// Opens a stream, and lets the log answer everything it asks.
    pub(crate) fn subscribe(&mut self, query: &str, fields: &[(&str, &str)]) -> StreamId {
        let stream = self.begin(query, fields);
        self.answer_all();
        stream
    }

    /// Answers the oldest question to the log.
    pub(crate) fn answer_one(&mut self) {
        match self.questions.pop_front() {
            Some(Question::Locate(stream, location)) => {
                let located = self.log.locate(&location);
                self.holder.handle_located(stream, &located, self.now);
            }
            Some(Question::Fetch(fetch)) => {
                self.pages += 1;
                if let Some(subscription) = self.holder.subscription(fetch.stream) {
                    let page = self.log.page(&fetch, &subscription);
                    self.holder.handle_page(fetch.stream, &page, self.now);
                }
            }
            None => {}
        }
        self.drain();
    }

    pub(crate) fn answer_all(&mut self) {
        while !self.questions.is_empty() {
            self.answer_one();
        }
    }

    /// Has the log fail to answer the oldest question.
    pub(crate) fn fail_one(&mut self) {
        let stream = match self.questions.pop_front() {
            Some(Question::Locate(stream, _)) => stream,
            Some(Question::Fetch(fetch)) => fetch.stream,
            None => return,
        };
        self.holder.handle_failure(stream, self.now);
        self.drain();
    }

    pub(crate) fn drain(&mut self) {
        while let Some(output) = self.holder.poll_output() {
            match output {
                Output::Locate { stream, location } => {
                    self.questions.push_back(Question::Locate(stream, location));
                }
                Output::Open { stream, response } => {
                    let connection = self.connection(stream);
                    assert!(connection.head.is_none(), "opened twice");
                    connection.head = Some(response);
                }
                Output::Answer { stream, answer } => {
                    let connection = self.connection(stream);
                    assert!(connection.head.is_none(), "answered after it was opened");
                    connection.unavailable = Some(answer.response);
                    connection.held = answer.hold;
                    connection.ended = Some(Ended::Cleanly);
                }
                Output::Write { streams, bytes } => {
                    assert!(!bytes.is_empty());
                    for stream in streams {
                        let connection = self.connection(stream);
                        assert!(connection.head.is_some(), "written before it was opened");
                        assert!(connection.ended.is_none(), "written after its end");
                        connection.queue.push_back(bytes.clone());
                    }
                }
                Output::Register { stream, subscriptions } => self.register(stream, &subscriptions),
                Output::Unregister { subscriptions } => {
                    self.log.unregister(&subscriptions, self.now);
                }
                Output::Close { stream } => {
                    let connection = self.connection(stream);
                    assert!(connection.queue.is_empty() && connection.in_flight == 0);
                    connection.ended = Some(Ended::Cleanly);
                }
                Output::Cut { stream } => {
                    let connection = self.connection(stream);
                    connection.queue.clear();
                    connection.ended = Some(Ended::Cut);
                }
            }
        }
        if let Some((fetch, _)) = self.holder.poll_fetch() {
            self.questions.push_back(Question::Fetch(fetch));
        }
    }

    /// Appends the beginnings of subscriptions, and notes that they are active.
    fn register(&mut self, stream: StreamId, subscriptions: &Subscriptions) {
        if self.refuses {
            return self.holder.handle_failure(stream, self.now);
        }
        self.log.register(subscriptions, self.now);
    }

    /// The hub's process is killed, and starts again: what its log calls active and nobody holds has
    /// ended. Everything that was appended was durable.
    pub(crate) fn restart(&mut self) {
        let end = Place { position: self.log.end(), since: self.now };
        self.end = end.position;
        self.holder = Holder::new(&self.config, CursorKey::from_bytes([5; 16]), end);
        self.questions.clear();
        for connection in self.connections.values_mut() {
            connection.ended.get_or_insert(Ended::Cut);
            connection.queue.clear();
        }
        let absent = self.holder.absent(self.log.registered("").cloned().collect());
        self.log.unregister(&Subscriptions::from(absent), self.now);
    }

    /// What the API answers.
    pub(crate) fn list(&mut self, path: &str, token: &str) -> http::Response<Vec<u8>> {
        let authorization = format!("Bearer {token}");
        let url = format!("{HUB}{path}");
        let request = Request::new("GET", &url, [("authorization", authorization.as_bytes())]);
        let entropy = self.entropy();
        match admit(&request, &self.config, self.now, &entropy) {
            Step::Done(Admission::Answer(answer)) => answer.response,
            Step::Done(Admission::Forward(Command::List(list))) => self.log.list(&list).response,
            other => panic!("not a question after subscriptions: {other:?}"),
        }
    }

    pub(crate) fn connection(&mut self, stream: StreamId) -> &mut Connection {
        self.connections.get_mut(&stream).expect("a stream of this world")
    }

    /// The reader asks for a chunk, and so has taken the one before.
    pub(crate) fn take(&mut self, stream: StreamId) -> Option<Bytes> {
        let connection = self.connection(stream);
        let taken = std::mem::take(&mut connection.in_flight);
        if taken > 0 && connection.ended.is_none() {
            self.holder.handle_taken(stream, taken, self.now);
            self.drain();
        }
        let connection = self.connection(stream);
        let chunk = connection.queue.pop_front()?;
        connection.in_flight = chunk.len();
        Some(chunk)
    }

    /// The reader takes everything there is, page by page.
    pub(crate) fn take_all(&mut self, stream: StreamId) -> Vec<String> {
        let mut chunks = Vec::new();
        loop {
            while let Some(chunk) = self.take(stream) {
                chunks.push(String::from_utf8(chunk.to_vec()).unwrap());
            }
            if self.questions.is_empty() {
                return chunks;
            }
            self.answer_all();
        }
    }

    /// The reader disconnects silently, and the hub notices.
    pub(crate) fn leave(&mut self, stream: StreamId) {
        self.connections
            .insert(stream, Connection { ended: Some(Ended::Cut), ..Connection::default() });
        self.holder.handle_gone(stream);
        self.drain();
    }

    /// The hub's process is told to shut down.
    pub(crate) fn shut_down(&mut self) {
        self.holder.handle_shutdown(self.now);
        self.drain();
    }

    /// Lets time pass; every timeout on the way is handled when it is due.
    pub(crate) fn pass(&mut self, duration: Duration) {
        let end = self.now.plus(duration);
        while let Some(at) = self.holder.poll_timeout().filter(|at| *at <= end) {
            assert!(at > self.now || self.now == end, "a timeout that is always due");
            self.now = at.max(self.now);
            self.holder.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    /// A header field of an answer.
    pub(crate) fn field(&mut self, stream: StreamId, name: &str) -> Option<String> {
        let head = self.connection(stream).head.as_ref().expect("an open stream");
        let value = head.headers().get(name)?;
        Some(String::from_utf8(value.as_bytes().to_vec()).unwrap())
    }
}

/// A 0.x subscriber's token.
pub(crate) fn subscriber(claims: &serde_json::Value) -> String {
    sign(SUBSCRIBER_KEY, claims)
}

/// A 1.0 subscriber's token, from the issuer `https://app.example`.
pub(crate) fn access_token(details: serde_json::Value) -> String {
    let claims = serde_json::json!({
        "iss": "https://app.example",
        "aud": HUB,
        "sub": "7",
        "client_id": "app",
        "iat": 1_699_999_999,
        "exp": 1_700_000_600,
        "jti": "0123456789abcdef",
        "authorization_details": details,
    });
    let header = Header { typ: Some("at+jwt".into()), ..Header::new(Algorithm::HS256) };
    let key = EncodingKey::from_secret(SUBSCRIBER_KEY.as_bytes());
    jsonwebtoken::encode(&header, &claims, &key).unwrap()
}

fn sign(key: &str, claims: &serde_json::Value) -> String {
    let key = EncodingKey::from_secret(key.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key).unwrap()
}

/// What @microsoft/fetch-event-source sends in a page.
pub(crate) const SCRIPT: [(&str, &str); 3] = [
    ("accept", "text/event-stream"),
    ("sec-fetch-mode", "cors"),
    ("sec-fetch-site", "same-origin"),
];

/// What a browser's `EventSource` sends.
pub(crate) const NATIVE: [(&str, &str); 4] = [
    ("accept", "text/event-stream"),
    ("cache-control", "no-cache"),
    ("sec-fetch-mode", "cors"),
    ("sec-fetch-site", "same-origin"),
];
