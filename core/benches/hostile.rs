//! How long one update holds up a holder whose patterns and topics were made to cost the most.
//!
//! ```sh
//! cargo bench -p cinnabar-core --bench hostile
//! ```
//!
//! What is bounded is the number of steps (`core/src/limits.rs`). This says what a step takes here.

#![expect(
    clippy::disallowed_methods,
    reason = "the core has no clock, and its benchmark needs one"
)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "it is a benchmark")]

mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use cinnabar_core::testing::MemoryLog;
use cinnabar_core::{Appended, Config, Holder, Output, Place, StreamId};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::common::{NOW, config, holder, open, subscribe, take, update};

/// How many topics of 4 kB an update has: all that it may have together.
const TOPICS: usize = 32;

/// Streams with as many matchers each, and the topics of an update.
struct Kind {
    name: &'static str,
    streams: u64,
    matchers: u64,
    parameter: &'static str,
    matcher: fn(u64) -> String,
    topics: fn() -> Vec<String>,
}

const KINDS: [Kind; 7] = [
    Kind {
        name: "one long chain",
        streams: 1,
        matchers: 1,
        parameter: "match_urlpattern",
        matcher: chain,
        topics: long,
    },
    Kind {
        name: "different long chains",
        streams: 20,
        matchers: 1,
        parameter: "match_urlpattern",
        matcher: chain,
        topics: long,
    },
    Kind {
        name: "optional letters",
        streams: 1,
        matchers: 1,
        parameter: "match_urlpattern",
        matcher: |_| "https://e.example/((?:a?){240}[b-z])".to_owned(),
        topics: long,
    },
    Kind {
        name: "patterns of runs",
        streams: 10_000,
        matchers: 1,
        parameter: "match_urlpattern",
        matcher: |stream| format!("https://e.example/:a\\?{stream}*"),
        topics: long,
    },
    Kind {
        name: "templates of many",
        streams: 20,
        matchers: 1,
        parameter: "topic",
        matcher: |stream| format!("https://e.example/{{+a{}}}{stream}", ",a".repeat(1_300)),
        topics: long,
    },
    Kind {
        name: "exploded templates",
        streams: 1_000,
        matchers: 1,
        parameter: "topic",
        matcher: |stream| format!("https://e.example/a{{a*}}{{/b*}}{{c*}}{{d*}}{stream}"),
        topics: long,
    },
    Kind {
        name: "many short topics",
        streams: 187,
        matchers: 200,
        parameter: "match_urlpattern",
        matcher: |number| format!("https://e.example/:a\\?{number:06}*"),
        topics: short,
    },
];

/// As long as topics may be.
fn long() -> Vec<String> {
    let topic = |number| format!("https://e.example/{}{number}", "a".repeat(4_000));
    (0..TOPICS).map(topic).collect()
}

/// As many as there may be.
fn short() -> Vec<String> {
    (0..1_000).map(|number| format!("https://e.example/a{number}")).collect()
}

/// Nearly as many steps as a subscriber may have, and all of them are reached.
fn chain(stream: u64) -> String {
    format!("https://e.example/([a-z]*a[a-z]{{{}}}[b-z][a-z0-9]*)", 490 - stream)
}

fn main() {
    println!(
        "{TOPICS} topics of 4 kB, or 1,000 short ones: how long a live update, the longest page that it left to a"
    );
    println!("replay, and a page of a stream that resumes hold up the holder\n");
    let config = config();
    for kind in &KINDS {
        let mut log = MemoryLog::default();
        let update = update(1, (kind.topics)().join("\n"), "a message".to_owned());
        let position = log.append(Arc::clone(&update), NOW);

        let mut crowd = holder(&config);
        for stream in 0..kind.streams {
            open(&mut crowd, stream, subscribe(&kind.query(stream), None, &config));
        }
        let start = Instant::now();
        crowd.handle_appended(&[Appended { position, update }], NOW);
        let live = start.elapsed();
        let (left, pages) = replay(&mut crowd, &log);

        let mut one = holder(&config);
        resume(&mut one, &kind.query(0), &config, &log);
        let (page, _) = replay(&mut one, &log);
        println!(
            "{:24}{:>7} streams  live {live:>10.2?}  {pages:>5} left to a replay {left:>10.2?}  resuming {page:>10.2?}",
            kind.name, kind.streams
        );
    }
}

/// Answers all pages that are asked for. Returns how long the longest took, and how many there were.
fn replay(holder: &mut Holder, log: &MemoryLog) -> (Duration, usize) {
    let (mut longest, mut pages) = (Duration::ZERO, 0);
    loop {
        while holder.poll_output().is_some() {}
        let Some((fetch, subscription)) = holder.poll_fetch() else { return (longest, pages) };
        let start = Instant::now();
        holder.handle_page(fetch.stream, &log.page(&fetch, &subscription), NOW);
        longest = longest.max(start.elapsed());
        pages += 1;
    }
}

impl Kind {
    fn query(&self, stream: u64) -> String {
        let matchers = (0..self.matchers).map(|number| {
            let text = (self.matcher)(stream * self.matchers + number);
            format!("{}={}", self.parameter, utf8_percent_encode(&text, NON_ALPHANUMERIC))
        });
        matchers.collect::<Vec<_>>().join("&")
    }
}

/// Opens a stream that reads the log from its beginning on.
fn resume(holder: &mut Holder, query: &str, config: &Config, log: &MemoryLog) {
    let subscribe = subscribe(&format!("{query}&last_event_id=earliest"), None, config);
    let (stream, end) = (StreamId::new(0), Place { position: log.end(), since: NOW });
    holder.handle_reached(end);
    holder.handle_subscribe(stream, subscribe, end, NOW);
    while let Some(Output::Locate { location, .. }) = holder.poll_output() {
        holder.handle_located(stream, &log.locate(&location), NOW);
    }
    take(holder);
}
