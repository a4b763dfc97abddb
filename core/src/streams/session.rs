//! One stream: where it stands in the log, and what is due to it.
//!
//! ```text
//!              located              cursor = holder's position
//!  Locating ────────────▶ Replaying ──────────────────────────▶ Live ──▶ Leaving
//!  (asks the log where    (asks for a page whenever  ◀────────── (takes updates as they
//!   its cursor is)         its outbox is empty)      falls behind  become durable)
//! ```
//!
//! Replaying, a stream takes pages at its reader's pace and ignores live updates; it becomes live
//! in the step in which its cursor equals the position of its holder, so there is no gap and no
//! double. A live stream whose outbox is full goes back to replaying: memory is bounded, and
//! nothing is lost. A native stream whose time is up is told its position, and leaves when its
//! reader has taken that.
//!
//! A lifetime of zero makes a stream a poll: it ends as soon as it has all there is. Its reader
//! comes back after its `retry:`, and meanwhile nothing is held open for it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::command::subscribe::Subscribe;
use crate::matching::subject::Subject;
use crate::streams::history::{Appended, Page};
use crate::streams::outbox::Outbox;
use crate::streams::resume::Step;
use crate::terms::cursor::{CursorKey, Place, Position};
use crate::terms::update::Update;
use crate::time::Timestamp;
use crate::wire::sse;

/// How long before it must be closed a stream ends by itself, with its position.
const FAREWELL: Duration = Duration::from_secs(1);

/// How long before a platform would break a response off it must be closed: its end is on its way
/// for a moment.
const MARGIN: Duration = Duration::from_secs(1);

/// How long a poll may take to catch up; then it ends as well, and the next one goes on.
const LONGEST_POLL: Duration = Duration::from_secs(60);

/// How long a reader that has yet to take something may delay the end of its stream.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a stream is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It waits to learn from the log where to begin; nothing was sent yet.
    Locating(Step),
    /// It catches up; `fetching` while a page is on its way.
    Replaying { fetching: bool },
    /// It has all there is, and takes what comes.
    Live,
    /// It was told its position, takes nothing more, and ends when its reader has taken that.
    Leaving,
}

/// What is due to a stream at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    /// It was silent for long: a comment.
    Heartbeat,
    /// It was silent for long, and its reader's last id is old: its position.
    Position,
    /// Its time is up: its position, if its reader is native, and then its end.
    Farewell,
    /// It must be closed, or its reader does not take what was written: its end, and not a byte
    /// more.
    End,
}

/// The settings that sessions live by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) heartbeat: Duration,
    /// A native reader's last id is renewed when the log has moved this far since.
    pub(crate) stale_after_updates: u64,
    /// Or when it has moved at all, and this long ago.
    pub(crate) stale_after: Duration,
    /// How much may wait in an outbox that already holds something.
    pub(crate) outbox_size: usize,
    /// How much one response may carry; what comes after is for the next.
    pub(crate) response_size: u64,
}

/// One stream.
#[derive(Debug)]
pub(crate) struct Session {
    /// Shared with who reads pages for it.
    pub(crate) subscribe: Arc<Subscribe>,
    pub(crate) outbox: Outbox,
    state: State,
    /// Every update up to here was written to the stream, or is not for it. Of a live stream the
    /// holder's position says this, unless its reader knows of an update that is not durable yet.
    cursor: Position,
    /// As in [`Place`], for the cursor; of a live stream, it is now.
    since: Timestamp,
    /// As in [`Fetch`](crate::Fetch): when it arrived, or fell behind. Not when it opened: the log
    /// judged its cursor some time before that.
    as_of: Timestamp,
    /// The position of the last id that its reader was given, and when.
    told: (Position, Timestamp),
    silent_since: Timestamp,
    written: u64,
    /// When it ends by itself.
    ends: Timestamp,
    /// When it must be closed, whatever its reader has yet to take: its token expires, or its
    /// platform would break it off.
    closes: Option<Timestamp>,
    /// When its holder will look at it: not later than [`Session::wakes`].
    pub(crate) wake: Timestamp,
}

impl Session {
    pub(crate) fn new(subscribe: Subscribe, state: State, now: Timestamp) -> Self {
        let polls = subscribe.polls();
        let ends = now.plus(if polls { LONGEST_POLL } else { subscribe.lifetime });
        let expires = subscribe.expires;
        let mut session = Self {
            subscribe: subscribe.into(),
            outbox: Outbox::new(now),
            state,
            cursor: Position::START,
            since: Timestamp::default(),
            as_of: now,
            told: (Position::START, now),
            silent_since: now,
            written: 0,
            ends,
            closes: None,
            wake: ends,
        };
        if let Some(expires) = expires {
            session.close_by(expires, now);
        }
        session
    }

    /// Sees to it that it is closed at this moment, and ends by itself a moment earlier.
    fn close_by(&mut self, moment: Timestamp, now: Timestamp) {
        self.closes = Some(self.closes.map_or(moment, |closes| closes.min(moment)));
        self.ends = self.ends.min(moment.minus(FAREWELL)).max(now);
    }

