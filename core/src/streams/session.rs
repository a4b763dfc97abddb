//! One stream: its place in the log, and what is due to it.
//!
//! ```text
//!  Registering ─▶ (where others are told of streams: waits until they are)
//!       │
//!       ▼      located              cursor = holder's position
//!  Locating ────────────▶ Replaying ──────────────────────────▶ Live ──▶ Leaving
//!  (asks the log where    (asks for a page whenever  ◀────────── (takes updates as they
//!   its cursor is)         its outbox is empty)      falls behind  become durable)
//! ```
//!
//! While it replays, a stream takes pages at its reader's pace and ignores live updates; it becomes
//! live in the step in which its cursor equals its holder's position, so nothing is missed or sent
//! twice. A live stream whose outbox is full goes back to replaying, so memory stays bounded and
//! nothing is lost. A stream whose time is up says its last words, to a native reader its position,
//! and leaves once its reader has taken them.
//!
//! A lifetime of zero makes a stream a poll: it ends as soon as its reader has everything. The
//! reader comes back after its `retry:`, and nothing is held open for it meanwhile.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::command::subscribe::Subscribe;
use crate::matching::subject::Subject;
use crate::streams::history::{Appended, Page};
use crate::streams::outbox::{Chunk, Outbox};
use crate::streams::pace::Pace;
use crate::streams::resume::Question;
use crate::terms::cursor::{CursorKey, Place, Position};
use crate::time::Timestamp;
use crate::wire::sse;

/// A stream ends by itself, with its position, this long before it must be closed.
const FAREWELL: Duration = Duration::from_secs(1);

/// A stream must be closed this long before its platform would break it off: the last bytes take a
/// moment to arrive.
const MARGIN: Duration = Duration::from_secs(1);

/// How long a poll may take to catch up. After that it ends as well, and the next poll continues.
const LONGEST_POLL: Duration = Duration::from_secs(60);

/// How long a reader that has yet to take something may delay the end of its stream; or a log that
/// has yet to say where it begins.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a stream is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It is waiting until others can see it; nothing has been sent yet. It begins at this place.
    Registering(Place),
    /// It is waiting for the log to say where it begins; nothing has been sent yet.
    Locating(Question),
    /// It is catching up; `fetching` while a page is on its way.
    Replaying { fetching: bool },
    /// It has everything, and takes updates as they come.
    Live,
    /// It has said its last words, takes no more updates, and ends once its reader has taken them.
    Leaving,
}

/// What is due to a stream at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    /// It has been silent for a while: a comment.
    Heartbeat,
    /// It has been silent for a while, and its reader's last id is old: its position.
    Position,
    /// Its time is up: its last words, and then its end.
    Farewell,
    /// It must be closed, or its reader is not taking what was written: its end, and not one byte
    /// more.
    End,
}

/// One stream.
#[derive(Debug)]
pub(crate) struct Session {
    /// Shared with the code that reads pages for it.
    pub(crate) subscribe: Arc<Subscribe>,
    pub(crate) outbox: Outbox,
    state: State,
    /// Every update up to here was written to the stream, or is not for it. For a live stream the
    /// holder's own place says so, unless its reader has named an update that the holder has not
    /// heard of.
    cursor: Place,
    /// When it was promised what it replays: see [`Fetch::as_of`](crate::Fetch::as_of).
    promised: Timestamp,
    /// The position of the last id that its reader was given, and when.
    told: (Position, Timestamp),
    silent_since: Timestamp,
    written: u64,
    /// When it ends by itself.
    ends: Timestamp,
    /// When it must be closed, whatever its reader has yet to take, since its token expires or its
    /// platform would break it off.
    closes: Option<Timestamp>,
}

