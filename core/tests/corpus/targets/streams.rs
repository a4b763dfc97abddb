//! `streams`: a script of what may happen to a holder. The first byte chooses the configuration;
//! then each step is three bytes: the first says what happens, the others to whom and how much.
//! After each step, every stream is checked against what was promised to it.
//!
//! | first byte, modulo 16 | step |
//! |---|---|
//! | 0 to 3 | an update is appended; it is not durable yet |
//! | 4, 5 | updates become durable |
//! | 6 | the log answers |
//! | 7 | the log fails to answer |
//! | 8 | a page is asked for |
//! | 9, 10 | a reader takes bytes |
//! | 11 | a reader leaves |
//! | 12, 13 | a subscriber arrives |
//! | 14 | time passes |
//! | 15 | time passes, but no timer fires; the log drops its oldest updates; a stream is given a deadline; the process shuts down |

use std::collections::{BTreeMap, VecDeque};
use std::sync::LazyLock;
use std::time::Duration;

use cinnabar_core::testing::{MemoryLog, stored};
use cinnabar_core::{
    Admission, Appended, Command, Config, CursorKey, Fetch, Holder, Location, Output, Place,
    Position, Request, Step, StoredUpdate, StreamId, Timestamp, Update, admit,
};
use serde_json::json;

use super::event::{self, Written};
use super::hub::{self, HUB, NOW, SUBSCRIBER};
use super::stream::{Asked, KEY, REPLAY_MAX, Stream};

const OUTBOX_SIZE: usize = 500;
const OUTBOXES_SIZE: usize = 1_300;
const MAX_STREAMS: usize = 6;
/// The longest life of a stream, plus the patience with a reader that has yet to take something.
const LONGEST: Duration = Duration::from_secs(60 * 6 / 5 + 10);

/// A hub whose streams live, and one whose streams only catch up.
static CONFIGS: LazyLock<[Config; 2]> = LazyLock::new(|| ["60s", "0"].map(config));

fn config(lifetime: &str) -> Config {
    hub::config(&[
        ("ANONYMOUS", "1"),
        ("HEARTBEAT", "10s"),
        ("STREAM_LIFETIME", lifetime),
        ("HISTORY_SIZE", "16"),
        ("HISTORY_AGE", "100s"),
        ("REPLAY_MAX", &REPLAY_MAX.to_string()),
        ("MAX_UPDATE_SIZE", "400"),
        ("OUTBOX_SIZE", &OUTBOX_SIZE.to_string()),
        ("OUTBOXES_SIZE", &OUTBOXES_SIZE.to_string()),
        ("MAX_STREAMS", &MAX_STREAMS.to_string()),
    ])
}

/// There are four topics, `/topics/0` to `/topics/3`; four bits are a set of them.
const MATCHERS: [(&str, u8); 8] = [
    ("match=/topics/0", 0b0001),
    ("topic=/topics/1&topic=/topics/1&match=/elsewhere", 0b0010),
    ("match_urlpattern=/topics/:id", 0b1111),
    ("match=*", 0b1111),
    ("topic=/topics/{id}", 0b1111),
    ("match_urlpattern=/topics/([01])&topic=/top{id}", 0b0011),
    ("match=/topics/2&topic={/a}{/b:1}", 0b1111),
    ("topic=*&match=/topics/0&match_urlpattern=/:a/3", 0b1111),
];

const GRANTS: [(&[&str], u8); 4] = [
    (&[], 0),
    (&["/topics/0", "/topics/2"], 0b0101),
    (&["/{word}/1", "/elsewhere"], 0b0010),
    (&["*"], 0b1111),
];

pub(crate) fn run(script: &[u8]) {
    let Some((first, steps)) = script.split_first() else { return };
    let mut hub = Hub::new(&CONFIGS[usize::from(first % 2)], first % 2 != 0);
    for step in steps.chunks_exact(3).take(400) {
        hub.step([step[0], step[1], step[2]]);
        hub.drain();
    }
    hub.come_to_rest();
    hub.end();
}

/// What a stream asks the log.
enum Question {
    Locate(StreamId, Location),
    Fetch(Fetch),
}

impl Question {
    fn stream(&self) -> StreamId {
        match self {
            Self::Locate(stream, _) => *stream,
            Self::Fetch(fetch) => fetch.stream,
        }
    }
}

struct Hub {
    now: Timestamp,
    config: &'static Config,
    polls: bool,
    holder: Holder,
    log: MemoryLog,
    questions: Vec<Question>,
    streams: BTreeMap<StreamId, Stream>,
    /// For each chunk, how many streams have yet to take it, and its length.
    chunks: Vec<(usize, usize)>,
    /// The last fragments that were told.
    fragments: VecDeque<String>,
}

