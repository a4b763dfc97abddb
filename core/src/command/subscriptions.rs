//! Subscriptions that begin or end together, and what a holder has noted of them.

use std::sync::Arc;

use crate::command::presence::Presence;
use crate::command::subscribe::Subscribe;
use crate::terms::event_id::EventId;
use crate::terms::subscription::ActiveSubscription;

/// What a subscription takes besides the texts of its matcher and payload.
const ROOM: usize = 1024;

/// Subscriptions that begin or end together. A stream may have hundreds, and a payload for each, so
/// they are made when they are asked for. A clone is as cheap as the stream's.
#[derive(Clone, Debug)]
pub struct Subscriptions(Kept);

#[derive(Clone, Debug)]
enum Kept {
    OfStream(Arc<Subscribe>),
    Found(Arc<[ActiveSubscription]>),
}

impl Subscriptions {
    /// Those of a stream.
    pub(crate) fn of(subscribe: &Arc<Subscribe>) -> Self {
        Self(Kept::OfStream(Arc::clone(subscribe)))
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = ActiveSubscription> {
        let (of_stream, found) = match &self.0 {
            Kept::OfStream(subscribe) => {
                let presence = subscribe.presence.as_ref();
                (presence.map(|it| it.subscriptions(subscribe.hub.path())), None)
            }
            Kept::Found(found) => (None, Some(found.iter().cloned())),
        };
        of_stream.into_iter().flatten().chain(found.into_iter().flatten())
    }

    /// The one subscriber whose they are; `None` if they may be several's.
    pub(crate) fn subscriber(&self) -> Option<EventId> {
        match &self.0 {
            Kept::OfStream(subscribe) => subscribe.presence.as_ref().map(Presence::subscriber),
            Kept::Found(_) => None,
        }
    }

    /// Roughly how many bytes their events and records take.
    #[must_use]
    pub fn size(&self) -> usize {
        // A matcher is in a record once, and encoded in two topics and an id.
        let of = |matcher: &str| ROOM + 10 * matcher.len();
        match &self.0 {
            Kept::OfStream(subscribe) => {
                subscribe.presence.iter().map(|presence| presence.told_size(of)).sum()
            }
            Kept::Found(found) => {
                let payload = |one: &ActiveSubscription| {
                    one.payload.as_ref().map_or(0, |payload| 2 * payload.to_string().len())
                };
                found.iter().map(|one| of(&one.matcher) + payload(one)).sum()
            }
        }
    }
}

impl From<Vec<ActiveSubscription>> for Subscriptions {
    fn from(found: Vec<ActiveSubscription>) -> Self {
        Self(Kept::Found(found.into()))
    }
}