impl Session {
    pub(crate) fn new(subscribe: Subscribe, state: State, now: Timestamp) -> Self {
        let lifetime = if subscribe.polls() { LONGEST_POLL } else { subscribe.lifetime };
        let expires = subscribe.expires;
        let mut session = Self {
            subscribe: subscribe.into(),
            outbox: Outbox::new(now),
            state,
            cursor: Place::default(),
            promised: now,
            told: (Position::START, now),
            silent_since: now,
            written: 0,
            ends: now.plus(lifetime),
            closes: None,
        };
        if let Some(expires) = expires {
            session.close_by(expires, now);
        }
        session
    }

    /// Closes the stream at `moment`, after a graceful end a second before.
    fn close_by(&mut self, moment: Timestamp, now: Timestamp) {
        self.closes = Some(self.closes.map_or(moment, |closes| closes.min(moment)));
        self.ends = self.ends.min(moment.minus(FAREWELL)).max(now);
    }

    /// Its platform will break off its response at this moment. A past deadline is ignored.
    pub(crate) fn be_done_before(&mut self, deadline: Timestamp, now: Timestamp) {
        if deadline > now {
            self.close_by(deadline.minus(MARGIN), now);
        }
    }

    /// Has it end by itself, from now on.
    pub(crate) fn leave(&mut self, now: Timestamp) {
        self.ends = self.ends.min(now);
    }

    /// Where it will begin, while it waits until others can see it.
    pub(crate) fn registering(&self) -> Option<Place> {
        match self.state {
            State::Registering(place) => Some(place),
            _ => None,
        }
    }

    /// Whether anything has been sent.
    pub(crate) fn has_begun(&self) -> bool {
        !matches!(self.state, State::Registering(_) | State::Locating(_))
    }

    /// What it asked the log, while nothing has been sent.
    pub(crate) fn locating(&self) -> Option<Question> {
        match self.state {
            State::Locating(question) => Some(question),
            _ => None,
        }
    }

    /// Notes that it asks the log another question.
    pub(crate) fn ask(&mut self, question: Question) {
        self.state = State::Locating(question);
    }

    /// Whether it has everything, and takes updates as they come.
    pub(crate) fn is_live(&self) -> bool {
        self.state == State::Live
    }

    pub(crate) fn is_native(&self) -> bool {
        self.subscribe.reader.native
    }

    /// Begins at this place. Returns the first bytes of its response.
    pub(crate) fn open(&mut self, cursor: Place, key: &CursorKey, now: Timestamp) -> Bytes {
        self.cursor = cursor;
        self.state = State::Replaying { fetching: false };
        self.told = (cursor.position, now);
        // A poll tells its position when it ends, in a moment.
        if self.is_native() && !self.subscribe.polls() {
            self.position_event(key, cursor)
        } else {
            sse::COMMENT
        }
    }

    /// Begins live, at the place behind which the next update is that its holder hands out: that is
    /// its own beginning, so nothing is missed and nothing sent twice.
    pub(crate) fn join(&mut self) {
        self.state = State::Live;
    }

    /// Takes the next step of catching up. Returns whether it now asks for a page.
    pub(crate) fn advance(&mut self, position: Position, now: Timestamp) -> bool {
        if self.state != (State::Replaying { fetching: false }) {
            return false;
        }
        // This and `join` are the only ways to `Live`. Everything up to the holder's position is behind the
        // cursor, and whatever is appended next is offered to live streams: no gap, nothing twice.
        if self.cursor.position >= position {
            self.state = State::Live;
            if self.subscribe.polls() {
                self.leave(now);
            }
            return false;
        }
        // Nothing is read until its last page is taken, so memory holds one page per stream.
        let asks = self.outbox.is_empty();
        self.state = State::Replaying { fetching: asks };
        asks
    }

    /// Where the page that it asks for begins.
    pub(crate) fn fetches_after(&self) -> Option<Position> {
        (self.state == State::Replaying { fetching: true }).then_some(self.cursor.position)
    }

    /// When it was promised what it replays.
    pub(crate) fn promised(&self) -> Timestamp {
        self.promised
    }

