//! Streams over a log in memory: how vectors see what a subscriber gets.

use std::sync::Arc;

use bytes::Bytes;
use cinnabar_core::testing::MemoryLog;
use cinnabar_core::{
    Appended, Config, CursorKey, Holder, Output, Place, Publish, StoredUpdate, StreamId, Subscribe,
    Timestamp, Update,
};
use serde::Deserialize;

use super::text::{self, Text};

/// An update, in the notation of the vectors.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateText {
    id: String,
    #[serde(default = "topic")]
    topics: Vec<String>,
    #[serde(default)]
    targets: Vec<String>,
    #[serde(default = "empty")]
    data: Text,
    #[serde(default)]
    private: bool,
    #[serde(rename = "type")]
    event_type: Option<String>,
    retry: Option<u32>,
}

fn topic() -> Vec<String> {
    vec!["https://example.com/a".to_owned()]
}

fn empty() -> Text {
    Text::Plain(String::new())
}

impl UpdateText {
    /// A public update of one topic, whose name is its id.
    pub(super) fn public(topic: &str) -> Self {
        Self {
            id: topic.to_owned(),
            topics: vec![topic.to_owned()],
            targets: Vec::new(),
            data: empty(),
            private: false,
            event_type: None,
            retry: None,
        }
    }

    /// The same, but private.
    pub(super) fn private(topic: &str) -> Self {
        Self { private: true, ..Self::public(topic) }
    }

    /// The update of an admitted publication.
    pub(super) fn of(publish: &Publish) -> Self {
        let StoredUpdate { id, topics, targets, data, private, event_type, retry } =
            publish.update().store();
        let (topics, targets) = (text::lines(&topics), text::lines(&targets));
        Self { id, topics, targets, data: Text::Plain(data), private, event_type, retry }
    }

    fn restore(&self) -> Arc<Update> {
        Arc::new(Update::restore(StoredUpdate {
            id: self.id.clone(),
            topics: self.topics.join("\n"),
            targets: self.targets.join("\n"),
            data: String::from_utf8(self.data.bytes()).expect("data is text"),
            private: self.private,
            event_type: self.event_type.clone(),
            retry: self.retry,
        }))
    }
}

/// What a subscriber saw.
pub(super) struct Seen {
    pub(super) response: http::Response<()>,
    /// The opening bytes.
    pub(super) opening: Bytes,
    /// What followed them.
    pub(super) writes: Vec<Bytes>,
    /// The last words, when the stream's time is up.
    pub(super) last_words: Vec<Bytes>,
    /// Whether it is then cut, which is no clean end.
    pub(super) cut: bool,
}

impl Seen {
    /// Everything that followed the opening bytes.
    pub(super) fn text(&self) -> String {
        String::from_utf8(self.writes.concat()).expect("event streams are UTF-8")
    }

    /// The ids of the updates, in order.
    pub(super) fn ids(&self) -> Vec<String> {
        let text = self.text();
        text.lines().filter_map(|line| line.strip_prefix("id: ")).map(str::to_owned).collect()
    }
}

/// Opens a stream over a log that holds `history`, publishes `live`, and then ends the stream.
pub(super) fn watch(
    subscribe: Subscribe,
    config: &Config,
    now: Timestamp,
    history: &[UpdateText],
    live: &[UpdateText],
) -> Seen {
    let stream = StreamId::new(1);
    let mut log = MemoryLog::default();
    for update in history {
        log.append(update.restore(), now);
    }
    let end = Place { position: log.end(), since: now };
    let mut holder = Holder::new(config, CursorKey::from_bytes([7; 16]), end);
    let mut response = None;
    let mut cut = None;
    let mut drain = |holder: &mut Holder, log: &MemoryLog, writes: &mut Vec<Bytes>| loop {
        while let Some(output) = holder.poll_output() {
            match output {
                Output::Open { response: head, .. } => response = Some(head),
                Output::Write { bytes, .. } => {
                    holder.handle_taken(stream, bytes.len(), now);
                    writes.push(bytes);
                }
                Output::Locate { location, .. } => {
                    holder.handle_located(stream, &log.locate(&location), now);
                }
                Output::Close { .. } => cut = Some(false),
                Output::Cut { .. } => cut = Some(true),
                Output::Answer { .. } | Output::Register { .. } | Output::Unregister { .. } => {
                    panic!("no stream, or one with presence: {output:?}")
                }
            }
        }
        let Some((fetch, subscription)) = holder.poll_fetch() else { break };
        holder.handle_page(stream, &log.page(&fetch, &subscription), now);
    };

    holder.handle_subscribe(stream, subscribe, end, now);
    let mut writes = Vec::new();
    drain(&mut holder, &log, &mut writes);
    for update in live {
        let update = update.restore();
        let position = log.append(Arc::clone(&update), now);
        holder.handle_appended(&[Appended { position, update }], now);
        drain(&mut holder, &log, &mut writes);
    }
    let opening = writes.remove(0);
    let mut last_words = Vec::new();
    holder.handle_shutdown(now);
    drain(&mut holder, &log, &mut last_words);
    Seen {
        response: response.expect("a stream that was opened"),
        opening,
        writes,
        last_words,
        cut: cut.expect("a stream that ended"),
    }
}
