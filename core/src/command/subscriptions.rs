//! Subscriptions that begin or end together, and what a holder has noted of them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::command::presence::Presence;
use crate::command::subscribe::Subscribe;
use crate::terms::event_id::EventId;
use crate::terms::hub_url::HubUrl;
use crate::terms::subscription::{ActiveSubscription, records};

/// What a subscription takes besides the texts of its matcher and payload.
const ROOM: usize = 1024;

/// Subscriptions that begin or end together. A stream may have hundreds, and a payload for each, so
/// they are made when they are asked for. A clone is as cheap as the stream's.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(into = "Sent", from = "Sent")]
pub struct Subscriptions(Kept);

#[derive(Clone, Debug)]
enum Kept {
    OfStream(Arc<Subscribe>),
    /// Those of a stream that is held elsewhere, on this hub.
    OfSubscriber(Arc<(HubUrl, Presence)>),
    Found(Arc<[ActiveSubscription]>),
}

/// Subscriptions on their way from a holder to the log: of a stream, no more than what is told.
#[derive(Serialize, Deserialize)]
enum Sent {
    OfSubscriber(Arc<(HubUrl, Presence)>),
    #[serde(with = "records")]
    Found(Vec<ActiveSubscription>),
}

impl Subscriptions {
    /// Those of a stream.
    pub(crate) fn of(subscribe: &Arc<Subscribe>) -> Self {
        Self(Kept::OfStream(Arc::clone(subscribe)))
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = ActiveSubscription> {
        let found = match &self.0 {
            Kept::Found(found) => Some(found.iter().cloned()),
            Kept::OfStream(_) | Kept::OfSubscriber(_) => None,
        };
        let told = self.told().map(|(hub, presence)| presence.subscriptions(hub.path()));
        told.into_iter().flatten().chain(found.into_iter().flatten())
    }

    /// What is told of a stream, on which hub.
    fn told(&self) -> Option<(&HubUrl, &Presence)> {
        match &self.0 {
            Kept::OfStream(subscribe) => Some((&subscribe.hub, subscribe.presence.as_ref()?)),
            Kept::OfSubscriber(told) => Some((&told.0, &told.1)),
            Kept::Found(_) => None,
        }
    }

    /// The one subscriber whose they are; `None` if they may be several's.
    pub(crate) fn subscriber(&self) -> Option<EventId> {
        self.told().map(|(_, presence)| presence.subscriber())
    }

    /// Roughly how many bytes their events and records take.
    #[must_use]
    pub fn size(&self) -> usize {
        // A matcher is in a record once, and encoded in two topics and an id.
        let of = |matcher: &str| ROOM + 10 * matcher.len();
        match &self.0 {
            Kept::OfStream(_) | Kept::OfSubscriber(_) => {
                self.told().map_or(0, |(_, presence)| presence.told_size(of))
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

impl From<Subscriptions> for Sent {
    fn from(subscriptions: Subscriptions) -> Self {
        match subscriptions.0 {
            Kept::OfSubscriber(told) => Self::OfSubscriber(told),
            Kept::Found(found) => Self::Found(found.to_vec()),
            Kept::OfStream(subscribe) => match &subscribe.presence {
                Some(presence) => {
                    Self::OfSubscriber(Arc::new((subscribe.hub.clone(), presence.clone())))
                }
                None => Self::Found(Vec::new()),
            },
        }
    }
}

impl From<Sent> for Subscriptions {
    fn from(sent: Sent) -> Self {
        match sent {
            Sent::OfSubscriber(told) => Self(Kept::OfSubscriber(told)),
            Sent::Found(found) => found.into(),
        }
    }
}
