//! Streams that wait until others can see them.
//!
//! A stream with presence begins only once the events of its beginning are durable, so whoever lists
//! who is here after its stream has opened finds itself. The log tells, by handing over the first of
//! those events like any update.

use std::collections::BTreeMap;

use crate::command::subscriptions::Subscriptions;
use crate::streams::stream_id::StreamId;
use crate::terms::event_id::EventId;

/// Streams whose subscriptions are on their way to the log. One may have ended meanwhile: then its
/// subscriptions end once they have begun.
#[derive(Debug, Default)]
pub(crate) struct Registrations {
    waiting: BTreeMap<StreamId, (EventId, Subscriptions)>,
    by_event: BTreeMap<EventId, StreamId>,
}

impl Registrations {
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The subscribers of those streams.
    pub(crate) fn subscribers(&self) -> impl Iterator<Item = EventId> {
        self.waiting.values().filter_map(|(_, subscriptions)| subscriptions.subscriber())
    }

    /// The subscriptions of a stream are on their way; this is the id of their first event.
    pub(crate) fn insert(&mut self, stream: StreamId, event: EventId, all: Subscriptions) {
        self.by_event.insert(event.clone(), stream);
        self.waiting.insert(stream, (event, all));
    }

    /// The stream that waits for this event.
    pub(crate) fn waiting_for(&self, event: &EventId) -> Option<StreamId> {
        self.by_event.get(event).copied()
    }

    /// A stream waits no longer. Returns its subscriptions, if it did.
    pub(crate) fn remove(&mut self, stream: StreamId) -> Option<Subscriptions> {
        let (event, subscriptions) = self.waiting.remove(&stream)?;
        self.by_event.remove(&event);
        Some(subscriptions)
    }
}
