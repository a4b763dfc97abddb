//! How streams begin, continue and end.

use super::Holder;
use crate::streams::output::Output;
use crate::streams::stream_id::StreamId;
use crate::terms::cursor::Place;
use crate::time::Timestamp;

impl Holder {
    /// Begins a stream's response, at a place in the log.
    pub(super) fn open(
        &mut self,
        stream: StreamId,
        resumed: Option<&str>,
        cursor: Place,
        now: Timestamp,
    ) {
        let Some(session) = self.sessions.get_mut(&stream) else { return };
        let greeting = session.open(cursor, &self.key, now);
        let response = session.subscribe.opened(resumed);
        self.outputs.push_back(Output::Open { stream, response });
        self.write(vec![stream], greeting, now);
        self.schedule(stream, now);
        self.advance(stream, now);
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

    /// Tells a native reader its position, and ends a stream that has no more to say.
    pub(super) fn say_farewell(&mut self, stream: StreamId, now: Timestamp) {
        let Some(session) = self.sessions.get_mut(&stream) else { return };
        let opened = session.locating().is_none();
        let words = if opened { session.say_farewell(&self.key, self.reached, now) } else { None };
        match words {
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
        let output = match (session.locating(), session.subscribe.expired(now)) {
            (Some(_), Some(answer)) => Output::Answer { stream, answer },
            (Some(_), None) => return self.handle_failure(stream),
            (None, _) if session.outbox.is_empty() => Output::Close { stream },
            (None, _) => Output::Cut { stream },
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
        self.outputs.push_back(output);
    }

    pub(super) fn forget(&mut self, stream: StreamId) {
        if let Some(mut session) = self.sessions.remove(&stream) {
            self.waiters.leave(stream, &session.outbox);
            session.outbox.drop_all(&mut self.waiting);
            let subscribe = &session.subscribe;
            self.index.remove(stream, &subscribe.matchers, &subscribe.hub);
            self.matchers_size -= subscribe.size();
            self.wakes.remove(stream);
        }
    }

    /// Schedules the next look at a stream, for when something is due.
    pub(super) fn schedule(&mut self, stream: StreamId, now: Timestamp) {
        if let Some(session) = self.sessions.get(&stream) {
            self.wakes.set(stream, session.wakes(&self.pace, now));
        }
    }
}