impl Hub {
    fn new(config: &'static Config, polls: bool) -> Self {
        Self {
            now: NOW,
            config,
            polls,
            holder: Holder::new(config, CursorKey::from_bytes(KEY), Place::default()),
            log: MemoryLog::default(),
            questions: Vec::new(),
            streams: BTreeMap::new(),
            chunks: Vec::new(),
            fragments: VecDeque::new(),
        }
    }

    fn step(&mut self, [what, x, y]: [u8; 3]) {
        match what % 16 {
            0..=3 => self.publish(x, y),
            4 | 5 => self.sync(u64::from(x % 8) + 1),
            6 => self.answer(x),
            7 => {
                if let Some(question) = self.question(x) {
                    self.holder.handle_failure(question.stream(), self.now);
                }
            }
            8 => self.fetch(),
            9 | 10 => {
                let bytes = if y == 255 { usize::MAX } else { usize::from(y) * 4 };
                self.take(stream(x, self.streams.len()), bytes);
            }
            11 => {
                let id = stream(x, self.streams.len());
                self.holder.handle_gone(id);
                self.ended(id);
            }
            12 | 13 => self.subscribe(x, y),
            14 => {
                let end = self.now.plus(millis(x, y));
                while let Some(at) = self.holder.poll_timeout().filter(|at| *at <= end) {
                    self.now = self.now.max(at);
                    self.time_out();
                }
                self.now = end;
            }
            _ => match x % 8 {
                0..=3 => self.now = self.now.plus(millis(x, y)),
                4 | 5 => {
                    let last = self.log.oldest().back(1).get() + u64::from(y % 8);
                    self.log.drop_through(Position::new(last));
                }
                6 => self.give_deadline(stream(y, self.streams.len()), u64::from(y >> 3)),
                _ if y % 4 == 0 => self.holder.handle_shutdown(self.now),
                _ => {}
            },
        }
    }

    fn time_out(&mut self) {
        self.holder.handle_timeout(self.now);
        let next = self.holder.poll_timeout();
        assert!(next.is_none_or(|next| next > self.now), "a timeout that is always due");
        self.drain();
    }

    fn give_deadline(&mut self, id: StreamId, seconds: u64) {
        let deadline = self.now.plus(Duration::from_secs(seconds));
        self.holder.handle_deadline(id, deadline, self.now);
        if let Some(stream) = self.streams.get_mut(&id).filter(|_| seconds > 0) {
            let closes = stream.asked.closes.unwrap_or(deadline);
            stream.asked.closes = Some(closes.min(deadline));
        }
    }

    fn publish(&mut self, x: u8, y: u8) {
        if y == 199 {
            self.log.skip();
            return;
        }
        let set = (x % 16).max(1);
        let topics: Vec<String> = (0..4)
            .filter(|number| set & 1 << number != 0)
            .map(|number| format!("/topics/{number}"))
            .collect();
        let position = self.log.end().next().get();
        let id = if y < 200 { format!("once-{position}") } else { format!("again-{}", y % 4) };
        let length = [0, 20, 120, 300][usize::from(x >> 5 & 3)];
        let data = format!("{position} {}", "x".repeat(length));
        let update =
            StoredUpdate { private: x >> 4 & 1 != 0, ..stored(&id, &topics.join("\n"), &data) };
        self.log.append(Update::restore(update), self.now);
    }

    fn sync(&mut self, count: u64) {
        let from = self.holder.position();
        let through = Position::new(from.get().saturating_add(count)).min(self.log.end());
        let batch: Vec<Appended> = self.log.between(from, through).collect();
        self.holder.handle_appended(&batch, self.now);
        self.holder.handle_reached(Place { position: through, since: self.now });
    }

    fn question(&mut self, x: u8) -> Option<Question> {
        let count = self.questions.len();
        (count > 0).then(|| self.questions.remove(usize::from(x) % count))
    }

    /// The log answers one question; it leaves out of a page what is not wanted.
    fn answer(&mut self, x: u8) {
        match self.question(x) {
            Some(Question::Locate(stream, location)) => {
                let located = self.log.locate(&location);
                self.holder.handle_located(stream, &located, self.now);
            }
            Some(Question::Fetch(fetch)) => {
                // Its stream may have ended in the meantime.
                let Some(subscription) = self.holder.subscription(fetch.stream) else { return };
                let page = self.log.page(&fetch, &subscription);
                let stretch: Vec<Appended> = self
                    .log
                    .between(fetch.after.max(self.log.oldest().back(1)), page.reached)
                    .collect();
                let stream = &self.streams[&fetch.stream];
                let entitled: Vec<&Appended> =
                    stretch.iter().filter(|it| stream.is_entitled(&it.update)).collect();
                assert_eq!(page.updates.iter().collect::<Vec<_>>(), entitled);
                self.holder.handle_page(fetch.stream, &page, self.now);
            }
            None => {}
        }
    }

