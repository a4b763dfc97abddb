//! What the benchmarks share: a hub to which anybody may subscribe, its streams, and its updates.

use std::sync::Arc;

use cinnabar_core::{
    Admission, Command, Config, CursorKey, Holder, Output, Place, Platform, Request, Step,
    StoredUpdate, StreamId, Subscribe, Timestamp, Update, admit,
};

pub(crate) const HUB: &str = "https://hub.example.com/.well-known/mercure";
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// What publishers' and subscribers' tokens are signed with.
pub(crate) const KEY: &str = "a key of at least thirty-two bytes";

/// A hub with room for more streams than any benchmark opens.
pub(crate) fn config() -> Config {
    let variables = [
        ("HUB_URL", HUB),
        ("MERCURE_PUBLISHER_JWT_KEY", KEY),
        ("MERCURE_SUBSCRIBER_JWT_KEY", KEY),
        ("ANONYMOUS", "1"),
        ("MAX_STREAMS", "1000000"),
    ];
    let variables = variables.map(|(name, value)| (name.into(), value.into()));
    Config::read(&Platform::new("a benchmark"), variables).unwrap()
}

/// A holder without streams, over an empty log.
pub(crate) fn holder(config: &Config) -> Holder {
    Holder::new(config, CursorKey::from_bytes([5; 16]), Place::default())
}

/// A subscription with this query, from bytes to a command.
pub(crate) fn subscribe(query: &str, authorization: Option<&str>, config: &Config) -> Subscribe {
    let fields = authorization.map(|token| ("authorization", token.as_bytes()));
    match admit(&Request::new("GET", &format!("{HUB}?{query}"), fields), config, NOW, &[9; 32]) {
        Step::Done(Admission::Forward(Command::Subscribe(subscribe))) => subscribe,
        other => panic!("not a subscription: {other:?}"),
    }
}

/// Opens a stream that reads from now on.
pub(crate) fn open(holder: &mut Holder, stream: u64, subscribe: Subscribe) {
    let end = Place { position: holder.position(), since: NOW };
    holder.handle_subscribe(StreamId::new(stream), subscribe, end, NOW);
    take(holder);
}

/// Takes what was written, for all streams. Returns how many writes that were, one for each stream
/// and chunk.
pub(crate) fn take(holder: &mut Holder) -> u64 {
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

/// A public update with this number.
pub(crate) fn update(number: u64, topics: String, data: String) -> Arc<Update> {
    Arc::new(Update::restore(StoredUpdate {
        id: format!("urn:example:{number}"),
        topics,
        targets: String::new(),
        data,
        private: false,
        event_type: None,
        retry: None,
    }))
}
