//! A hub's streams over a log in memory, and their readers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use cinnabar_core::{Admission, Command, Config, Platform, Request, Step, Subscribe, admit};
use cinnabar_runtime::{Body, Opened, Streams};

use crate::clock::now;
use crate::memory::Memory;

/// What a browser's `EventSource` sends.
pub(crate) const NATIVE: [(&str, &str); 4] = [
    ("accept", "text/event-stream"),
    ("cache-control", "no-cache"),
    ("sec-fetch-mode", "cors"),
    ("sec-fetch-site", "same-origin"),
];

#[derive(Clone)]
pub(crate) struct Hub {
    config: Arc<Config>,
    pub(crate) log: Memory,
    pub(crate) streams: Streams,
}

impl Hub {
    /// Over a log that has to be asked.
    pub(crate) fn new(variables: &[(&str, &str)]) -> Self {
        Self::over(Memory::default(), variables)
    }

    pub(crate) fn over(log: Memory, variables: &[(&str, &str)]) -> Self {
        let key = ("MERCURE_PUBLISHER_JWT_KEY", "a publisher's key of thirty-two bytes");
        let variables = [key, ("ANONYMOUS", "1")].into_iter().chain(variables.iter().copied());
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let config = Arc::new(Config::read(&Platform::new("a test"), variables).unwrap());
        let streams = Streams::start(Arc::clone(&config), log.clone(), now);
        Self { config, log, streams }
    }

    fn admit(&self, query: &str, fields: &[(&str, &str)]) -> Subscribe {
        let url = format!("https://hub.example/.well-known/mercure?{query}");
        let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
        let request = Request::new("GET", &url, fields);
        // Another subscriber each time.
        static SUBSCRIBERS: AtomicU8 = AtomicU8::new(0);
        let entropy = [SUBSCRIBERS.fetch_add(1, Ordering::Relaxed); 32];
        match admit(&request, &self.config, now(), &entropy) {
            Step::Done(Admission::Forward(Command::Subscribe(subscribe))) => subscribe,
            other => panic!("not a subscription: {other:?}"),
        }
    }

    /// What becomes of a subscriber.
    pub(crate) async fn open(&self, query: &str, fields: &[(&str, &str)]) -> Opened {
        self.streams.open(self.admit(query, fields), None).await
    }

    pub(crate) async fn subscribe(&self, query: &str, fields: &[(&str, &str)]) -> Reader {
        Reader::of(self.open(query, fields).await)
    }

    pub(crate) async fn subscribe_until(
        &self,
        query: &str,
        fields: &[(&str, &str)],
        deadline: Duration,
    ) -> Reader {
        let subscribe = self.admit(query, fields);
        Reader::of(self.streams.open(subscribe, Some(now().plus(deadline))).await)
    }
}

pub(crate) struct Reader(http::Response<Body>);

impl Reader {
    fn of(opened: Opened) -> Self {
        match opened {
            Opened::Stream(response) => Self(response),
            Opened::Answer(unavailable) => panic!("{unavailable:?}"),
        }
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.0.headers().get(name).map(|value| value.to_str().unwrap())
    }

    async fn chunk(&mut self) -> Option<String> {
        let chunk = self.0.body_mut().next().await;
        chunk.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
    }

    /// The next chunk.
    pub(crate) async fn next(&mut self) -> String {
        self.chunk().await.expect("a chunk, and not the end")
    }

    /// All that comes until the end.
    pub(crate) async fn end(&mut self) -> Vec<String> {
        let mut chunks = Vec::new();
        while let Some(chunk) = self.chunk().await {
            chunks.push(chunk);
        }
        chunks
    }
}
