//! One link of a leader: where its follower stands, and how much is on its way.

use std::collections::VecDeque;

use crate::feed::limits::{TAKEN_EVERY, WINDOW};
use crate::feed::message::{Question, QuestionId};
use crate::feed::names::{FollowerId, LinkId};
use crate::terms::cursor::Position;

/// One link.
#[derive(Debug, Default)]
pub(crate) struct Link {
    /// Who is at the other end, once it has said where it stands.
    pub(crate) follows: Option<Follows>,
    pub(crate) window: Window,
    /// Questions that wait for their turn.
    pub(crate) waiting: VecDeque<(QuestionId, Question)>,
    /// How many are being answered.
    pub(crate) under_way: usize,
}

/// A follower, and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Follows {
    pub(crate) follower: FollowerId,
    /// Its own name for the link.
    pub(crate) link: LinkId,
    /// Everything up to here was sent to it.
    pub(crate) at: Position,
    /// Whether what follows is being read from the log.
    pub(crate) reading: bool,
}

/// How much is on its way: what a platform may have to keep for a follower.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Window {
    sent: u64,
    taken: u64,
}

impl Window {
    /// Whether a message of this length may be sent.
    pub(crate) fn fits(&self, length: usize) -> bool {
        let on_the_way = self.on_the_way();
        on_the_way < TAKEN_EVERY || on_the_way.saturating_add(length) <= WINDOW
    }

    pub(crate) fn on_the_way(&self) -> usize {
        usize::try_from(self.sent - self.taken).unwrap_or(usize::MAX)
    }

    pub(crate) fn send(&mut self, length: usize) {
        self.sent += length as u64;
    }

    /// So much was taken of what was ever sent. Returns whether that can be.
    #[must_use]
    pub(crate) fn take(&mut self, taken: u64) -> bool {
        let can_be = (self.taken..=self.sent).contains(&taken);
        if can_be {
            self.taken = taken;
        }
        can_be
    }
}

impl Link {
    /// Where it can take what follows, if it waits for nothing: neither for an answer of the log nor for
    /// its follower to say where it is.
    pub(crate) fn stands(&self) -> Option<Position> {
        self.follows.filter(|follows| !follows.reading).map(|follows| follows.at)
    }
}
