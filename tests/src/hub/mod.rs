//! A hub as its clients see it: an endpoint, the keys it trusts, and requests to it.

mod tokens;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::arguments::{Arguments, Capability, Limits};
use crate::children;
use crate::form;
use crate::http::{DEADLINE, Endpoint, Request};
use crate::process::Process;
use crate::stream::Stream;
use crate::token::Generation;

/// A hub, no matter who runs it.
pub(crate) struct Hub {
    /// Where it listens, and at which path it is a hub.
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) keys: Keys,
    pub(crate) limits: Limits,
    without: Vec<Capability>,
    process: Option<Process>,
}

/// What goes into tokens for a hub.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    pub(crate) publisher: String,
    pub(crate) subscriber: String,
    pub(crate) issuer: String,
    pub(crate) audience: String,
}

impl Hub {
    /// `process` is what the suite started; `None` for a hub that was already running.
    pub(crate) fn new(
        endpoint: Endpoint,
        keys: Keys,
        arguments: &Arguments,
        process: Option<Process>,
    ) -> Self {
        Self {
            endpoint: Arc::new(endpoint),
            keys,
            limits: arguments.limits.clone(),
            without: arguments.without.clone(),
            process,
        }
    }

    /// Whether its platform leaves it this capability.
    pub(crate) fn has(&self, capability: Capability) -> bool {
        !self.without.contains(&capability)
    }

    /// The path of the hub's URL.
    pub(crate) fn path(&self) -> &str {
        &self.endpoint.path
    }

    /// The hub's URL as the suite reaches it.
    pub(crate) fn url(&self) -> String {
        self.endpoint.url()
    }

    /// Any request: a method and a target, byte for byte.
    pub(crate) fn request(&self, method: &str, target: impl Into<String>) -> Request {
        Request::new(Arc::clone(&self.endpoint), method, target.into())
    }

    /// A publication of these fields without a token, which the case adds.
    pub(crate) fn publication(&self, fields: &[(&str, &str)]) -> Request {
        self.publication_of(form::pairs(fields))
    }

    /// A publication with this body, byte for byte, without a token.
    pub(crate) fn publication_of(&self, body: impl Into<Vec<u8>>) -> Request {
        self.request("POST", self.path())
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(body)
    }

    /// A publication by a publisher who may publish to every topic.
    pub(crate) fn granted(&self, fields: &[(&str, &str)]) -> Request {
        self.publication(fields).bearer(&self.anyone())
    }

    /// Publishes and returns the id; the hub must accept.
    #[track_caller]
    pub(crate) fn publish(&self, fields: &[(&str, &str)]) -> String {
        self.granted(fields).send().expect_status(200).text()
    }

    /// The token of a publisher who may publish to every topic.
    pub(crate) fn anyone(&self) -> String {
        self.publisher(Generation::V0, &["*"])
    }

    /// A subscription by an anonymous reader that is not a browser; `parameters` are encoded here.
    pub(crate) fn subscription(&self, parameters: &[(&str, &str)]) -> Request {
        self.subscription_by(&form::pairs(parameters))
    }

    /// As [`Hub::subscription`], with the query byte for byte.
    pub(crate) fn subscription_by(&self, query: &str) -> Request {
        self.request("GET", format!("{}?{query}", self.path()))
            .header("Accept", "text/event-stream")
    }

    /// Opens an anonymous stream of one topic.
    #[track_caller]
    pub(crate) fn subscribe(&self, topic: &str) -> Stream {
        self.subscription(&[("match", topic)]).open()
    }

    /// Ends the hub's process at once (SIGKILL), as a crash would.
    #[track_caller]
    pub(crate) fn kill(&self) {
        self.process().kill();
    }

    /// Aborts the object of this name, as its platform may at any moment.
    #[track_caller]
    pub(crate) fn abort(&self, object: &str) {
        let path = format!("/abort/{}", object.replace(' ', "%20"));
        self.request("POST", path).body("").send().expect_status(204);
    }

    /// Asks the hub's process to end (SIGTERM), as a deployment would.
    #[track_caller]
    pub(crate) fn ask_to_end(&self) {
        children::ask_to_end(self.process_id());
    }

    /// Restarts a killed hub on the same port with the same data.
    #[track_caller]
    pub(crate) fn restart(&self) {
        if let Err(reason) = self.process().start() {
            panic!("{reason}");
        }
    }

    /// What the hub has written to its standard output and error so far.
    #[track_caller]
    pub(crate) fn log(&self) -> String {
        self.process().log()
    }

    /// Waits until the hub has written this to its standard output or error.
    #[track_caller]
    pub(crate) fn until_it_says(&self, text: &str) {
        let deadline = Instant::now() + DEADLINE;
        while !self.log().contains(text) {
            assert!(Instant::now() < deadline, "it did not say {text:?}: {}", self.log());
            thread::sleep(Duration::from_millis(25));
        }
    }

    /// The process that serves this hub.
    #[track_caller]
    pub(crate) fn process_id(&self) -> u32 {
        self.process().id().expect("the hub runs")
    }

    #[track_caller]
    fn process(&self) -> &Process {
        self.process.as_ref().expect("only cases that launch their own hubs end them")
    }
}

/// A topic that no other case, and no earlier run, has used.
pub(crate) fn fresh(name: &str) -> String {
    static TOPICS: AtomicU64 = AtomicU64::new(0);
    let time =
        SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970").as_nanos();
    let number = TOPICS.fetch_add(1, Ordering::Relaxed);
    format!("https://example.com/{time:x}-{number}/{name}")
}
