//! The holder of streams: all those of one object, or of one process.
//!
//! After every `handle_*`, drain [`Holder::poll_output`]; then sleep until
//! [`Holder::poll_timeout`], if there is one. Outputs are to be carried out in order.
//!
//! Everything the holder hears of is durable: its position is the newest durable update, and no
//! stream is given anything past it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;

use crate::config::Config;
use crate::cursor::{Asked, CursorKey, Position};
use crate::event_id::EARLIEST;
use crate::history::{Appended, Located, Location, Page, PageLimit};
use crate::limits::PAGE_UPDATES;
use crate::outbox::Waiting;
use crate::session::{Due, Pace, Session, State, Step};
use crate::sse;
use crate::streams::{StreamId, Streams};
use crate::subscribe::Subscribe;
use crate::time::Timestamp;
use crate::unavailable::Unavailable;

/// What a holder wants done.
#[derive(Clone, Debug)]
pub enum Output {
    /// Begin the response of a stream; its body is what `Write` brings.
    Open {
        /// The stream.
        stream: StreamId,
        /// Status and header fields.
        response: http::Response<()>,
    },
    /// Answer this instead of a stream.
    Answer {
        /// The stream that is not to be.
        stream: StreamId,
        /// The answer.
        unavailable: Unavailable,
    },
    /// Write these bytes to each of these streams, as one chunk.
    Write {
        /// The streams.
        streams: Vec<StreamId>,
        /// The bytes.
        bytes: Bytes,
    },
    /// Look this up, and answer with [`Holder::handle_located`].
    Locate {
        /// The stream that asks.
        stream: StreamId,
        /// What it asks for.
        location: Location,
    },
    /// Read the updates after one position up to and including another, and answer with
    /// [`Holder::handle_page`].
    Fetch {
        /// The stream that asks.
        stream: StreamId,
        /// The updates after this one,
        after: Position,
        /// up to and including this one,
        through: Position,
        /// as far as this allows.
        limit: PageLimit,
    },
    /// End a stream; what was written is still to be delivered.
    Close {
        /// The stream.
        stream: StreamId,
    },
    /// End a stream at once; what its reader has not taken is to be dropped.
    Cut {
        /// The stream.
        stream: StreamId,
    },
}

/// All streams of one place.
#[derive(Debug)]
pub struct Holder {
    key: CursorKey,
    position: Position,
    sessions: BTreeMap<StreamId, Session>,
    streams: Streams,
    /// For each session one moment, not later than when something is due to it.
    wakes: BTreeSet<(Timestamp, StreamId)>,
    waiting: Waiting,
    outputs: VecDeque<Output>,
    pace: Pace,
    replay_max: u64,
    max_streams: usize,
    outbox_size: usize,
    outboxes_size: usize,
}

impl Holder {
    /// A holder without streams, over a log whose newest durable update is at `position`.
    #[must_use]
    pub fn new(config: &Config, key: CursorKey, position: Position) -> Self {
        Self {
            key,
            position,
            sessions: BTreeMap::new(),
            streams: Streams::default(),
            wakes: BTreeSet::new(),
            waiting: Waiting::default(),
            outputs: VecDeque::new(),
            pace: Pace {
                heartbeat: config.heartbeat,
                stale_after_updates: (config.history_size / 4).max(1),
                stale_after: config.history_age / 4,
            },
            replay_max: config.replay_max,
            max_streams: config.max_streams,
            outbox_size: config.outbox_size,
            outboxes_size: config.outboxes_size,
        }
    }

    /// The newest durable update.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// How many streams there are.
    #[must_use]
    pub fn streams(&self) -> usize {
        self.sessions.len()
    }