    /// Its platform breaks its response off at this moment; a moment that has passed says nothing.
    pub(crate) fn be_done_before(&mut self, deadline: Timestamp, now: Timestamp) {
        if deadline > now {
            self.close_by(deadline.minus(MARGIN), now);
        }
    }

    /// It is to end by itself, now.
    pub(crate) fn leave(&mut self, now: Timestamp) {
        self.ends = self.ends.min(now);
    }

    /// What it asked the log, while nothing was sent yet.
    pub(crate) fn locating(&self) -> Option<Step> {
        match self.state {
            State::Locating(step) => Some(step),
            _ => None,
        }
    }

    /// It asks the log something more.
    pub(crate) fn ask(&mut self, step: Step) {
        self.state = State::Locating(step);
    }

    pub(crate) fn is_native(&self) -> bool {
        self.subscribe.reader.native
    }

    /// It begins after this position: the first bytes of its response.
    pub(crate) fn open(&mut self, cursor: Place, key: &CursorKey, now: Timestamp) -> Bytes {
        self.cursor = cursor.position;
        self.since = cursor.since;
        self.state = State::Replaying { fetching: false };
        self.told = (cursor.position, now);
        // A poll tells its position in a moment, at its end.
        if self.is_native() && !self.subscribe.polls() {
            self.position_event(key, cursor)
        } else {
            sse::COMMENT
        }
    }

    /// Lets it take the next step of catching up: whether it now asks for a page.
    pub(crate) fn advance(&mut self, position: Position, now: Timestamp) -> bool {
        if self.state != (State::Replaying { fetching: false }) {
            return false;
        }
        if self.cursor >= position {
            self.state = State::Live;
            if self.subscribe.polls() {
                self.leave(now);
            }
            return false;
        }
        let asks = self.outbox.is_empty();
        self.state = State::Replaying { fetching: asks };
        asks
    }

    /// Where the page that it asks for begins, and since when the stream is owed its updates.
    pub(crate) fn fetches_after(&self) -> Option<(Position, Timestamp)> {
        (self.state == State::Replaying { fetching: true }).then_some((self.cursor, self.as_of))
    }

    /// Takes a page: the frames to write. `None` where what it had yet to read is no longer kept.
    pub(crate) fn take_page(
        &mut self,
        page: &Page,
        pace: &Pace,
        now: Timestamp,
    ) -> Option<Vec<Bytes>> {
        if page.oldest > self.cursor.next() {
            return None;
        }
        let wanted: Vec<&Appended> =
            page.updates.iter().filter(|appended| self.wants(&appended.update)).collect();
        let mut frames: Vec<Bytes> =
            wanted.iter().map(|appended| sse::update(&appended.update)).collect();
        let taken = self.room_for(frames.iter().map(Bytes::len), pace);
        frames.truncate(taken);
        self.state = State::Replaying { fetching: false };
        match wanted.get(taken) {
            Some(first_left) => self.cursor = first_left.position.back(1),
            None => {
                self.cursor = page.reached.max(self.cursor);
                self.since = page.since.unwrap_or(self.since);
            }
        }
        if let Some(last) = wanted[..taken].last() {
            self.told = (last.position, now);
        }
        Some(frames)
    }

    fn wants(&self, update: &Update) -> bool {
        self.subscribe.wants(&update.subject(), update.is_private())
    }

    /// Whether it takes an update that it selected, as it becomes durable.
    pub(crate) fn takes_live(&self, appended: &Appended, subject: &Subject<'_>) -> bool {
        self.state == State::Live
            && self.cursor < appended.position
            && self.subscribe.may_read(subject, appended.update.is_private())
    }

    /// Takes those of these updates that find room, the first of them; where some find none, it
    /// falls behind, and will replay them. How many it took.
    pub(crate) fn take_live(
        &mut self,
        updates: &[(Position, usize)],
        pace: &Pace,
        now: Timestamp,
    ) -> usize {
        let taken = self.room_for(updates.iter().map(|(_, length)| *length), pace);
        if let Some((first_left, _)) = updates.get(taken) {
            self.state = State::Replaying { fetching: false };
            self.cursor = first_left.back(1);
            self.since = now;
            self.as_of = now;
        }
        if let Some((last, _)) = updates[..taken].last() {
            self.told = (*last, now);
        }
        taken
    }

    /// How many of these frames find room. An empty outbox takes one of any size.
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

    /// The event that tells its reader where it stands.
    pub(crate) fn tell_position(
        &mut self,
        key: &CursorKey,
        position: Position,
        now: Timestamp,
    ) -> Bytes {
        let position = self.stands(position);
        let since = if self.state == State::Live { now } else { self.since };
        self.told = (position, now);
        self.position_event(key, Place { position, since })
    }

    /// The last words of a stream whose time is up; `None` where there are none, or all were said.
    pub(crate) fn say_farewell(
        &mut self,
        key: &CursorKey,
        position: Position,
        now: Timestamp,
    ) -> Option<Bytes> {
        if !self.is_native() || self.state == State::Leaving {
            return None;
        }
        let event = self.tell_position(key, position, now);
        self.state = State::Leaving;
        Some(event)
    }

