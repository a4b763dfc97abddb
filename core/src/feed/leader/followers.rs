//! Followers whose subscriptions the log notes, and which of them are away.

use std::collections::{BTreeMap, BTreeSet};

use crate::feed::limits::FOLLOWER_GONE;
use crate::feed::names::FollowerId;
use crate::time::Timestamp;

/// Followers whose subscriptions the log notes.
#[derive(Debug, Default)]
pub(crate) struct Followers {
    noted: BTreeMap<FollowerId, Presence>,
    /// Those of which something is being noted, or struck out: one thing at a time, in the order in which
    /// it was asked for.
    recording: BTreeSet<FollowerId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    Here,
    /// Away, and gone at this moment.
    Until(Timestamp),
}

impl Followers {
    /// Those that a log notes: none of them has come back yet.
    pub(crate) fn new(noted: impl IntoIterator<Item = FollowerId>, now: Timestamp) -> Self {
        let until = Presence::Until(now.plus(FOLLOWER_GONE));
        let noted = noted.into_iter().map(|follower| (follower, until)).collect();
        Self { noted, ..Self::default() }
    }

    pub(crate) fn is_noted(&self, follower: FollowerId) -> bool {
        self.noted.contains_key(&follower)
    }

    /// The log is about to note subscriptions of this one.
    pub(crate) fn note(&mut self, follower: FollowerId) {
        self.noted.entry(follower).or_insert(Presence::Here);
    }

    /// It has a link.
    pub(crate) fn come(&mut self, follower: FollowerId) {
        self.set(follower, Presence::Here);
    }

    /// It has none.
    pub(crate) fn leave(&mut self, follower: FollowerId, now: Timestamp) {
        self.set(follower, Presence::Until(now.plus(FOLLOWER_GONE)));
    }

    fn set(&mut self, follower: FollowerId, presence: Presence) {
        if let Some(noted) = self.noted.get_mut(&follower) {
            *noted = presence;
        }
    }

    /// It has said goodbye, and nothing is noted of it.
    pub(crate) fn forget(&mut self, follower: FollowerId) {
        self.noted.remove(&follower);
    }

    /// Whether something may be noted of this one now. If so, it is being noted.
    pub(crate) fn begin_record(&mut self, follower: FollowerId) -> bool {
        self.recording.insert(follower)
    }

    pub(crate) fn end_record(&mut self, follower: FollowerId) {
        self.recording.remove(&follower);
    }

    /// When the first of those that are away is gone.
    pub(crate) fn first_gone(&self) -> Option<Timestamp> {
        self.away().map(|(_, until)| until).min()
    }

    /// Those that are gone: they are forgotten.
    pub(crate) fn pop_gone(&mut self, now: Timestamp) -> Vec<FollowerId> {
        let gone = self.away().filter(|(_, until)| *until <= now);
        let gone: Vec<FollowerId> = gone.map(|(follower, _)| follower).collect();
        for follower in &gone {
            self.noted.remove(follower);
        }
        gone
    }

    /// Those that are away. What is being noted of one is noted first, so that it ends with the rest.
    fn away(&self) -> impl Iterator<Item = (FollowerId, Timestamp)> {
        let noted = self.noted.iter().filter(|(follower, _)| !self.recording.contains(follower));
        noted.filter_map(|(follower, presence)| match presence {
            Presence::Here => None,
            Presence::Until(until) => Some((*follower, *until)),
        })
    }
}
