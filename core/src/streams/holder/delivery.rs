//! Who gets which bytes, and who is cut when too many bytes wait.

use bytes::Bytes;

use super::Holder;
use crate::matching::subject::Subject;
use crate::streams::allowance::Allowance;
use crate::streams::history::Appended;
use crate::streams::outbox::Chunk;
use crate::streams::output::Output;
use crate::streams::stream_id::StreamId;
use crate::terms::cursor::Place;
use crate::time::Timestamp;

impl Holder {
    /// Writes an update to the live streams that want it. `before` is the holder's place before it,
    /// and before those that became durable with it.
    ///
    /// A stream that it does not fit falls behind. So does one of which it could not be told whether
    /// it wants it: it finds out by replaying. Those are returned.
    pub(super) fn offer(
        &mut self,
        appended: &Appended,
        before: Place,
        allowance: &mut Allowance,
        now: Timestamp,
    ) -> Vec<StreamId> {
        let update = &appended.update;
        let subject = Subject::of(update);
        let selection = self.index.select(&subject, allowance.share());
        let asking = subject.effort().spent();
        let granting = || subject.effort().spent() - asking;
        allowance.ask(asking);

        let mut undecided: Vec<StreamId> = selection.undecided.into_iter().collect();
        undecided.retain(|stream| {
            let session = self.sessions.get_mut(stream);
            session.is_some_and(|session| session.fall_behind(appended, before))
        });
        // Made for the first stream that takes it, and shared with the others.
        let mut frame: Option<(Bytes, Chunk)> = None;
        let mut full = Vec::new();
        let mut streams: Vec<StreamId> = selection.ids.into_iter().collect();
        streams.retain(|stream| {
            let Some(session) = self.sessions.get_mut(stream) else { return false };
            if !session.awaits(appended) {
                return false;
            }
            if update.is_private() && granting() >= allowance.granting() {
                if session.fall_behind(appended, before) {
                    undecided.push(*stream);
                }
                return false;
            }
            if !session.may_read(appended, &subject) {
                return false;
            }
            let (bytes, chunk) = frame.get_or_insert_with(|| {
                let bytes = self.pace.frame(update);
                let chunk = self.waiting.chunk(bytes.len());
                (bytes, chunk)
            });
            if !session.take_live(appended, bytes.len(), before, &self.pace, now) {
                return false;
            }
            if session.push(*chunk, &self.pace, now) {
                full.push(*stream);
            }
            self.waiters.enter(*stream, &session.outbox);
            true
        });
        allowance.grant(granting());
        if let Some((bytes, chunk)) = frame
            && !streams.is_empty()
        {
            self.waiting.keep(chunk, streams.len());
            self.outputs.push_update(streams, bytes);
        }
        self.after_write(&full, now);
        undecided
    }

    /// Writes to those streams that still exist.
    pub(super) fn write(&mut self, mut streams: Vec<StreamId>, bytes: Bytes, now: Timestamp) {
        let chunk = self.waiting.chunk(bytes.len());
        let mut full = Vec::new();
        streams.retain(|stream| {
            let Some(session) = self.sessions.get_mut(stream) else { return false };
            if session.push(chunk, &self.pace, now) {
                full.push(*stream);
            }
            self.waiters.enter(*stream, &session.outbox);
            true
        });
        if !streams.is_empty() {
            self.waiting.keep(chunk, streams.len());
            self.outputs.push(Output::Write { streams, bytes });
        }
        self.after_write(&full, now);
    }

    /// Bounds what waits after something was written, which filled the responses of some streams.
    fn after_write(&mut self, full: &[StreamId], now: Timestamp) {
        self.bound();
        for stream in full {
            self.schedule(*stream, now);
        }
    }

    /// Cuts the longest waiting streams until what all of them keep is within bounds.
    fn bound(&mut self) {
        while self.waiting.bytes() > self.outboxes_size {
            let sessions = &self.sessions;
            let outbox = |stream| sessions.get(&stream).map(|session| &session.outbox);
            let Some(stream) = self.waiters.longest(outbox) else { return };
            self.end(stream, Output::Cut { stream });
        }
    }
}
