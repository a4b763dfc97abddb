//! A hub's streams over a log in memory, and their readers.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cinnabar_aws::body::Body;
use cinnabar_aws::deployment::PLATFORM;
use cinnabar_aws::streams::{Opened, Streams};
use cinnabar_core::{Admission, Command, Config, Request, Step, Subscribe, Timestamp, admit};
use futures_core::Stream as _;
use tokio::time::Instant;

use crate::Memory;

/// What a browser's `EventSource` sends.
pub(crate) const NATIVE: [(&str, &str); 3] =
    [("accept", "text/event-stream"), ("cache-control", "no-cache"), ("sec-fetch-mode", "cors")];

/// The time that a test sees pass.
fn now() -> Timestamp {
    static BEGIN: OnceLock<Instant> = OnceLock::new();
    let begin = *BEGIN.get_or_init(Instant::now);
    Timestamp::from_millis(1_700_000_000_000).plus(Instant::now().duration_since(begin))
}

pub(crate) struct Hub {
    config: Arc<Config>,
    pub(crate) log: Memory,
    pub(crate) streams: Streams,
}

impl Hub {
    pub(crate) fn new(variables: &[(&str, &str)]) -> Self {
        let key = ("MERCURE_PUBLISHER_JWT_KEY", "a publisher's key of thirty-two bytes");
        let variables = [key, ("ANONYMOUS", "1")].into_iter().chain(variables.iter().copied());
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let config = Arc::new(Config::read(&PLATFORM, variables).unwrap());
        let log = Memory::default();
        let streams = Streams::start(Arc::clone(&config), log.clone(), now);
        Self { config, log, streams }
    }

    fn admit(&self, query: &str, fields: &[(&str, &str)]) -> Subscribe {
        let url = format!("https://hub.example/.well-known/mercure?{query}");
        let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
        let request = Request::new("GET", &url, fields);
        match admit(&request, &self.config, now(), &[7; 32]) {
            Step::Done(Admission::Forward(Command::Subscribe(subscribe))) => subscribe,
            other => panic!("not a subscription: {other:?}"),
        }
    }

    /// What becomes of a subscriber.
    pub(crate) async fn open(&self, query: &str, fields: &[(&str, &str)]) -> Opened {
        self.streams.open(self.admit(query, fields), Timestamp::default()).await
    }

    pub(crate) async fn subscribe(&self, query: &str, fields: &[(&str, &str)]) -> Reader {
        self.subscribe_until(query, fields, Duration::from_secs(1_000_000)).await
    }

    pub(crate) async fn subscribe_until(
        &self,
        query: &str,
        fields: &[(&str, &str)],
        deadline: Duration,
    ) -> Reader {
        let subscribe = self.admit(query, fields);
        match self.streams.open(subscribe, now().plus(deadline)).await {
            Opened::Stream(head, reader) => Reader { head, body: Body::Stream(reader) },
            Opened::Unavailable(unavailable) => panic!("{unavailable:?}"),
        }
    }
}

pub(crate) struct Reader {
    head: http::Response<()>,
    body: Body,
}

impl Reader {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.head.headers().get(name).map(|value| value.to_str().unwrap())
    }

    async fn chunk(&mut self) -> Option<String> {
        let item = poll_fn(|context| Pin::new(&mut self.body).poll_next(context)).await;
        item.map(|Ok(bytes)| String::from_utf8(bytes.to_vec()).unwrap())
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