    fn fetch(&mut self) {
        let Some((fetch, _)) = self.holder.poll_fetch() else { return };
        let stream = &self.streams[&fetch.stream];
        assert!(stream.opened && !stream.ended);
        assert!(fetch.after < fetch.through && fetch.through == self.holder.position());
        assert!(fetch.limit.bytes == OUTBOX_SIZE && fetch.limit.updates > 0);
        self.asks(Question::Fetch(fetch));
    }

    fn asks(&mut self, question: Question) {
        let already = self.questions.iter().any(|other| other.stream() == question.stream());
        assert!(!already, "a stream asks two things at once");
        self.questions.push(question);
    }

    fn take(&mut self, id: StreamId, bytes: usize) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let waiting: usize = stream.outbox.iter().map(|&chunk| self.chunks[chunk].1).sum();
        // A shell may hear from a reader late, when its stream has ended.
        let bytes = if stream.ended { 1 } else { bytes.min(waiting - stream.taken) };
        stream.taken += bytes;
        while let Some(&first) = stream.outbox.front() {
            if stream.taken < self.chunks[first].1 {
                break;
            }
            stream.taken -= self.chunks[first].1;
            stream.outbox.pop_front();
            self.chunks[first].0 -= 1;
        }
        self.holder.handle_taken(id, bytes, self.now);
    }

    fn subscribe(&mut self, x: u8, y: u8) {
        let (query, selects) = MATCHERS[usize::from(x % 8)];
        let (granted, grants) = GRANTS[usize::from(x >> 3 & 3)];
        let (native, expiring) = (x >> 5 & 1 != 0, x >> 6 & 1 != 0);
        let number = u64::from(y >> 3);
        let expires = expiring.then(|| self.now.plus(Duration::from_millis(300 + number * 4_000)));
        let cursor = match y % 8 {
            0 | 1 => None,
            2 => Some(String::new()),
            3 => Some("earliest".to_owned()),
            4 => Some(format!("once-{}", self.log.end().back(number).get())),
            5 => Some(format!("again-{}", number % 4)),
            6 => self.fragments.get(usize::from(y >> 3) % self.fragments.len().max(1)).cloned(),
            _ => {
                let once = self.log.end().back(number).get();
                Some(format!("once-{once}, #AAAAAAAAAAAAAAAAAAAAAA"))
            }
        };

        let mut claims = json!({"mercure": {"subscribe": granted}});
        if let Some(expires) = expires {
            claims["exp"] = json!(expires.as_millis() as f64 / 1000.0);
        }
        let token = hub::legacy_token(&claims, SUBSCRIBER);
        let cookie = format!("mercureAuthorization={token}");
        let mut fields: Vec<(&str, &[u8])> = vec![("cookie", cookie.as_bytes())];
        let stops_at_clean_ends = !native && number % 2 != 0;
        if native {
            fields.push(("cache-control", b"no-cache"));
        }
        if native || stops_at_clean_ends {
            fields.extend([
                ("accept", b"text/event-stream".as_slice()),
                ("sec-fetch-mode", b"cors"),
                ("sec-fetch-site", b"same-origin"),
            ]);
        }
        let query = match &cursor {
            Some(cursor) => format!("{query}&last_event_id={}", hub::encoded(cursor)),
            None => query.to_owned(),
        };
        let request = Request::new("GET", &format!("{HUB}?{query}"), fields);
        let number = u64::try_from(self.streams.len()).unwrap();
        let id = StreamId::new(number);
        let entropy = [u8::try_from(number * 37 % 256).unwrap(); 32];
        let step = admit(&request, self.config, self.now, &entropy);
        let Step::Done(Admission::Forward(Command::Subscribe(subscribe))) = step else {
            panic!("not a subscription: {step:?}");
        };

        // The holder may not have heard of everything yet.
        let end = if x >> 7 != 0 { self.log.end() } else { self.holder.position() };
        let came_at = end.get();
        let greets = native && !self.polls;
        let closes = expires;
        let asked =
            Asked { selects, grants, cursor, native, stops_at_clean_ends, greets, closes, came_at };
        self.streams.insert(id, Stream::new(asked));
        let end = Place { position: end, since: self.now };
        self.holder.handle_subscribe(id, subscribe, end, self.now);
        assert!(self.holder.streams() <= MAX_STREAMS);
    }

    /// Does what the holder wants done, and checks that it may want that.
    fn drain(&mut self) {
        while let Some(output) = self.holder.poll_output() {
            match output {
                Output::Locate { stream, location } => {
                    assert!(!self.streams[&stream].opened);
                    self.asks(Question::Locate(stream, location));
                }
                Output::Open { stream, response } => {
                    let stream = self.streams.get_mut(&stream).unwrap();
                    assert_eq!(response.status(), 200);
                    let field = response.headers().get("mercure-last-event-id");
                    let field = field.map(|value| value.to_str().unwrap());
                    stream.open(field, &self.log, self.holder.position().get());
                }
                Output::Write { streams, bytes } => {
                    let written = event::read(&bytes);
                    if let [Written::Position { cursor }] = &written[..] {
                        self.fragments.push_front(cursor.clone());
                        self.fragments.truncate(8);
                    }
                    // Updates that are written together are let go one by one.
                    let first = self.chunks.len();
                    let events = std::str::from_utf8(&bytes).unwrap().split_inclusive("\n\n");
                    self.chunks.extend(events.map(|event| (streams.len(), event.len())));
                    let chunks = first..self.chunks.len();
                    let durable = self.holder.position().get();
                    for stream in streams {
                        let stream = self.streams.get_mut(&stream).unwrap();
                        for written in &written {
                            stream.write(written, &self.log, durable, self.now);
                        }
                        stream.outbox.extend(chunks.clone());
                    }
                }
                Output::Answer { stream, answer } => {
                    assert!(!self.streams[&stream].opened, "answered after it was opened");
                    assert!(matches!(answer.response.status().as_u16(), 200 | 401 | 503));
                    self.ended(stream);
                }
                Output::Register { .. } | Output::Unregister { .. } => {
                    panic!("nobody is told of these streams")
                }
                Output::Close { stream } => {
                    self.streams[&stream].close(self.now);
                    self.ended(stream);
                }
                Output::Cut { stream } => {
                    assert!(self.streams[&stream].opened && !self.streams[&stream].ended);
                    self.ended(stream);
                }
            }
        }
        self.check();
    }

    fn check(&self) {
        let open = self.streams.values().filter(|stream| !stream.ended);
        assert_eq!(open.clone().count(), self.holder.streams());
        assert_eq!(self.holder.streams() > 0, self.holder.poll_timeout().is_some());
        for stream in open {
            let waiting: usize = stream.outbox.iter().map(|&chunk| self.chunks[chunk].1).sum();
            assert!(waiting <= OUTBOX_SIZE, "{waiting} bytes wait for one");
        }
        let kept = self.chunks.iter().filter(|(readers, _)| *readers > 0);
        let kept: usize = kept.map(|(_, length)| length).sum();
        assert!(kept <= OUTBOXES_SIZE, "{kept} bytes wait for all");
    }

    fn ended(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.ended = true;
        for chunk in stream.outbox.drain(..) {
            self.chunks[chunk].0 -= 1;
        }
    }

    /// Syncs everything, and lets log and readers catch up: every stream then has what it is owed.
    fn come_to_rest(&mut self) {
        self.time_out();
        self.sync(u64::MAX);
        self.drain();
        for round in 0.. {
            assert!(round < 1_000, "it never comes to rest");
            let ids: Vec<StreamId> = self.streams.keys().copied().collect();
            for id in ids {
                self.take(id, usize::MAX);
                self.drain();
            }
            self.fetch();
            // A stream whose time is up says its last words once everything else was taken.
            let is_taken = self.streams.values().all(|stream| stream.outbox.is_empty());
            if self.questions.is_empty() && is_taken {
                break;
            }
            self.answer(0);
            self.drain();
        }
        let end = self.log.end().get();
        for stream in self.streams.values().filter(|stream| !stream.ended) {
            assert!(stream.opened && stream.outbox.is_empty());
            assert_eq!(stream.skipped(end, &self.log), None, "never written");
        }
    }

    /// Nothing more happens from outside: every stream ends by itself.
    fn end(&mut self) {
        let last = self.now.plus(LONGEST);
        for round in 0.. {
            assert!(round < 1_000, "a busy loop");
            let Some(at) = self.holder.poll_timeout() else { break };
            assert!(at <= last, "it lives too long");
            self.now = self.now.max(at);
            self.time_out();
        }
        assert_eq!(self.holder.streams(), 0);
    }
}

fn stream(x: u8, count: usize) -> StreamId {
    // The newest are the most likely to still be there.
    let back = usize::from(x % 8) + 1;
    StreamId::new(count.saturating_sub(back).try_into().unwrap())
}

fn millis(x: u8, y: u8) -> Duration {
    Duration::from_millis((u64::from(x) * 256 + u64::from(y)) / 2)
}
