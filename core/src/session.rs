//! One stream: where it stands in the log, and what is due to it.
//!
//! ```text
//!              located              cursor = holder's position
//!  Locating ────────────▶ Replaying ──────────────────────────▶ Live
//!  (asks the log where    (asks for a page whenever  ◀────────── (takes updates as they
//!   its cursor is)         its outbox is empty)      falls behind  become durable)
//! ```
//!
//! Replaying, a stream takes pages at its reader's pace and ignores live updates; it becomes live
//! in the step in which its cursor equals the position of its holder, so there is no gap and no
//! double. A live stream whose outbox is full goes back to replaying: memory is bounded, and
//! nothing is lost. Only the [`Holder`](crate::Holder) moves sessions; here is what they know.

use std::time::Duration;

use bytes::Bytes;

use crate::cursor::{CursorKey, Position};
use crate::outbox::Outbox;
use crate::sse;
use crate::subscribe::Subscribe;
use crate::time::Timestamp;

/// How long before its token expires a stream ends by itself, with its position.
const FAREWELL: Duration = Duration::from_secs(1);

/// How long a reader that has yet to take something may delay the end of its stream.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a stream is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It waits to learn from the log where to begin; nothing was sent yet.
    Locating(Step),
    /// It catches up; `fetching` while a page is on its way.
    Replaying { fetching: bool },
    /// It has all there is, and takes what comes.
    Live,
}

/// What a stream asked the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The newest id; it begins after this position, whatever comes meanwhile.
    Newest(Position),
    /// The place that its cursor names.
    Named,
    /// The update at this position, after which its replay begins.
    Floor(Position),
}

/// What is due to a stream at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    /// It was silent for long: a comment.
    Heartbeat,
    /// It was silent for long, and its reader's last id is old: its position.
    Position,
    /// Its time is up: its position, if its reader is native, and its end.
    Farewell,
    /// Its token has expired, or its reader has not taken what was written: its end, and not a
    /// byte more.
    Expiry,
}

/// The settings that sessions live by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) heartbeat: Duration,
    /// A native reader's last id is renewed when the log has moved this far since.
    pub(crate) stale_after_updates: u64,
    /// Or when it has moved at all, and this long ago.
    pub(crate) stale_after: Duration,
}

/// One stream.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) subscribe: Subscribe,
    pub(crate) state: State,
    /// Every update up to here was written to the stream, or is not for it. Of a live stream the
    /// holder's position says this, unless its reader knows of an update that is not durable yet.
    pub(crate) cursor: Position,
    pub(crate) outbox: Outbox,
    /// The position of the last id that its reader was given, and when.
    named: (Position, Timestamp),
    silent_since: Timestamp,
    ends: Timestamp,
    /// When its holder will look at it: not later than [`Session::wakes`].
    pub(crate) wake: Timestamp,
}

impl Session {
    pub(crate) fn new(subscribe: Subscribe, state: State, now: Timestamp) -> Self {
        let lifetime = now.plus(subscribe.lifetime);
        let ends = match subscribe.expires {
            Some(expires) => lifetime.min(expires.minus(FAREWELL)).max(now),
            None => lifetime,
        };
        Self {
            subscribe,
            state,
            cursor: Position::START,
            outbox: Outbox::new(now),
            named: (Position::START, now),
            silent_since: now,
            ends,
            wake: ends,
        }
    }

    /// Whether its response has begun.
    pub(crate) fn is_open(&self) -> bool {
        !matches!(self.state, State::Locating(_))
    }

    pub(crate) fn is_native(&self) -> bool {
        self.subscribe.reader.native
    }

    /// Where it stands, while its holder stands at `position`.
    pub(crate) fn stands(&self, position: Position) -> Position {
        match self.state {
            State::Live => position.max(self.cursor),
            _ => self.cursor,
        }
    }

    /// Notes that something was written.
    pub(crate) fn wrote(&mut self, now: Timestamp) {
        self.silent_since = now;
    }

    /// Notes that its reader was given the id of this position.
    pub(crate) fn named(&mut self, position: Position, now: Timestamp) {
        self.named = (position, now);
    }

    /// The event that tells its reader where it stands.
    pub(crate) fn position_event(&self, key: &CursorKey, position: Position) -> Bytes {
        sse::position(&key.fragment(self.stands(position)), self.subscribe.retry)
    }

    /// The first bytes of its response.
    pub(crate) fn greeting(&self, key: &CursorKey) -> Bytes {
        if self.is_native() { self.position_event(key, self.cursor) } else { sse::COMMENT }
    }

    /// When it must be looked at next.
    pub(crate) fn wakes(&self, pace: &Pace, now: Timestamp) -> Timestamp {
        let waits = self.is_leaving(now) && !self.outbox.is_empty();
        let ends = if waits { self.ends.plus(PATIENCE) } else { self.ends };
        let last = self.subscribe.expires.map_or(ends, |expires| expires.min(ends));
        if self.is_open() { last.min(self.heartbeat_at(pace)) } else { last }
    }

    /// Whether its time is up, and its end waits for its reader at most.
    pub(crate) fn is_leaving(&self, now: Timestamp) -> bool {
        self.ends <= now
    }

    /// Rounded down to a sixteenth of the heartbeat, so that many streams share one write.
    fn heartbeat_at(&self, pace: &Pace) -> Timestamp {
        let at = self.silent_since.plus(pace.heartbeat).as_millis();
        let grain = u64::try_from(pace.heartbeat.as_millis() / 16).unwrap_or(1).max(1);
        Timestamp::from_millis(at - at % grain)
    }

    /// What is due.
    pub(crate) fn due(&self, pace: &Pace, position: Position, now: Timestamp) -> Due {
        // draft-08, "Subscribers": closed no later than `exp`.
        if self.subscribe.expires.is_some_and(|expires| expires <= now) {
            return Due::Expiry;
        }
        if self.ends <= now && self.outbox.is_empty() {
            return Due::Farewell;
        }
        if self.ends.plus(PATIENCE) <= now {
            return Due::Expiry;
        }
        if !self.is_open() || self.heartbeat_at(pace) > now {
            return Due::Nothing;
        }
        let (named, at) = self.named;
        let moved = self.stands(position).get().saturating_sub(named.get());
        let stale =
            moved >= pace.stale_after_updates || (moved > 0 && now.since(at) >= pace.stale_after);
        if self.is_native() && stale { Due::Position } else { Due::Heartbeat }
    }

    /// How many of these frames a live stream takes; the rest it will replay. An empty outbox
    /// takes one of any size.
    pub(crate) fn room_for(&self, lengths: impl Iterator<Item = usize>, bound: usize) -> usize {
        let mut waiting = self.outbox.bytes();
        lengths
            .take_while(|length| {
                let fits = waiting == 0 || waiting + length <= bound;
                waiting += length;
                fits
            })
            .count()
    }
}
