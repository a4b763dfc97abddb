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

use std::sync::Arc;
use std::time::{Duration, Instant};

use cinnabar_core::testing::MemoryLog;
use cinnabar_core::{
    Admission, Appended, Command, Config, CursorKey, Holder, Output, Place, Platform, Request,
    Step, StoredUpdate, StreamId, Timestamp, Update, admit,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

const HUB: &str = "https://hub.example.com/.well-known/mercure";
const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// Patterns, as many streams with one each, and the letter that the topics repeat.
struct Kind {
    name: &'static str,
    streams: u64,
    query: fn(u64) -> (&'static str, String),
    topic: fn(usize) -> String,
}

fn long(number: usize, unit: &str) -> String {
    format!("https://e.example/{}{number:03}", unit.repeat(4_000 / unit.len()))
}

const KINDS: [Kind; 6] = [
    Kind {
        name: "one long chain",
        streams: 1,
        query: |_| {
            ("match_urlpattern", "https://e.example/([a-z]*a[a-z]{LONG}[b-z][a-z0-9]*)".into())
        },
        topic: |number| long(number, "a"),
    },
    Kind {
        name: "1,000 different chains",
        streams: 1_000,
        query: |stream| {
            (
                "match_urlpattern",
                format!("https://e.example/:n{stream}([a-z]*a[a-z]{{LONG}}[b-z][a-z0-9]*)")
                    .replace(&format!(":n{stream}"), &format!("{{x{stream}}}?")),
            )
        },
        topic: |number| long(number, "a"),
    },
    Kind {
        name: "one of optional letters",
        streams: 1,
        query: |_| ("match_urlpattern", "https://e.example/((?:a?){LONG}b)".into()),
        topic: |number| long(number, "a"),
    },
    Kind {
        name: "10,000 with a run each",
        streams: 10_000,
        query: |stream| ("match_urlpattern", format!("https://e.example/:a/{stream}:b")),
        topic: |number| long(number, "a"),
    },
    Kind {
        name: "1,000 templates of lists",
        streams: 1_000,
        query: |stream| ("topic", format!("https://e.example/{{+a,b,c*}}{{/d*,e}}{stream}")),
        topic: |number| long(number, "a"),
    },
    Kind {
        name: "1,000 exploded templates",
        streams: 1_000,
        query: |stream| ("topic", format!("https://e.example/{{a*}}{{b*}}{{c*}}{stream}")),
        topic: |number| long(number, "a"),
    },
];

fn main() {
    let topics = |count: usize, topic: fn(usize) -> String| -> Vec<String> {
        (0..count).map(topic).collect()
    };
    let count = std::env::var("TOPICS").ok().and_then(|text| text.parse().ok()).unwrap_or(32);
    let longest = std::env::var("LONG").unwrap_or_else(|_| "450".into());
    println!("{count} topics of 4 kB: live, then the longest page of a replay");
    for kind in &KINDS {
        let mut holder = Holder::new(&config(), CursorKey::from_bytes([5; 16]), Place::default());
        for stream in 0..kind.streams {
            let (parameter, text) = (kind.query)(stream);
            let text = text.replace("LONG", &longest);
            subscribe(&mut holder, stream, parameter, &text);
        }
        let mut log = MemoryLog::default();
        let topics = topics(count, kind.topic).join("\n");
        let update = Arc::new(update(topics));
        let position = log.append(Arc::clone(&update), NOW);
        let start = Instant::now();
        holder.handle_appended(&[Appended { position, update }], NOW);
        let live = start.elapsed();
        let (mut longest, mut pages) = (Duration::ZERO, 0);
        loop {
            while holder.poll_output().is_some() {}
            let Some((fetch, subscription)) = holder.poll_fetch() else { break };
            let start = Instant::now();
            holder.handle_page(fetch.stream, &log.page(&fetch, &subscription), NOW);
            longest = longest.max(start.elapsed());
            pages += 1;
        }
        // What one stream's page would take.
        let mut alone = Holder::new(&config(), CursorKey::from_bytes([5; 16]), Place::default());
        let (parameter, text) = (kind.query)(0);
        let text = text.replace("LONG", &std::env::var("LONG").unwrap_or_else(|_| "450".into()));
        resume(&mut alone, parameter, &text, &log);
        let (fetch, subscription) = alone.poll_fetch().unwrap();
        let start = Instant::now();
        let page = log.page(&fetch, &subscription);
        let page_time = start.elapsed();
        alone.handle_page(fetch.stream, &page, NOW);
        println!(
            "{:28}{:>5} streams {live:>12.2?}  {pages} pages, longest {longest:.2?}; alone {page_time:.2?}",
            kind.name,
            holder.streams()
        );
    }
}

fn resume(holder: &mut Holder, parameter: &str, text: &str, log: &MemoryLog) {
    let text = utf8_percent_encode(text, NON_ALPHANUMERIC);
    let url = format!("{HUB}?{parameter}={text}&last_event_id=earliest");
    let request = Request::new("GET", &url, []);
    let Step::Done(Admission::Forward(Command::Subscribe(subscribe))) =
        admit(&request, &config(), NOW, &[9; 32])
    else {
        panic!("not a subscription")
    };
    let end = Place { position: log.end(), since: NOW };
    holder.handle_reached(end);
    holder.handle_subscribe(StreamId::new(0), subscribe, end, NOW);
    while let Some(output) = holder.poll_output() {
        if let Output::Locate { stream, location } = &output {
            holder.handle_located(*stream, &log.locate(location), NOW);
        }
        if let Output::Write { streams, bytes } = output {
            for stream in streams {
                holder.handle_taken(stream, bytes.len(), NOW);
            }
        }
    }
}

fn subscribe(holder: &mut Holder, stream: u64, parameter: &str, text: &str) {
    let text = utf8_percent_encode(text, NON_ALPHANUMERIC);
    let request = Request::new("GET", &format!("{HUB}?{parameter}={text}"), []);
    let subscribe = match admit(&request, &config(), NOW, &[9; 32]) {
        Step::Done(Admission::Forward(Command::Subscribe(subscribe))) => subscribe,
        other => panic!("not a subscription: {other:?}"),
    };
    holder.handle_subscribe(StreamId::new(stream), subscribe, Place::default(), NOW);
    while let Some(output) = holder.poll_output() {
        if let Output::Write { streams, bytes } = output {
            for stream in streams {
                holder.handle_taken(stream, bytes.len(), NOW);
            }
        }
    }
}

fn config() -> Config {
    let variables = [
        ("HUB_URL", HUB),
        ("MERCURE_PUBLISHER_JWT_KEY", "a publisher's key of thirty-two bytes"),
        ("ANONYMOUS", "1"),
        ("MAX_STREAMS", "1000000"),
    ];
    let variables = variables.map(|(name, value)| (name.into(), value.into()));
    Config::read(&Platform::new("a benchmark"), variables).unwrap()
}

fn update(topics: String) -> Update {
    Update::restore(StoredUpdate {
        id: "urn:example:1".to_owned(),
        topics,
        targets: String::new(),
        data: "a message".to_owned(),
        private: false,
        event_type: None,
        retry: None,
    })
}
