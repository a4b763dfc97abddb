//! Matchers before a blank line, topics after it: what each matcher selects, asked in every
//! possible way.

use cinnabar_core::{Answer, StreamId, Subscribe};

use super::hub::{self, OPEN, Watched};

/// Most matchers and topics in one input: more would be slow, and find nothing more.
const MOST: usize = 8;

/// The names for a kind of matcher, and what is known about it.
pub(crate) struct Kind {
    /// The parameter of a subscription.
    pub(crate) parameter: &'static str,
    /// A token that grants reading what a matcher selects.
    pub(crate) grant: fn(&str) -> String,
    /// What is known about a matcher and a topic in advance.
    pub(crate) expected: fn(&str, &str) -> Option<bool>,
}

/// A matcher, and the streams that it opened.
struct Opened<'a> {
    matcher: &'a str,
    asks: StreamId,
    /// A stream that asks for every topic, and may read what the matcher selects.
    reads: Option<StreamId>,
}

impl Kind {
    pub(crate) fn run(&self, bytes: &[u8]) {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        let (matchers, topics) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut hub = Watched::new();
        let mut opened = Vec::new();
        for matcher in matchers.split('\n').take(MOST).filter(|matcher| !matcher.is_empty()) {
            let query = format!("{}={}", self.parameter, hub::encoded(matcher));
            let granted = hub::subscribe("match=*", Some(&(self.grant)(matcher)), &OPEN);
            let Some(asked) = granted_or(hub::subscribe(&query, None, &OPEN), 400) else {
                assert!(granted.is_err(), "granted, and no matcher: {matcher:?}");
                continue;
            };
            let asks = hub.open(asked);
            let reads = granted_or(granted, 401).map(|granted| hub.open(granted));
            opened.push(Opened { matcher, asks, reads });
        }
        for topic in topics.split('\n').take(MOST) {
            self.select(&mut hub, &opened, topic);
        }
        for stream in opened.iter().flat_map(|opened| [Some(opened.asks), opened.reads]).flatten() {
            hub.holder.handle_gone(stream);
        }
        assert_eq!((hub.holder.streams(), hub.holder.poll_timeout()), (0, None));
        for topic in topics.split('\n').take(MOST) {
            if let Some(update) = hub::update(topic, false) {
                assert!(hub.append(update).0.is_empty(), "selected for a stream that is gone");
            }
        }
    }

    fn select(&self, hub: &mut Watched, opened: &[Opened<'_>], topic: &str) {
        let Some(public) = hub::update(topic, false) else { return };
        let Some(private) = hub::update(topic, true) else { return };
        let (got_public, _) = hub.append(public.clone());
        let (got_private, _) = hub.append(private.clone());
        let (public, private) = (public.store(), private.store());
        for Opened { matcher, asks, reads } in opened {
            let selected = got_public.contains(asks);
            if let Some(expected) = (self.expected)(matcher, topic) {
                assert_eq!(selected, expected, "{matcher:?} and {topic:?}");
            }
            // The index selects what trying each matcher selects.
            let is_selected = hub.holder.subscription(*asks).unwrap().selects(&public);
            assert_eq!(is_selected, selected, "{matcher:?} and {topic:?}");
            assert!(!got_private.contains(asks), "private, and read by anybody: {topic:?}");
            if let Some(reads) = reads {
                assert!(got_public.contains(reads));
                // A matcher grants what it selects.
                assert_eq!(got_private.contains(reads), selected, "{matcher:?} and {topic:?}");
                let is_read = hub.holder.subscription(*reads).unwrap().selects(&private);
                assert_eq!(is_read, selected);
            }
        }
    }
}

/// What was admitted, or `None` if it was refused with this status.
fn granted_or(admitted: Result<Subscribe, Box<Answer>>, status: u16) -> Option<Subscribe> {
    match admitted {
        Ok(subscribe) => Some(subscribe),
        Err(answer) => {
            assert_eq!(answer.response.status(), status, "{answer:?}");
            None
        }
    }
}
