//! What the hub says of active subscriptions, in JSON: the content of their events, and the
//! documents of the subscription API.
//!
//! | | draft-08 | 0.x |
//! |---|---|---|
//! | one | `type`, `match_type`, `match` | JSON-LD: `@context`, `type`, `topic` |
//! | several | the cursor is in the `Link` field | the cursor is `lastEventID` |

use serde::Serialize;
use serde_json::Value;

use crate::terms::event_id::{EARLIEST, EventId};
use crate::terms::generation::Generation;
use crate::terms::subscription::{ActiveSubscription, MatchType};

/// The vocabulary of the 0.x documents.
const CONTEXT: &str = "https://mercure.rocks/";

/// One subscription (draft-08, "Subscription Events").
#[derive(Serialize)]
struct One<'a> {
    #[serde(rename = "@context", skip_serializing_if = "Option::is_none")]
    context: Option<&'static str>,
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    match_type: Option<&'static str>,
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    matcher: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<&'a str>,
    subscriber: &'a str,
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a Value>,
    #[serde(rename = "lastEventID", skip_serializing_if = "Option::is_none")]
    last_event_id: Option<&'a str>,
}

/// Several (draft-08, "Subscription API").
#[derive(Serialize)]
struct Several<'a> {
    #[serde(rename = "@context", skip_serializing_if = "Option::is_none")]
    context: Option<&'static str>,
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "lastEventID", skip_serializing_if = "Option::is_none")]
    last_event_id: Option<&'a str>,
    subscriptions: Vec<One<'a>>,
}

impl<'a> One<'a> {
    fn new(subscription: &'a ActiveSubscription, active: bool) -> Self {
        static NO_PAYLOAD: std::sync::LazyLock<Value> =
            std::sync::LazyLock::new(|| Value::Object(serde_json::Map::new()));
        let ActiveSubscription { topic, match_type, matcher, subscriber, payload, .. } =
            subscription;
        let is_v0 = *match_type == MatchType::Selector;
        Self {
            context: is_v0.then_some(CONTEXT),
            id: topic,
            kind: if is_v0 { "Subscription" } else { "subscription" },
            match_type: match_type.name(),
            matcher: (!is_v0).then_some(matcher),
            topic: is_v0.then_some(matcher),
            subscriber,
            active,
            // A client of 0.x hubs expects an object.
            payload: payload.as_ref().or_else(|| is_v0.then(|| &*NO_PAYLOAD)),
            last_event_id: None,
        }
    }

    /// As the API shows it. Clients of 0.x hubs read the cursor of every document, and one expects
    /// it even in those of a collection.
    fn listed(subscription: &'a ActiveSubscription, newest: &'a str) -> Self {
        let is_v0 = subscription.match_type == MatchType::Selector;
        Self { last_event_id: is_v0.then_some(newest), ..Self::new(subscription, true) }
    }
}

/// The content of an event.
pub(crate) fn event(subscription: &ActiveSubscription, active: bool) -> String {
    json(&One::new(subscription, active))
}

/// The document of one subscription, when this event was the newest.
pub(crate) fn one(subscription: &ActiveSubscription, newest: Option<&EventId>) -> String {
    json(&One::listed(subscription, cursor(newest)))
}

/// The document of several.
pub(crate) fn several(
    id: &str,
    generation: Generation,
    subscriptions: &[ActiveSubscription],
    newest: Option<&EventId>,
) -> String {
    let newest = cursor(newest);
    let is_v0 = generation == Generation::V0;
    json(&Several {
        context: is_v0.then_some(CONTEXT),
        id,
        kind: if is_v0 { "Subscriptions" } else { "subscriptions" },
        last_event_id: is_v0.then_some(newest),
        subscriptions: subscriptions.iter().map(|one| One::listed(one, newest)).collect(),
    })
}

/// draft-08, "Subscription API": `earliest` if nothing has been dispatched yet.
pub(crate) fn cursor(newest: Option<&EventId>) -> &str {
    newest.map_or(EARLIEST, EventId::as_str)
}

fn json(document: &impl Serialize) -> String {
    // It cannot fail: strings and JSON always serialize.
    serde_json::to_string(document).unwrap_or_default()
}