    /// Takes a page. Returns the frames to write, as one chunk, or `None` if what it had yet to read
    /// is no longer kept.
    pub(crate) fn take_page(&mut self, page: &Page, pace: &Pace, now: Timestamp) -> Option<Bytes> {
        if page.oldest > self.cursor.position.next() {
            return None;
        }
        let updates = &page.updates;
        let frames: Vec<Bytes> =
            updates.iter().map(|appended| pace.frame(&appended.update)).collect();
        // A page is bounded by the size of its updates, an outbox by that of their frames, which
        // may be larger. What does not fit is read again with the next page.
        let taken = self.room_for(frames.iter().map(Bytes::len), pace);
        self.state = State::Replaying { fetching: false };
        match updates.get(taken) {
            // This place's time is not known. That of the old place is no later, so it holds too.
            Some(first_left) => self.cursor.position = first_left.position.back(1),
            None => {
                self.cursor.position = page.reached.max(self.cursor.position);
                self.cursor.since = page.since.unwrap_or(self.cursor.since);
            }
        }
        if let Some(last) = updates[..taken].last() {
            self.told = (last.position, now);
        }
        Some(match &frames[..taken] {
            [frame] => frame.clone(),
            frames => frames.concat().into(),
        })
    }

    /// Whether an update that is just durable is new to it.
    pub(crate) fn awaits(&self, appended: &Appended) -> bool {
        // Its reader may have named an update before the holder heard of it.
        self.state == State::Live && self.cursor.position < appended.position
    }

    /// Whether it may read an update that one of its matchers selected.
    pub(crate) fn may_read(&self, appended: &Appended, subject: &Subject<'_>) -> bool {
        self.subscribe.may_read(subject, appended.update.is_private())
    }

    /// Takes an update whose frame has this length, if that fits. Otherwise it falls behind.
    /// `before` is the holder's place before it.
    pub(crate) fn take_live(
        &mut self,
        appended: &Appended,
        length: usize,
        before: Place,
        pace: &Pace,
        now: Timestamp,
    ) -> bool {
        let fits = self.outbox.has_place() && self.room_for([length].into_iter(), pace) == 1;
        if fits {
            self.told = (appended.position, now);
        } else {
            self.fall_behind(appended, before);
        }
        fits
    }

    /// Has it replay from this update on, if it awaits it. `before` is the holder's place before it.
    pub(crate) fn fall_behind(&mut self, appended: &Appended, before: Place) -> bool {
        if !self.awaits(appended) {
            return false;
        }
        self.state = State::Replaying { fetching: false };
        self.cursor = Place { position: appended.position.back(1), ..before };
        // It was live, so it has everything up to where its holder stood. What it has yet to read
        // followed that, and may have expired since: after an outage a tail delivers late.
        self.promised = self.promised.max(before.since);
        true
    }

    /// How many of these frames fit, from the first on. An empty outbox takes one of any size.
    fn room_for(&self, lengths: impl Iterator<Item = usize>, pace: &Pace) -> usize {
        let mut waiting = self.outbox.bytes();
        lengths
            .take_while(|length| {
                let fits = waiting == 0 || waiting + length <= pace.outbox_size;
                waiting += length;
                fits
            })
            .count()
    }

    /// The event that tells its reader its position, while the holder is at `reached`.
    pub(crate) fn tell_position(
        &mut self,
        key: &CursorKey,
        reached: Place,
        now: Timestamp,
    ) -> Bytes {
        let place = self.stands(reached);
        self.told = (place.position, now);
        self.position_event(key, place)
    }

    /// The last words of a stream whose time is up; `None` if it has none, or has said them.
    pub(crate) fn say_farewell(
        &mut self,
        key: &CursorKey,
        reached: Place,
        now: Timestamp,
    ) -> Option<Bytes> {
        if self.state == State::Leaving {
            return None;
        }
        let words = if self.is_native() {
            self.tell_position(key, reached, now)
        } else if self.subscribe.reader.takes_last_words {
            sse::last_words(self.subscribe.retry)
        } else {
            return None;
        };
        self.state = State::Leaving;
        Some(words)
    }

