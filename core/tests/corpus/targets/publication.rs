//! `publication`: the body of a POST, as any publisher may send it.

use std::sync::LazyLock;

use cinnabar_core::{Config, Update};

use super::event::{self, Event, Written};
use super::hub::{self, OPEN, PUBLISHES_ALL, READS_ALL, Watched};

/// A hub that works as in the protocol's first years.
static TARGETED: LazyLock<Config> = LazyLock::new(|| hub::config(&[("TARGETS", "1")]));

pub(crate) fn run(body: &[u8]) {
    for (config, has_targets) in [(&*OPEN, false), (&*TARGETED, true)] {
        match hub::publish(body, &PUBLISHES_ALL, config) {
            Ok(update) => {
                is_what_was_sent(&update, body, has_targets);
                check(&update);
            }
            Err(answer) => assert!(matches!(answer.response.status().as_u16(), 400 | 413)),
        }
    }
}

/// Decoded by an independent crate, which turns invalid UTF-8 into U+FFFD; the hub refuses that.
fn is_what_was_sent(update: &Update, body: &[u8], has_targets: bool) {
    let pairs: Vec<_> = url::form_urlencoded::parse(body).collect();
    let all = |name: &'static str| {
        pairs.iter().filter(move |(key, _)| key == name).map(|(_, value)| &**value)
    };
    let stored = update.store();
    assert_eq!(stored.data, all("data").next().unwrap_or_default());
    assert_eq!(stored.event_type.as_deref(), all("type").next().filter(|name| !name.is_empty()));
    let retry = all("retry").next().filter(|digits| !digits.is_empty());
    assert_eq!(stored.retry, retry.map(|digits| digits.parse().expect("it was read")));
    let once = |names: &[&str]| {
        let mut once: Vec<&str> = Vec::new();
        for (name, text) in &pairs {
            if names.contains(&&**name) && !text.is_empty() && !once.contains(&&**text) {
                once.push(text);
            }
        }
        once.join("\n")
    };
    let targets = if has_targets { once(&["target", "target[]"]) } else { String::new() };
    let is_private = all("private").chain(all("private[]")).next().is_some();
    assert_eq!(stored.private, is_private || !targets.is_empty());
    assert_eq!(stored.topics, once(&["topic"]));
    assert_eq!(stored.targets, targets);
    match all("id").next() {
        Some(id) if !id.is_empty() && id.trim_matches(' ') == id => assert_eq!(stored.id, id),
        _ => assert!(stored.id.starts_with("urn:uuid:")),
    }
}

/// An admitted update is one event of a stream, and comes back from a log unchanged.
pub(crate) fn check(update: &Update) {
    assert_eq!(Update::restore(update.store()).store(), update.store());
    let names = [update.id().as_str(), update.store().event_type.as_deref().unwrap_or("")]
        .map(str::to_owned)
        .into_iter()
        .chain(update.topics().iter().map(|topic| topic.as_str().to_owned()));
    for name in names {
        assert!(!name.chars().any(char::is_control), "{name:?}");
    }
    assert!(update.topics().iter().all(|topic| topic.as_str() != "*"));
    assert!(update.id().as_str() != "earliest");

    let mut hub = Watched::new();
    let anonymous = hub.open(hub::subscribe("match=*", None, &OPEN).expect("a subscription"));
    let entitled =
        hub.open(hub::subscribe("match=*", Some(&READS_ALL), &OPEN).expect("a subscription"));
    let (readers, bytes) = hub.append(update.clone());
    let expected = if update.is_private() { vec![entitled] } else { vec![anonymous, entitled] };
    assert_eq!(readers, expected);
    let event = Event {
        event_type: update.store().event_type,
        // None makes readers come back without a pause.
        retry: update.store().retry.map(|retry| retry.max(1_000)),
        id: update.id().as_str().to_owned(),
        // A receiver joins lines with LF, however they ended.
        data: update.data().replace("\r\n", "\n").replace('\r', "\n"),
    };
    assert_ne!(event.event_type.as_deref(), Some("mercure"));
    assert_eq!(event::read(&bytes.expect("somebody reads it")), [Written::Update(event)]);
}
