//! Who gets which bytes, and who is cut when too many bytes wait.

use bytes::Bytes;

use super::Holder;
use crate::matching::subject::Subject;
use crate::streams::history::Appended;
use crate::streams::output::Output;
use crate::streams::stream_id::StreamId;
use crate::time::Timestamp;

impl Holder {
    /// Which live stream takes which of these updates, by its index: stream by stream, in order.
    pub(super) fn wanted(&self, appended: &[Appended]) -> Vec<(StreamId, usize)> {
        let mut wanted = Vec::new();
        for (index, appended) in appended.iter().enumerate() {
            let subject = Subject::of(&appended.update);
            let takes = |stream: &StreamId| {
                let session = self.sessions.get(stream);
                session.is_some_and(|session| session.takes_live(appended, &subject))
            };
            let selected = self.index.select(&subject).into_iter().filter(takes);
            wanted.extend(selected.map(|stream| (stream, index)));
        }
        // One update's are in order as they come.
        if appended.len() > 1 {
            wanted.sort_unstable();
        }
        wanted
    }

    /// Writes to those streams that still exist.
    pub(super) fn write(&mut self, mut streams: Vec<StreamId>, bytes: Bytes, now: Timestamp) {
        let chunk = self.waiting.chunk(bytes.len());
        let mut full = Vec::new();
        streams.retain(|stream| match self.sessions.get_mut(stream) {
            Some(session) => {
                session.outbox.push(chunk, now);
                self.waiters.enter(*stream, &session.outbox);
                session.wrote(now);
                if session.fills(bytes.len(), &self.pace, now) {
                    full.push(*stream);
                }
                true
            }
            None => false,
        });
        if !streams.is_empty() {
            self.waiting.keep(chunk, streams.len());
            self.outputs.push_back(Output::Write { streams, bytes });
            self.bound();
        }
        for stream in full {
            self.schedule(stream, now);
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
