//! What requests and deliveries cost in the core.
//!
//! ```sh
//! cargo bench -p cinnabar-core --bench costs
//! ```
//!
//! For a comparison, run it on both commits, one after the other and again. What choosing the
//! streams of an update costs is in `streams.rs`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "it is a benchmark")]

mod common;

use cinnabar_core::{Admission, Appended, Body, Command, Position, Request, Step, admit};
use divan::Bencher;
use divan::counter::ItemsCount;
use jsonwebtoken::{EncodingKey, Header};
use serde_json::json;

use crate::common::{HUB, KEY, NOW, config, holder, open, subscribe, take, update};

const TOPIC: &str = "https://example.com/rooms/1";

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
    bencher.bench(|| subscribe(&query(), Some(&token), &config));
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
    let mut holder = holder(&config);
    for number in 0..streams {
        open(&mut holder, number, subscribe(&query(), None, &config));
    }
    let mut position = Position::START;
    let holder = std::cell::RefCell::new(holder);
    bencher
        .counter(ItemsCount::new(streams * updates as u64))
        .with_inputs(|| {
            let batch = std::iter::repeat_with(|| {
                position = position.next();
                let update = update(position.get(), TOPIC.to_owned(), "x".repeat(size));
                Appended { position, update }
            });
            batch.take(updates).collect()
        })
        .bench_local_values(|batch: Vec<Appended>| {
            let mut holder = holder.borrow_mut();
            holder.handle_appended(&batch, NOW);
            assert!(take(&mut holder) >= streams, "a stream got nothing");
        });
}

fn query() -> String {
    format!("match={TOPIC}")
}

/// A 0.x token for every topic, as it is presented.
fn token(action: &str) -> String {
    // Choosing fails only if one has been chosen already.
    let _ = jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER.install_default();
    let claims = json!({"mercure": {action: ["*"]}});
    let key = EncodingKey::from_secret(KEY.as_bytes());
    format!("Bearer {}", jsonwebtoken::encode(&Header::default(), &claims, &key).unwrap())
}
