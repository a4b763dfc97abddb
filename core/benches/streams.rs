//! What choosing the streams of an update costs, by how many other streams there are.
//!
//! ```sh
//! cargo bench -p cinnabar-core --bench streams
//! ```
//!
//! Each holder has [`READERS`] streams that want the updates, and some others that want something
//! of the same kind. If choosing costs only what the matching streams cost, the time stays about
//! the same: finding a place among a thousand times as many takes a few more steps, which miss the
//! caches.

#![expect(
    clippy::disallowed_methods,
    reason = "the core has no clock, and its benchmark needs one"
)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "it is a benchmark")]

mod common;

use std::hint::black_box;
use std::time::{Duration, Instant};

use cinnabar_core::{Appended, Position};

use crate::common::{NOW, config, holder, open, subscribe, take, update};

/// How many streams want each update.
const READERS: u64 = 10;

/// How many other streams there are.
const OTHERS: [u64; 4] = [100, 10_000, 30_000, 100_000];

/// How many updates are timed together, and how many times; the fastest time counts.
const UPDATES: u64 = 200;
const ROUNDS: usize = 20;

/// A kind of matcher: the query that subscribes to what is below a room, and a topic there.
struct Kind {
    name: &'static str,
    query: fn(u64) -> String,
    topic: fn(u64) -> String,
}

const KINDS: [Kind; 5] = [
    Kind {
        name: "exact topics",
        query: |room| format!("match=https://example.com/rooms/{room}"),
        topic: |room| format!("https://example.com/rooms/{room}"),
    },
    Kind {
        name: "URL patterns",
        query: |room| format!("match_urlpattern=https://example.com/rooms/{room}/:message"),
        topic: |room| format!("https://example.com/rooms/{room}/1"),
    },
    Kind {
        name: "URL patterns, by host",
        query: |room| format!("match_urlpattern=https://room{room}.example.com/:message"),
        topic: |room| format!("https://room{room}.example.com/1"),
    },
    Kind {
        name: "relative URL patterns",
        query: |room| format!("match_urlpattern=/rooms/{room}-:name/:message"),
        topic: |room| format!("/rooms/{room}-cinnabar/1"),
    },
    Kind {
        name: "0.x templates",
        query: |room| format!("topic=https://example.com/rooms/{room}/%7Bmessage%7D"),
        topic: |room| format!("https://example.com/rooms/{room}/1"),
    },
];

fn main() {
    println!("one update, {READERS} streams that want it, and this many others:\n");
    print!("{:24}", "");
    for others in OTHERS {
        print!("{others:>12}");
    }
    println!("{:>15}", "last : first");
    for kind in &KINDS {
        print!("{:24}", kind.name);
        let times: Vec<f64> = OTHERS
            .into_iter()
            .filter_map(|others| {
                let Some(time) = measure(kind, others) else {
                    print!("{:>12}", "full");
                    return None;
                };
                print!("{:>9.2} µs", time.as_nanos() as f64 / 1_000.0);
                Some(time.as_secs_f64())
            })
            .collect();
        println!("{:>15.2}", times[times.len() - 1] / times[0]);
    }
}

/// How long an update takes; `None` if a holder does not accept that many streams, because of what
/// their matchers keep.
fn measure(kind: &Kind, others: u64) -> Option<Duration> {
    let config = config();
    let mut holder = holder(&config);
    // The wanted room is in the middle of the others.
    let wanted = others / 2;
    let rooms = (0..others + 1).flat_map(|room| {
        std::iter::repeat_n(room, if room == wanted { READERS as usize } else { 1 })
    });
    for (number, room) in (0..).zip(rooms) {
        open(&mut holder, number, subscribe(&(kind.query)(room), None, &config));
        if holder.streams() <= usize::try_from(number).unwrap() {
            return None;
        }
    }

    let mut fastest = Duration::MAX;
    let mut position = Position::START;
    for _ in 0..ROUNDS {
        let mut time = Duration::ZERO;
        for _ in 0..UPDATES {
            position = position.next();
            let update = update(position.get(), (kind.topic)(wanted), "a message".to_owned());
            let batch = [Appended { position, update }];
            let start = Instant::now();
            holder.handle_appended(black_box(&batch), NOW);
            time += start.elapsed();
            assert_eq!(take(&mut holder), READERS, "not every stream that wants it got it");
        }
        fastest = fastest.min(time);
    }
    Some(fastest / UPDATES as u32)
}