    fn position_event(&self, key: &CursorKey, place: Place) -> Bytes {
        sse::position(&key.fragment(place), self.subscribe.retry)
    }

    /// Where it stands, while its holder stands at `position`.
    fn stands(&self, position: Position) -> Position {
        if self.state == State::Live { position.max(self.cursor) } else { self.cursor }
    }

    /// Notes that something was written, or found to be needless.
    pub(crate) fn wrote(&mut self, now: Timestamp) {
        self.silent_since = now;
    }

    /// Counts what was written: whether that fills its response, and it is to end by itself.
    pub(crate) fn fills(&mut self, bytes: usize, pace: &Pace, now: Timestamp) -> bool {
        self.written = self.written.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        let full = self.written >= pace.response_size && !self.is_ending(now);
        if full {
            self.leave(now);
        }
        full
    }

    /// Whether its time is up, and its end waits for its reader at most.
    pub(crate) fn is_ending(&self, now: Timestamp) -> bool {
        self.ends <= now
    }

    /// When it must be looked at next.
    pub(crate) fn wakes(&self, pace: &Pace, now: Timestamp) -> Timestamp {
        let waits = self.is_ending(now) && !self.outbox.is_empty();
        let ends = if waits { self.ends.plus(PATIENCE) } else { self.ends };
        let last = self.closes.map_or(ends, |closes| closes.min(ends));
        match self.state {
            State::Locating(_) => last,
            _ => last.min(self.heartbeat_at(pace)),
        }
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
        if self.closes.is_some_and(|closes| closes <= now) {
            return Due::End;
        }
        if self.is_ending(now) && self.outbox.is_empty() {
            return Due::Farewell;
        }
        if self.ends.plus(PATIENCE) <= now {
            return Due::End;
        }
        if self.locating().is_some() || self.heartbeat_at(pace) > now {
            return Due::Nothing;
        }
        let (told, at) = self.told;
        let moved = self.stands(position).get().saturating_sub(told.get());
        let stale =
            moved >= pace.stale_after_updates || (moved > 0 && now.since(at) >= pace.stale_after);
        if self.is_native() && stale { Due::Position } else { Due::Heartbeat }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::config;
    use crate::{Admission, Command, Request, Step, admit};

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    #[test]
    fn a_place_is_told_with_the_time_since_when_it_is_known() {
        let config = config(&[("ANONYMOUS", "1"), ("NATIVE_READERS", "always")]);
        let request = Request::new("GET", "https://hub.example/.well-known/mercure?match=a", []);
        let step = admit(&request, &config, NOW, &[1; 32]);
        let Step::Done(Admission::Forward(Command::Subscribe(subscribe))) = step else { panic!() };
        let key = CursorKey::from_bytes([1; 16]);
        let told = |event: Bytes| {
            let text = std::str::from_utf8(&event).unwrap();
            key.place(text.lines().find_map(|line| line.strip_prefix("id: ")).unwrap()).unwrap()
        };
        let place = |number, seconds: u64| Place {
            position: Position::new(number),
            since: Timestamp::from_millis(seconds * 1_000),
        };

        let mut session = Session::new(subscribe, State::Replaying { fetching: false }, NOW);
        assert_eq!(told(session.open(place(3, 1_600_000_000), &key, NOW)), place(3, 1_600_000_000));
        let holder = Position::new(9);
        // While it replays, it does not know what its holder knows.
        assert_eq!(told(session.tell_position(&key, holder, NOW)), place(3, 1_600_000_000));
        assert!(!session.advance(Position::new(3), NOW));
        assert_eq!(told(session.tell_position(&key, holder, NOW)), place(9, 1_700_000_000));
    }

    #[test]
    fn a_stream_is_owed_what_had_not_expired_when_it_came() {
        let config = config(&[("ANONYMOUS", "1")]);
        let request = Request::new("GET", "https://hub.example/.well-known/mercure?match=a", []);
        let step = admit(&request, &config, NOW, &[1; 32]);
        let Step::Done(Admission::Forward(Command::Subscribe(subscribe))) = step else { panic!() };
        let key = CursorKey::from_bytes([1; 16]);
        let pace = Pace {
            heartbeat: Duration::from_secs(15),
            stale_after_updates: 1,
            stale_after: Duration::from_secs(60),
            outbox_size: 1,
            response_size: 1 << 20,
        };
        let later = NOW.plus(Duration::from_secs(60));

        let mut session = Session::new(subscribe, State::Replaying { fetching: false }, NOW);
        let _ = session.open(Place::undated(Position::new(3)), &key, later);
        assert!(session.advance(Position::new(5), later));
        assert_eq!(session.fetches_after(), Some((Position::new(3), NOW)), "not when it opened");

        // It catches up, and falls behind: the rest is owed from then on.
        session.state = State::Live;
        let offered = [(Position::new(6), 10), (Position::new(7), 10)];
        assert_eq!(session.take_live(&offered, &pace, later), 1);
        assert!(session.advance(Position::new(7), later));
        assert_eq!(session.fetches_after(), Some((Position::new(6), later)));
    }
}