    /// The next thing to do.
    #[must_use]
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`Holder::handle_timeout`]; never, while there is no stream.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.wakes.first().map(|(at, _)| *at)
    }

    /// A subscriber has come.
    pub fn handle_subscribe(&mut self, stream: StreamId, subscribe: Subscribe, now: Timestamp) {
        self.handle_timeout(now);
        if self.sessions.len() >= self.max_streams {
            let unavailable = subscribe.unavailable();
            self.outputs.push_back(Output::Answer { stream, unavailable });
            return;
        }
        let asked = match subscribe.cursor.as_deref() {
            None => None,
            Some("") => Some((Step::Newest(self.position), Location::Newest(self.position))),
            Some(cursor) => Some(match self.key.read(cursor) {
                Asked::After(id) => (Step::Named, Location::Id(id)),
                Asked::Position(position) => (Step::Named, Location::At(position)),
                Asked::Earliest | Asked::Unknown => self.floor(),
            }),
        };
        self.streams.insert(stream, &subscribe.matchers);
        let state = match &asked {
            Some((step, _)) => State::Locating(step.clone()),
            None => State::Replaying { fetching: false },
        };
        self.sessions.insert(stream, Session::new(subscribe, state, now));
        self.schedule(stream, now);
        match asked {
            Some((_, location)) => self.outputs.push_back(Output::Locate { stream, location }),
            None => self.open(stream, None, self.position, now),
        }
    }

    /// The log has answered an [`Output::Locate`].
    pub fn handle_located(&mut self, stream: StreamId, located: Located, now: Timestamp) {
        self.handle_timeout(now);
        let Some(session) = self.sessions.get(&stream) else { return };
        let State::Locating(step) = session.state.clone() else { return };
        match step {
            Step::Newest(position) => {
                let id = located.found.as_ref().map_or(EARLIEST, |(_, id)| id.as_str());
                self.open(stream, Some(id), position, now);
            }
            Step::Named => {
                let cursor = session.subscribe.cursor.clone().unwrap_or_default();
                match self.place_of(&cursor, &located) {
                    Some(position) => self.open(stream, Some(&cursor), position, now),
                    None => self.locate_floor(stream),
                }
            }
            Step::Floor(floor) => match located.found {
                Some((_, id)) => self.open(stream, Some(id.as_str()), floor, now),
                None => {
                    let before_oldest = located.oldest.back(1).min(self.position);
                    self.open(stream, Some(EARLIEST), before_oldest.max(floor), now);
                }
            },
        }
    }

    /// The place that a cursor names, where all that followed is kept and may be replayed.
    fn place_of(&self, cursor: &str, located: &Located) -> Option<Position> {
        let position = match self.key.read(cursor) {
            Asked::Position(position) => (located.oldest <= position.next()).then_some(position),
            _ => located.found.as_ref().map(|(position, _)| *position),
        }?;
        // A publisher may know the id of an update a moment before this holder does.
        (position >= self.position.back(self.replay_max)).then_some(position)
    }

    /// Where the longest replay begins, and how to learn what is there.
    fn floor(&self) -> (Step, Location) {
        let floor = self.position.back(self.replay_max);
        (Step::Floor(floor), Location::At(floor))
    }

    fn locate_floor(&mut self, stream: StreamId) {
        let (step, location) = self.floor();
        if let Some(session) = self.sessions.get_mut(&stream) {
            session.state = State::Locating(step);
            self.outputs.push_back(Output::Locate { stream, location });
        }
    }

    /// The log has answered an [`Output::Fetch`].
    pub fn handle_page(&mut self, stream: StreamId, page: Page, now: Timestamp) {
        self.handle_timeout(now);
        let Some(session) = self.sessions.get_mut(&stream) else { return };
        if session.state != (State::Replaying { fetching: true }) {
            return;
        }
        // What it had yet to read is no longer kept. Its reader must learn that, and does when
        // it resumes: from the answer field.
        if page.oldest > session.cursor.next() {
            self.end(stream, Output::Cut { stream });
            return;
        }
        let wanted: Vec<&Appended> = page
            .updates
            .iter()
            .filter(|appended| session.subscribe.wants(&appended.update))
            .collect();
        let mut frames: Vec<Bytes> =
            wanted.iter().map(|appended| sse::update(&appended.update)).collect();
        let taken = session.room_for(frames.iter().map(Bytes::len), self.outbox_size);
        frames.truncate(taken);
        session.state = State::Replaying { fetching: false };
        session.cursor = match wanted.get(taken) {
            Some(first_left) => first_left.position.back(1),
            None => page.reached.max(session.cursor),
        };
        if let Some(last) = wanted[..taken].last() {
            session.named(last.position, now);
        }
        if session.is_native() && !frames.is_empty() {
            self.write(vec![stream], frames.concat().into(), now);
        } else {
            for frame in frames {
                self.write(vec![stream], frame, now);
            }
        }
        self.advance(stream);
    }

    /// The log could not answer for a passing reason.
    pub fn handle_failure(&mut self, stream: StreamId) {
        let Some(session) = self.sessions.get(&stream) else { return };
        let output = if session.is_open() {
            Output::Cut { stream }
        } else {
            Output::Answer { stream, unavailable: session.subscribe.unavailable() }
        };
        self.end(stream, output);
    }

    /// These updates have become durable; they follow the holder's position, in order. Those that
    /// come together reach native readers in one write.
    pub fn handle_appended(&mut self, appended: &[Appended], now: Timestamp) {
        self.handle_timeout(now);
        let frames: Vec<Bytes> =
            appended.iter().map(|update| sse::update(&update.update)).collect();
        let mut together: BTreeMap<Vec<usize>, Vec<StreamId>> = BTreeMap::new();
        let mut apart: BTreeMap<usize, Vec<StreamId>> = BTreeMap::new();
        for (stream, wanted) in self.wanted(appended) {
            let Some(session) = self.sessions.get_mut(&stream) else { continue };
            let lengths = wanted.iter().map(|&index| frames[index].len());
            let taken = session.room_for(lengths, self.outbox_size);
            if let Some(&first_left) = wanted.get(taken) {
                session.state = State::Replaying { fetching: false };
                session.cursor = appended[first_left].position.back(1);
            }
            let wanted = &wanted[..taken];
            let Some(&last) = wanted.last() else { continue };
            session.named(appended[last].position, now);
            if session.is_native() {
                together.entry(wanted.to_vec()).or_default().push(stream);
            } else {
                for &index in wanted {
                    apart.entry(index).or_default().push(stream);
                }
            }
        }
        if let Some(last) = appended.last() {
            self.position = last.position;
        }
        for (indices, streams) in together {
            let joined = match indices.as_slice() {
                [one] => frames[*one].clone(),
                several => several
                    .iter()
                    .map(|&index| &frames[index][..])
                    .collect::<Vec<_>>()
                    .concat()
                    .into(),
            };
            self.write(streams, joined, now);
        }
        for (index, streams) in apart {
            self.write(streams, frames[index].clone(), now);
        }
    }

    /// For each live stream, which of these updates it carries.
    fn wanted(&self, appended: &[Appended]) -> BTreeMap<StreamId, Vec<usize>> {
        let mut wanted: BTreeMap<StreamId, Vec<usize>> = BTreeMap::new();
        for (index, appended) in appended.iter().enumerate() {
            for stream in self.streams.select(appended.update.topics()) {
                let takes = self.sessions.get(&stream).is_some_and(|session| {
                    session.state == State::Live
                        && session.cursor < appended.position
                        && session.subscribe.may_read(&appended.update)
                });
                if takes {
                    wanted.entry(stream).or_default().push(index);
                }
            }
        }
        wanted
    }

    /// A reader has taken bytes that were written to its stream.
    pub fn handle_taken(&mut self, stream: StreamId, bytes: usize, now: Timestamp) {
        let Some(session) = self.sessions.get_mut(&stream) else { return };
        session.outbox.take(bytes, &mut self.waiting, now);
        if session.outbox.is_empty() && session.is_leaving(now) {
            self.schedule(stream, now);
        }
        self.handle_timeout(now);
        self.advance(stream);
    }

    /// A reader has gone; there is nothing more to end.
    pub fn handle_gone(&mut self, stream: StreamId) {
        self.forget(stream);
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        let mut silent = Vec::new();
        while let Some(&(at, stream)) = self.wakes.first() {
            if at > now {
                break;
            }
            self.wakes.pop_first();
            let Some(session) = self.sessions.get(&stream) else { continue };
            let due = session.due(&self.pace, self.position, now);
            // What waits in an outbox speaks for the stream.
            let idle = session.outbox.is_empty();
            match due {
                Due::Expiry | Due::Farewell => {
                    self.finish(stream, due, now);
                    continue;
                }
                Due::Heartbeat if idle => silent.push(stream),
                Due::Position if idle => self.tell_position(stream, now),
                _ => {}
            }
            if let Some(session) = self.sessions.get_mut(&stream) {
                if due != Due::Nothing {
                    session.wrote(now);
                }
                session.wake = session.wakes(&self.pace, now);
                self.wakes.insert((session.wake, stream));
            }
        }
        if !silent.is_empty() {
            self.write(silent, sse::COMMENT, now);
        }
    }

    /// Ends a stream whose time is up.
    fn finish(&mut self, stream: StreamId, due: Due, now: Timestamp) {
        let Some(session) = self.sessions.get(&stream) else { return };
        if !session.is_open() {
            self.handle_failure(stream);
        } else if !session.outbox.is_empty() {
            self.end(stream, Output::Cut { stream });
        } else {
            if due == Due::Farewell && session.is_native() {
                self.tell_position(stream, now);
            }
            self.end(stream, Output::Close { stream });
        }
    }

    fn tell_position(&mut self, stream: StreamId, now: Timestamp) {
        let Some(session) = self.sessions.get_mut(&stream) else { return };
        let event = session.position_event(&self.key, self.position);
        session.named(session.stands(self.position), now);
        self.write(vec![stream], event, now);
    }

    /// Begins a stream's response, at a place in the log.
    fn open(&mut self, stream: StreamId, resumed: Option<&str>, cursor: Position, now: Timestamp) {
        let Some(session) = self.sessions.get_mut(&stream) else { return };
        session.cursor = cursor;
        session.state = State::Replaying { fetching: false };
        session.named(cursor, now);
        let response = session.subscribe.opened(resumed);
        let greeting = session.greeting(&self.key);
        self.outputs.push_back(Output::Open { stream, response });
        self.write(vec![stream], greeting, now);
        self.schedule(stream, now);
        self.advance(stream);
    }

    /// Lets a stream that catches up take its next step.
    fn advance(&mut self, stream: StreamId) {
        let Some(session) = self.sessions.get_mut(&stream) else { return };
        if session.state != (State::Replaying { fetching: false }) {
            return;
        }
        if session.cursor >= self.position {
            session.state = State::Live;
        } else if session.outbox.is_empty() {
            session.state = State::Replaying { fetching: true };
            self.outputs.push_back(Output::Fetch {
                stream,
                after: session.cursor,
                through: self.position,
                limit: PageLimit { updates: PAGE_UPDATES, bytes: self.outbox_size },
            });
        }
    }

    /// Writes to those of the streams that are still there.
    fn write(&mut self, mut streams: Vec<StreamId>, bytes: Bytes, now: Timestamp) {
        let chunk = self.waiting.chunk(bytes.len());
        streams.retain(|stream| match self.sessions.get_mut(stream) {
            Some(session) => {
                session.outbox.push(chunk, now);
                session.wrote(now);
                true
            }
            None => false,
        });
        if !streams.is_empty() {
            self.waiting.keep(chunk, streams.len());
            self.outputs.push_back(Output::Write { streams, bytes });
            self.bound();
        }
    }

    /// Cuts the streams that have waited longest, until what all of them keep is within bounds.
    fn bound(&mut self) {
        while self.waiting.bytes() > self.outboxes_size {
            let longest = self
                .sessions
                .iter()
                .filter_map(|(stream, session)| Some((session.outbox.waits_since()?, *stream)))
                .min();
            let Some((_, stream)) = longest else { return };
            self.end(stream, Output::Cut { stream });
        }
    }

    fn end(&mut self, stream: StreamId, output: Output) {
        self.forget(stream);
        self.outputs.push_back(output);
    }

    fn forget(&mut self, stream: StreamId) {
        if let Some(mut session) = self.sessions.remove(&stream) {
            session.outbox.drop_all(&mut self.waiting);
            self.streams.remove(stream, &session.subscribe.matchers);
            self.wakes.remove(&(session.wake, stream));
        }
    }

    /// Sees to it that a stream is looked at when something is due to it. Silence only grows
    /// shorter by writing, so a wake that is too early is found out when it comes.
    fn schedule(&mut self, stream: StreamId, now: Timestamp) {
        if let Some(session) = self.sessions.get_mut(&stream) {
            self.wakes.remove(&(session.wake, stream));
            session.wake = session.wakes(&self.pace, now);
            self.wakes.insert((session.wake, stream));
        }
    }
}
