//! How streams begin, continue and end.

use super::Holder;
use crate::command::subscriptions::Subscriptions;
use crate::streams::output::Output;
use crate::streams::resume::Horizon;
use crate::streams::stream_id::StreamId;
use crate::terms::cursor::Place;
use crate::time::Timestamp;

impl Holder {
    /// Has a stream begin here, or where its cursor is.
    pub(super) fn begin(&mut self, stream: StreamId, here: Place, now: Timestamp) {
        let horizon = Horizon { end: here, ..self.horizon() };
        let Some(session) = self.sessions.get(&stream) else { return };
        match session.subscribe.cursor.as_ref().map(|cursor| horizon.first(cursor)) {
            Some((question, location)) => {
                if let Some(session) = self.sessions.get_mut(&stream) {
                    session.ask(question);
                }
                self.schedule(stream, now);
                self.outputs.push(Output::Locate { stream, location });
            }
            None => self.open(stream, None, here, now),
        }
    }

    /// Begins a stream's response at a place in the log, live: it is offered whatever follows.
    pub(super) fn join(&mut self, stream: StreamId, place: Place, now: Timestamp) {
        self.greet(stream, None, place, now);
        if let Some(session) = self.sessions.get_mut(&stream) {
            session.join();
        }
    }

    /// Begins a stream's response, at a place in the log.
    pub(super) fn open(
        &mut self,
        stream: StreamId,
        resumed: Option<&str>,
        cursor: Place,
        now: Timestamp,
    ) {
        self.greet(stream, resumed, cursor, now);
        self.advance(stream, now);
    }

    fn greet(&mut self, stream: StreamId, resumed: Option<&str>, cursor: Place, now: Timestamp) {
        let Some(session) = self.sessions.get_mut(&stream) else { return };
        let greeting = session.open(cursor, &self.key, now);
        let response = session.subscribe.opened(resumed);
        self.outputs.push(Output::Open { stream, response });
        self.write(vec![stream], greeting, now);
        self.schedule(stream, now);
    }

    /// Lets a stream that is catching up take its next step.
    pub(super) fn advance(&mut self, stream: StreamId, now: Timestamp) {
        let Some(session) = self.sessions.get_mut(&stream) else { return };
        if session.advance(self.reached.position, now) {
            self.fetching.push_back(stream);
        } else if session.is_ending(now) {
            self.schedule(stream, now);
        }
    }

    /// Has a stream say its last words, and ends one that has no more to say.
    pub(super) fn say_farewell(&mut self, stream: StreamId, now: Timestamp) {
        let Some(session) = self.sessions.get_mut(&stream) else { return };
        match session.say_farewell(&self.key, self.reached, now) {
            Some(words) => {
                self.write(vec![stream], words, now);
                self.schedule(stream, now);
            }
            None => self.finish(stream, now),
        }
    }

    /// Ends a stream whose time is up.
    pub(super) fn finish(&mut self, stream: StreamId, now: Timestamp) {
        let Some(session) = self.sessions.get(&stream) else { return };
        let is_clean = session.outbox.is_empty() && !session.ends_with_a_cut();
        if is_clean && session.has_begun() {
            self.end(stream, Output::Close { stream });
        } else {
            self.fail(stream, now);
        }
    }

    /// Ends a stream at once; one that has not begun gets an answer.
    pub(super) fn fail(&mut self, stream: StreamId, now: Timestamp) {
        let Some(session) = self.sessions.get(&stream) else { return };
        let output = match session.has_begun() {
            false => Output::Answer { stream, answer: session.subscribe.unavailable(now) },
            true => Output::Cut { stream },
        };
        self.end(stream, output);
    }

    pub(super) fn tell_position(&mut self, stream: StreamId, now: Timestamp) {
        let Some(session) = self.sessions.get_mut(&stream) else { return };
        let event = session.tell_position(&self.key, self.reached, now);
        self.write(vec![stream], event, now);
    }

    pub(super) fn end(&mut self, stream: StreamId, output: Output) {
        self.forget(stream);
        self.outputs.push(output);
    }

    pub(super) fn forget(&mut self, stream: StreamId) {
        if let Some(mut session) = self.sessions.remove(&stream) {
            self.waiters.leave(stream, &session.outbox);
            session.outbox.drop_all(&mut self.waiting);
            let subscribe = &session.subscribe;
            self.index.remove(stream, &subscribe.matchers, &subscribe.hub);
            self.matchers_size -= subscribe.size();
            self.tally.leave(&subscribe.quotas);
            self.wakes.remove(stream);
            // One that is still on its way to the log ends when it has arrived there.
            if session.registering().is_none() && session.subscribe.presence.is_some() {
                let subscriptions = Subscriptions::of(&session.subscribe);
                self.outputs.push(Output::Unregister { subscriptions });
            }
        }
    }

    /// Schedules the next look at a stream, for when something is due.
    pub(super) fn schedule(&mut self, stream: StreamId, now: Timestamp) {
        if let Some(session) = self.sessions.get(&stream) {
            self.wakes.set(stream, session.wakes(&self.pace, now));
        }
    }
}