    /// Whether its reader would take a clean end for the last word.
    pub(crate) fn ends_with_a_cut(&self) -> bool {
        self.subscribe.reader.stops_at_clean_ends
    }

    fn position_event(&self, key: &CursorKey, place: Place) -> Bytes {
        sse::position(&key.fragment(place), self.subscribe.retry)
    }

    /// Its place, while the holder is at `reached`. A replaying stream is not as far as its holder.
    fn stands(&self, reached: Place) -> Place {
        if self.state == State::Live { reached.advanced_to(self.cursor) } else { self.cursor }
    }

    /// Notes that something was written, or did not need to be.
    pub(crate) fn wrote(&mut self, now: Timestamp) {
        self.silent_since = now;
    }

    /// Has a chunk wait for its reader. Returns whether that fills its response, so that it now ends
    /// by itself.
    pub(crate) fn push(&mut self, chunk: Chunk, pace: &Pace, now: Timestamp) -> bool {
        self.outbox.push(chunk, now);
        self.wrote(now);
        let length = u64::try_from(chunk.length()).unwrap_or(u64::MAX);
        self.written = self.written.saturating_add(length);
        let full = self.written >= pace.response_size && !self.is_ending(now);
        if full {
            self.leave(now);
        }
        full
    }

    /// Whether its time is up. It then waits for its reader to take what was written, and for
    /// nothing else.
    pub(crate) fn is_ending(&self, now: Timestamp) -> bool {
        self.ends <= now
    }

    /// When to look at it next.
    pub(crate) fn wakes(&self, pace: &Pace, now: Timestamp) -> Timestamp {
        let waits_to_begin = !self.has_begun();
        let waits = waits_to_begin || (self.is_ending(now) && !self.outbox.is_empty());
        let ends = if waits { self.ends.plus(PATIENCE) } else { self.ends };
        let last = self.closes.map_or(ends, |closes| closes.min(ends));
        if waits_to_begin { last } else { last.min(self.heartbeat_at(pace)) }
    }

    /// When to break its silence, rounded down to a sixteenth of the heartbeat, so that many
    /// streams share one write.
    fn heartbeat_at(&self, pace: &Pace) -> Timestamp {
        let at = self.silent_since.plus(pace.heartbeat).as_millis();
        let grain = u64::try_from(pace.heartbeat.as_millis() / 16).unwrap_or(1).max(1);
        Timestamp::from_millis(at - at % grain)
    }

    /// What is due, while the holder is at `reached`. The order matters: first whether anything may
    /// still be written, then what.
    pub(crate) fn due(&self, pace: &Pace, reached: Place, now: Timestamp) -> Due {
        // draft-08, "Subscribers": closed no later than `exp`.
        if self.closes.is_some_and(|closes| closes <= now) {
            return Due::End;
        }
        let waits_to_begin = !self.has_begun();
        // One that has yet to begin does so first, however little time it has, as others do.
        if self.is_ending(now) && self.outbox.is_empty() && !waits_to_begin {
            return Due::Farewell;
        }
        if self.ends.plus(PATIENCE) <= now {
            return Due::End;
        }
        if waits_to_begin || self.heartbeat_at(pace) > now {
            return Due::Nothing;
        }
        // An id is stale once the log has moved on so far since, or the id is so old, that a reader
        // who resumes from it might find it evicted.
        let (told, at) = self.told;
        let moved = self.stands(reached).position.get().saturating_sub(told.get());
        let stale =
            moved >= pace.stale_after_updates || (moved > 0 && now.since(at) >= pace.stale_after);
        if self.is_native() && stale { Due::Position } else { Due::Heartbeat }
    }
}
