//! What requests and deliveries cost in the core.
//!
//! ```sh
//! cargo bench -p cinnabar-core --bench costs
//! ```
//!
//! For a comparison, run it on both commits, one after the other and again. What choosing the
//! streams of an update costs is in `streams.rs`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "it is a benchmark")]

use std::sync::Arc;

use cinnabar_core::{
    Admission, Appended, Body, Command, Config, CursorKey, Holder, Output, Place, Platform,
    Position, Request, Step, StoredUpdate, StreamId, Subscribe, Timestamp, Update, admit,
};
use divan::Bencher;
use divan::counter::ItemsCount;
use jsonwebtoken::{EncodingKey, Header};
use serde_json::json;

const HUB: &str = "https://hub.example.com/.well-known/mercure";
const TOPIC: &str = "https://example.com/rooms/1";
const KEY: &str = "a key of at least thirty-two bytes";
const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// How many updates come together.
const UPDATES: usize = 10;

fn main() {
    divan::main();
}

/// A publication, with a token for every topic, from bytes to a command.
#[divan::bench(args = [64, 65_536])]
fn admission_of_a_publication(bencher: Bencher, size: usize) {
    let (config, token) = (config(), token("publish"));
    let form = format!("topic={TOPIC}&data={}", "x".repeat(size)).into_bytes();
    bencher.with_inputs(|| Body::Whole(form.clone())).bench_refs(|body| {
        let fields = [
            ("authorization", token.as_bytes()),
            ("content-type", b"application/x-www-form-urlencoded"),
        ];
        let request = Request::new("POST", HUB, fields);
        let Step::Read(unread) = admit(&request, &config, NOW, &[9; 32]) else {
            panic!("its body does not count")
        };
        let admission = unread.admit(body, NOW);
        assert!(matches!(admission, Admission::Forward(Command::Publish(_))));
        admission
    });
}

/// A subscription to one topic, with a token, from bytes to a command.
#[divan::bench]
fn admission_of_a_subscription(bencher: Bencher) {
    let (config, token) = (config(), token("subscribe"));
    bencher.bench(|| subscribe(&config, Some(&token)));
}

/// The framing of an update, as one stream pays for it: it is the difference between the sizes.
#[divan::bench(args = [64, 4_096, 65_536])]
fn an_update_to_one_stream(bencher: Bencher, size: usize) {
    deliver(bencher, 1, 1, size);
}

/// What the holder does for each update and stream; the items are deliveries.
#[divan::bench(args = [100, 1_000, 9_000])]
fn one_update_to_many_streams(bencher: Bencher, streams: u64) {
    deliver(bencher, streams, 1, 64);
}

/// The same for updates that come together.
#[divan::bench(args = [100, 1_000, 9_000])]
fn ten_updates_to_many_streams(bencher: Bencher, streams: u64) {
    deliver(bencher, streams, UPDATES, 64);
}

fn deliver(bencher: Bencher, streams: u64, updates: usize, size: usize) {
    let config = config();
    let mut holder = Holder::new(&config, CursorKey::from_bytes([5; 16]), Place::default());
    for number in 0..streams {
        let end = Place { position: holder.position(), since: NOW };
        let subscribe = subscribe(&config, None);
        holder.handle_subscribe(StreamId::new(number), subscribe, end, NOW);
        take(&mut holder);
    }
    let mut position = Position::START;
    let holder = std::cell::RefCell::new(holder);
    bencher
        .counter(ItemsCount::new(streams * updates as u64))
        .with_inputs(|| {
            let batch = std::iter::repeat_with(|| {
                position = position.next();
                Appended { position, update: Arc::new(update(position, size)) }
            });
            batch.take(updates).collect()
        })
        .bench_local_values(|batch: Vec<Appended>| {
            let mut holder = holder.borrow_mut();
            holder.handle_appended(&batch, NOW);
            assert!(take(&mut holder) >= streams, "a stream got nothing");
        });
}

/// Takes what was written, for all streams. Returns how many writes there were.
fn take(holder: &mut Holder) -> u64 {
    let mut writes = 0;
    while let Some(output) = holder.poll_output() {
        if let Output::Write { streams, bytes } = output {
            for stream in streams {
                writes += 1;
                holder.handle_taken(stream, bytes.len(), NOW);
            }
        }
    }
    writes
}

fn config() -> Config {
    let variables = [
        ("HUB_URL", HUB),
        ("MERCURE_PUBLISHER_JWT_KEY", KEY),
        ("MERCURE_SUBSCRIBER_JWT_KEY", KEY),
        ("ANONYMOUS", "1"),
        ("MAX_STREAMS", "10000"),
    ];
    let variables = variables.map(|(name, value)| (name.into(), value.into()));
    Config::read(&Platform::new("a benchmark"), variables).unwrap()
}

/// A 0.x token for every topic, as it is presented.
fn token(action: &str) -> String {
    // Choosing fails only if one has been chosen already.
    let _ = jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER.install_default();
    let claims = json!({"mercure": {action: ["*"]}});
    let key = EncodingKey::from_secret(KEY.as_bytes());
    format!("Bearer {}", jsonwebtoken::encode(&Header::default(), &claims, &key).unwrap())
}

fn subscribe(config: &Config, token: Option<&str>) -> Subscribe {
    let fields = token.map(|token| ("authorization", token.as_bytes()));
    let request = Request::new("GET", &format!("{HUB}?match={TOPIC}"), fields);
    match admit(&request, config, NOW, &[9; 32]) {
        Step::Done(Admission::Forward(Command::Subscribe(subscribe))) => subscribe,
        other => panic!("not a subscription: {other:?}"),
    }
}

fn update(position: Position, size: usize) -> Update {
    Update::restore(StoredUpdate {
        id: format!("urn:example:{}", position.get()),
        topics: TOPIC.to_owned(),
        targets: String::new(),
        data: "x".repeat(size),
        private: false,
        event_type: None,
        retry: None,
    })
}
