//! Who gets which bytes, and who is cut when too many bytes wait.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::Holder;
use crate::limits::MAX_EFFORT;
use crate::matching::subject::Subject;
use crate::streams::history::Appended;
use crate::streams::output::Output;
use crate::streams::stream_id::StreamId;
use crate::time::Timestamp;

/// A live stream, and an update that it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wanted {
    pub(super) stream: StreamId,
    pub(super) index: usize,
    /// Whether it is known that the stream takes it.
    pub(super) is_certain: bool,
}

impl Holder {
    /// Which live stream takes which of these updates, by its index: stream by stream, in order.
    ///
    /// Telling that is bounded by [`MAX_EFFORT`], once for what was asked for and once for what is
    /// granted; each update has its share of what is left. The streams of which it could not be told
    /// find out by replaying, each in its turn, from there on.
    pub(super) fn wanted(&self, all: &[Appended]) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        let mut behind = BTreeSet::new();
        let (mut left, mut left_for_grants) = (MAX_EFFORT, MAX_EFFORT);
        for (index, appended) in all.iter().enumerate() {
            let subject = Subject::of(&appended.update);
            let selection = self.index.select(&subject, left / (all.len() - index));
            let selecting = subject.effort().spent();
            left = left.saturating_sub(selecting);
            let awaits = |stream: &StreamId| {
                let session = self.sessions.get(stream);
                session.filter(|session| session.awaits(appended))
            };
            for stream in selection.undecided {
                if !behind.contains(&stream) && awaits(&stream).is_some() {
                    behind.insert(stream);
                    wanted.push(Wanted { stream, index, is_certain: false });
                }
            }
            for stream in selection.ids {
                if behind.contains(&stream) {
                    continue;
                }
                let Some(session) = awaits(&stream) else { continue };
                let granting = subject.effort().spent() - selecting;
                let is_certain = !appended.update.is_private() || granting < left_for_grants;
                if !is_certain {
                    behind.insert(stream);
                }
                if !is_certain || session.may_read(appended, &subject) {
                    wanted.push(Wanted { stream, index, is_certain });
                }
            }
            let granting = subject.effort().spent() - selecting;
            left_for_grants = left_for_grants.saturating_sub(granting);
        }
        wanted.sort_unstable();
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
