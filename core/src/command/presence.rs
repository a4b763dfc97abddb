//! What a stream tells others of its subscriptions: when they begin, and when they end.
//!
//! All identifiers follow from one secret seed that is drawn when a subscriber is admitted. So the
//! holder of its stream needs no randomness, and nobody who sees one of them can guess another.

use std::fmt;

use aes::Aes128;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::terms::event_id::EventId;
use crate::terms::event_type::EventType;
use crate::terms::generation::Generation;
use crate::terms::subscription::{ActiveSubscription, MatchType, Scope};
use crate::terms::topic::Topic;
use crate::terms::update::Update;
use crate::wire::subscription;

/// The subscriptions of one stream: one for each of its matchers.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Presence {
    seed: [u8; 16],
    matchers: Vec<Given>,
    payloads: Vec<Value>,
}

/// A matcher as it was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Given {
    match_type: MatchType,
    text: Box<str>,
    /// Which of the payloads is its own.
    payload: Option<usize>,
}

/// What an identifier is of.
#[derive(Clone, Copy)]
enum Of {
    Subscriber = 0,
    Beginning = 1,
    End = 2,
}

impl Presence {
    /// The subscriptions of a stream with these matchers; `seed` is fresh random bytes.
    pub(crate) fn new(seed: [u8; 16]) -> Self {
        Self { seed, matchers: Vec::new(), payloads: Vec::new() }
    }

    /// Adds a matcher, and the payload that the token has for it.
    pub(crate) fn add(&mut self, match_type: MatchType, text: &str, payload: Option<&Value>) {
        let payload = payload.map(|payload| {
            let known = self.payloads.iter().position(|known| known == payload);
            known.unwrap_or_else(|| {
                self.payloads.push(payload.clone());
                self.payloads.len() - 1
            })
        });
        self.matchers.push(Given { match_type, text: text.into(), payload });
    }

    /// Roughly how many bytes it keeps.
    pub(crate) fn size(&self) -> usize {
        let texts = self.matchers.iter().map(|given| size_of::<Given>() + given.text.len());
        // A value takes some times its text.
        let payloads = self.payloads.iter().map(|payload| 4 * payload.to_string().len());
        texts.chain(payloads).sum()
    }

    /// Roughly how many bytes its events and records take, of which a matcher takes so many.
    pub(crate) fn told_size(&self, of: impl Fn(&str) -> usize) -> usize {
        let payloads: Vec<usize> =
            self.payloads.iter().map(|payload| 2 * payload.to_string().len()).collect();
        let payload = |given: &Given| given.payload.and_then(|index| payloads.get(index));
        self.matchers.iter().map(|given| of(&given.text) + payload(given).unwrap_or(&0)).sum()
    }

    /// The id of the first of its events.
    pub(crate) fn first_event(&self) -> EventId {
        EventId::from_random(self.random(Of::Beginning, 0))
    }

    /// The identifier of its subscriber.
    pub(crate) fn subscriber(&self) -> EventId {
        EventId::from_random(self.random(Of::Subscriber, 0))
    }

    /// Each of them, on a hub at this path.
    pub(crate) fn subscriptions(&self, hub_path: &str) -> impl Iterator<Item = ActiveSubscription> {
        let subscriber: Box<str> = self.subscriber().as_str().into();
        self.matchers.iter().zip(0..).map(move |(given, number)| {
            let Given { match_type, text, payload } = given;
            let scope = Scope::One(*match_type, text.clone(), subscriber.clone());
            ActiveSubscription {
                topic: scope.path(hub_path).into(),
                match_type: *match_type,
                matcher: text.clone(),
                subscriber: subscriber.clone(),
                payload: payload.and_then(|index| self.payloads.get(index).cloned()),
                begun: EventId::from_random(self.random(Of::Beginning, number)),
                ended: EventId::from_random(self.random(Of::End, number)),
            }
        })
    }

    /// One encrypted block: as good as random, without the seed.
    fn random(&self, of: Of, number: u32) -> [u8; 16] {
        let mut block = [0; 16];
        block[0] = of as u8;
        block[12..].copy_from_slice(&number.to_be_bytes());
        let mut block = Array::from(block);
        Aes128::new(&Array::from(self.seed)).encrypt_block(&mut block);
        block.into()
    }
}

impl fmt::Debug for Presence {
    /// Leaves out the seed, and all that comes from a query or a token.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Presence")
            .field("matchers", &self.matchers.len())
            .finish_non_exhaustive()
    }
}

impl ActiveSubscription {
    /// The event of its beginning.
    #[must_use]
    pub fn beginning(&self) -> Update {
        self.event(&self.begun, true)
    }

    /// The event of its end.
    #[must_use]
    pub fn end(&self) -> Update {
        self.event(&self.ended, false)
    }

    /// draft-08, "Subscription Events": private, and of the reserved type. Events of the 0.x protocol
    /// have no type, so that `onmessage` hears them.
    fn event(&self, id: &EventId, active: bool) -> Update {
        Update {
            id: id.clone(),
            topics: vec![Topic::restored(&self.topic)],
            targets: Vec::new(),
            data: subscription::event(self, active),
            private: true,
            event_type: match self.match_type.generation() {
                Generation::V0 => None,
                Generation::V1 => Some(EventType::of_hub()),
            },
            retry: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn subscriptions() -> Vec<ActiveSubscription> {
        let mut presence = Presence::new([7; 16]);
        presence.add(MatchType::Exact, "https://example.com/a", Some(&json!({"foo": "bar"})));
        presence.add(MatchType::Selector, "/books/{id}", None);
        presence.subscriptions("/hub").collect()
    }

    #[test]
    fn events_are_in_the_shape_of_their_generation() {
        let [exact, selector] = <[_; 2]>::try_from(subscriptions()).unwrap();
        let subscriber = exact.subscriber();
        let begun = exact.beginning().store();
        let topic = format!(
            "/hub/subscriptions/exact/https%3A%2F%2Fexample.com%2Fa/{}",
            subscriber.replace(':', "%3A")
        );
        assert_eq!((&*begun.topics, begun.private), (&*topic, true));
        assert_eq!(begun.event_type.as_deref(), Some("mercure"));
        let expected = json!({
            "id": topic, "type": "subscription", "match_type": "exact",
            "match": "https://example.com/a", "subscriber": subscriber, "active": true,
            "payload": {"foo": "bar"},
        });
        assert_eq!(serde_json::from_str::<Value>(&begun.data).unwrap(), expected);

        let ended = selector.end().store();
        let topic =
            format!("/hub/subscriptions/%2Fbooks%2F%7Bid%7D/{}", subscriber.replace(':', "%3A"));
        assert_eq!((&*ended.topics, ended.private, ended.event_type), (&*topic, true, None));
        let expected = json!({
            "@context": "https://mercure.rocks/", "id": topic, "type": "Subscription",
            "topic": "/books/{id}", "subscriber": subscriber, "active": false, "payload": {},
        });
        assert_eq!(serde_json::from_str::<Value>(&ended.data).unwrap(), expected);
    }

    #[test]
    fn no_two_identifiers_are_the_same() {
        let all = subscriptions();
        let mut ids: Vec<&str> =
            all.iter().flat_map(|it| [it.begun.as_str(), it.ended.as_str()]).collect();
        ids.push(all[0].subscriber());
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 5);
        assert!(ids.iter().all(|id| id.starts_with("urn:uuid:")));
        assert_eq!(all[0].subscriber(), all[1].subscriber());
    }
}
