//! Who is here: how streams with presence are registered before they begin, and how others learn
//! that they have ended.

use std::collections::BTreeSet;

use super::Holder;
use crate::command::presence::Presence;
use crate::command::subscriptions::Subscriptions;
use crate::streams::history::Appended;
use crate::streams::output::Output;
use crate::streams::stream_id::StreamId;
use crate::terms::cursor::Place;
use crate::terms::event_id::EventId;
use crate::terms::subscription::ActiveSubscription;
use crate::time::Timestamp;

impl Holder {
    /// The subscriptions of a stream are in the log. A shell whose log hands appended updates to the
    /// holder soon, as most do, need not say so: their first event tells.
    pub fn handle_registered(&mut self, stream: StreamId, now: Timestamp) {
        self.handle_timeout(now);
        let Some(subscriptions) = self.registrations.remove(stream) else { return };
        match self.sessions.get(&stream).and_then(|session| session.registering()) {
            // Its first event is still to be handed over: it hears that, and has nothing to catch up on.
            Some(place) => self.begin(stream, place.advanced_to(self.reached), now),
            None => self.outputs.push(Output::Unregister { subscriptions }),
        }
    }

    /// Those of these active subscriptions that no stream held here has. What a log calls active and
    /// nobody holds has ended: its holder was killed before it could say so.
    #[must_use]
    pub fn absent(&self, mut found: Vec<ActiveSubscription>) -> Vec<ActiveSubscription> {
        let sessions = self.sessions.values();
        let held = sessions.filter_map(|session| session.subscribe.presence.as_ref());
        let held = held.map(Presence::subscriber);
        // Streams that have ended while they registered, among others.
        let registering = self.registrations.subscribers();
        let here: BTreeSet<EventId> = held.chain(registering).collect();
        found.retain(|one| !here.contains(&EventId::restored(one.subscriber())));
        found
    }

    /// Asks for a stream's subscriptions to be registered. It begins when that is done.
    pub(super) fn register(&mut self, stream: StreamId) {
        let Some(session) = self.sessions.get(&stream) else { return };
        let Some(presence) = &session.subscribe.presence else { return };
        let (event, all) = (presence.first_event(), Subscriptions::of(&session.subscribe));
        self.registrations.insert(stream, event, all.clone());
        self.outputs.push(Output::Register { stream, subscriptions: all });
    }

    /// Has a stream begin whose first event this is. Nothing before it is for the stream, unless its
    /// reader resumes; what follows is handed over next. `before` is the holder's place before it.
    pub(super) fn greet_arrival(&mut self, appended: &Appended, before: Place, now: Timestamp) {
        // A publisher cannot have guessed the id.
        let Some(stream) = self.registrations.waiting_for(appended.update.id()) else { return };
        let Some(subscriptions) = self.registrations.remove(stream) else { return };
        let place = Place { position: appended.position.back(1), ..before };
        match self.sessions.get(&stream) {
            None => self.outputs.push(Output::Unregister { subscriptions }),
            Some(session) if session.subscribe.cursor.is_some() => self.begin(stream, place, now),
            Some(_) => self.join(stream, place, now),
        }
    }
}
