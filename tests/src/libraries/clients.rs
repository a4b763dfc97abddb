//! SSE clients: what the bytes of a stream, and its end, do to them.
//!
//! All of them read at once, from hubs whose streams are short. Their application must be handed
//! every update once, in order, and nothing else: some take a blank line for an empty message.

use std::fmt;
use std::panic::resume_unwind;
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::program::{PATIENCE, Program};
use crate::case::Suite;
use crate::form;
use crate::hub::{Hub, fresh};
use crate::launch::Variables;
use crate::stream::Stream;
use crate::token::Generation;

/// Streams that end soon, and several heartbeats in each.
pub(super) const BRISK: Variables = &[("HEARTBEAT", "500ms"), ("STREAM_LIFETIME", "2s")];

/// Streams that end soon, but not so soon that the Worker would rather not cut them: a cut could
/// overtake the head of the response, for some seconds.
pub(super) const LASTING: Variables = &[("HEARTBEAT", "500ms"), ("STREAM_LIFETIME", "12s")];

/// A client, and whether it comes back by itself.
struct Client {
    script: &'static str,
    /// Once a stream has ended as HTTP has it.
    after_its_end: bool,
    /// Once a connection has broken.
    after_a_cut: bool,
    /// The hub knows it, and ends its streams by a cut, where the platform can.
    is_cut: bool,
}

const fn client(script: &'static str, after_its_end: bool, after_a_cut: bool) -> Client {
    Client { script, after_its_end, after_a_cut, is_cut: false }
}

const CLIENTS: [Client; 13] = [
    client("clients/aiohttp-sse-client2.py", true, false),
    client("clients/event-source-polyfill.mjs", true, true),
    client("clients/eventsource.mjs", true, true),
    client("clients/eventsource-client.mjs", true, true),
    client("clients/eventsource-parser.mjs", false, false),
    Client { is_cut: true, ..client("clients/fetch-event-source.mjs", false, true) },
    client("clients/httpx-sse.py", false, false),
    client("clients/requests-sse.py", true, true),
    client("clients/sseclient-py.py", false, false),
    client("go/bin/go-sse", true, true),
    Client { is_cut: true, ..client("go/bin/r3labs-sse", false, true) },
    client("java/OkhttpEventsource.java", true, true),
    client("rust/target/debug/eventsource-client", true, true),
];

/// What a client's program prints.
#[derive(Deserialize, Debug, Clone, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Line {
    Opened,
    Event(Event),
    Failed,
    Ended(String),
}

/// An event as an application is handed it.
#[derive(Deserialize, Debug, Clone, PartialEq, Eq)]
struct Event {
    id: String,
    data: String,
}

/// A running client, and all that it has printed.
struct Reader {
    client: &'static Client,
    program: Program<Line>,
    seen: Vec<Line>,
}

impl Reader {
    #[track_caller]
    fn start(client: &'static Client, hub: &Hub, topic: &str, token: Option<&str>) -> Self {
        // From the beginning: no case depends on who is first, the publisher or the reader.
        let query = form::pairs(&[("match", topic), ("last_event_id", "earliest")]);
        let url = format!("{}?{query}", hub.url());
        let arguments: Vec<&str> = [url.as_str()].into_iter().chain(token).collect();
        Self { client, program: Program::start(client.script, &arguments), seen: Vec::new() }
    }

    /// Reads on until this holds for what has been seen, or the client has stopped for good.
    #[track_caller]
    fn read_until(&mut self, enough: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !enough(self) && !self.has_stopped() {
            match self.program.next(deadline) {
                Some(line) => self.seen.push(line),
                None => panic!("no more of it: {self}, and said {:?}", self.program.noise()),
            }
        }
    }

    fn streams(&self) -> usize {
        self.seen.iter().filter(|line| **line == Line::Opened).count()
    }

    fn has_stopped(&self) -> bool {
        self.seen.iter().any(|line| matches!(line, Line::Ended(_)))
    }

    fn events(&self) -> Vec<&Event> {
        let events = self.seen.iter().filter_map(|line| match line {
            Line::Event(event) => Some(event),
            Line::Opened | Line::Failed | Line::Ended(_) => None,
        });
        events.collect()
    }

    /// The client must have been handed all of these if it comes back, and otherwise those before it
    /// stopped; each once, and nothing else.
    #[track_caller]
    fn expect(&mut self, published: &[Event], comes_back: bool) {
        if comes_back {
            self.read_until(|reader| reader.events().last() == published.last().as_ref());
        } else {
            self.read_until(|_| false);
        }
        assert_eq!(self.has_stopped(), !comes_back, "{self}");
        let events = self.events();
        let surprise = events.iter().zip(published).find(|(event, update)| **event != *update);
        assert_eq!(surprise, None, "{self}");
        assert!(!comes_back || events.len() == published.len(), "{self}");
    }
}

impl fmt::Display for Reader {
    /// The end of what it has seen, which is where most cases fail.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seen, script) = (&self.seen, self.client.script);
        let last = &seen[seen.len().saturating_sub(20)..];
        write!(formatter, "{script} has seen {} lines, the last of them {last:?}", seen.len())
    }
}

/// A topic with its history, and the clients that read it.
struct Topic<'a> {
    hub: &'a Hub,
    name: String,
    private: bool,
    published: Vec<Event>,
}

impl<'a> Topic<'a> {
    fn new(hub: &'a Hub, name: &str) -> Self {
        Self { hub, name: fresh(name), private: false, published: Vec::new() }
    }

    #[track_caller]
    fn publish(&mut self) {
        let data = format!("n° {}\nof many", self.published.len() + 1);
        let mut fields = vec![("topic", self.name.as_str()), ("data", &data)];
        if self.private {
            fields.push(("private", "on"));
        }
        let id = self.hub.publish(&fields);
        self.published.push(Event { id, data });
    }

    #[track_caller]
    fn readers(&self, among: fn(&Client) -> bool) -> Vec<Reader> {
        let token = self.private.then(|| self.hub.subscriber(Generation::V1, &[&self.name]));
        let start = |client| Reader::start(client, self.hub, &self.name, token.as_deref());
        CLIENTS.iter().filter(|client| among(client)).map(start).collect()
    }
}

// draft-08, "Subscribers": a maximum connection lifetime, after which they reconnect
pub(super) fn the_end_of_a_stream_loses_nothing(hub: &Hub) {
    // The second shows that a client resumes; the third, that it does from what it received last.
    let (topic, readers) = read_streams(hub, |client| !client.is_cut, 3);
    for mut reader in readers {
        let comes_back = reader.client.after_its_end;
        reader.expect(&topic.published, comes_back);
    }
}

pub(super) fn a_client_that_stops_at_a_clean_end_is_cut(hub: &Hub) {
    let (topic, readers) = read_streams(hub, |client| client.is_cut, 2);
    for mut reader in readers {
        let comes_back = reader.client.after_a_cut;
        reader.expect(&topic.published, comes_back);
    }
}

/// Publishes until each of these clients has had so many streams, or has stopped. Some updates come
/// while a stream is open, and some while its reader is away.
#[track_caller]
fn read_streams(hub: &Hub, among: fn(&Client) -> bool, streams: usize) -> (Topic<'_>, Vec<Reader>) {
    let mut topic = Topic::new(hub, "streams");
    topic.publish();
    let read = |mut reader: Reader| {
        reader.read_until(|reader| reader.streams() >= streams);
        reader
    };
    let readers = topic.readers(among);
    let readers = thread::scope(|scope| {
        let threads: Vec<_> =
            readers.into_iter().map(|reader| scope.spawn(move || read(reader))).collect();
        while threads.iter().any(|thread| !thread.is_finished()) {
            topic.publish();
            thread::sleep(Duration::from_millis(200));
        }
        let join = |thread: ScopedJoinHandle<'_, Reader>| {
            thread.join().unwrap_or_else(|panic| resume_unwind(panic))
        };
        threads.into_iter().map(join).collect()
    });
    topic.publish();
    (topic, readers)
}

pub(super) fn a_restart_loses_nothing(suite: &Suite) {
    let hub = suite.launch(&[]);
    let mut topic = Topic { private: true, ..Topic::new(&hub, "restarted") };
    topic.publish();
    let mut readers = topic.readers(|_| true);
    for reader in &mut readers {
        reader.read_until(|reader| !reader.events().is_empty());
    }
    hub.kill();
    hub.restart();
    topic.publish();
    for reader in &mut readers {
        reader.expect(&topic.published, reader.client.after_a_cut);
    }
}

// What a hub that is full says to those who come back is no message to their application.
pub(super) fn a_full_hub_is_waited_for(suite: &Suite) {
    let places = CLIENTS.len();
    let hub = suite.launch(&[("MAX_STREAMS", &places.to_string()), ("HEARTBEAT", "500ms")]);
    let mut topic = Topic::new(&hub, "full");
    let others: Vec<Stream> = (0..places).map(|_| hub.subscribe(&topic.name)).collect();
    topic.publish();
    let mut readers = topic.readers(|_| true);
    for reader in &mut readers {
        reader.read_until(|reader| !reader.seen.is_empty());
    }
    drop(others);
    for mut reader in readers {
        if reader.client.after_its_end || reader.client.after_a_cut {
            reader.expect(&topic.published, true);
        } else {
            reader.read_until(|_| false);
            assert!(reader.events().is_empty(), "{reader}");
        }
    }
}
