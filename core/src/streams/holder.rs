//! The holder of streams: all those of one object, or of one process.
//!
//! After every `handle_*`, drain [`Holder::poll_output`] and carry out what comes, in order; then
//! sleep until [`Holder::poll_timeout`], if there is one. Pages of history are asked for apart,
//! by [`Holder::poll_fetch`]: read one, drain the outputs again, and let others run before the
//! next, so that no replay holds up what is live, and memory holds one page at a time.
//!
//! Everything the holder hears of is durable: its position is the newest durable update, and no
//! stream is given anything past it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;

use crate::command::subscribe::Subscribe;
use crate::config::Config;
use crate::limits::{MAX_HOLDER_MATCHERS_SIZE, PAGE_UPDATES};
use crate::matching::index::{StreamId, Streams};
use crate::streams::history::{Appended, Fetch, Located, Location, Page, PageLimit};
use crate::streams::outbox::Waiting;
use crate::streams::resume::{Log, Next};
use crate::streams::session::{Due, Pace, Session, State};
use crate::terms::cursor::{CursorKey, Place, Position};
use crate::time::Timestamp;
use crate::wire::answer::Answer;
use crate::wire::sse;

/// What a holder wants done.
#[derive(Clone, Debug)]
pub enum Output {
    /// Begin the response of a stream; its body is what `Write` brings.
    Open {
        /// The stream.
        stream: StreamId,
        /// Status and header fields.
        response: http::Response<()>,
        /// Whether chunks that wait for its reader are to leave as one; else each by itself.
        joins: bool,
    },
    /// Answer this instead of a stream.
    Answer {
        /// The stream that is not to be.
        stream: StreamId,
        /// The answer.
        answer: Answer,
    },
    /// Write these bytes to each of these streams.
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
    /// End a stream, whose reader has taken all that was written.
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
    /// How much the matchers of all sessions keep.
    matchers_size: usize,
    waiting: Waiting,
    outputs: VecDeque<Output>,
    /// The streams that ask for a page, in turn.
    fetching: VecDeque<StreamId>,
    pace: Pace,
    replay_max: u64,
    max_streams: usize,
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
            matchers_size: 0,
            waiting: Waiting::default(),
            outputs: VecDeque::new(),
            fetching: VecDeque::new(),
            pace: Pace {
                heartbeat: config.heartbeat,
                stale_after_updates: (config.history_size.min(config.replay_max) / 4).max(1),
                stale_after: config.history_age / 4,
                outbox_size: config.outbox_size,
                response_size: config.response_size,
            },
            replay_max: config.replay_max,
            max_streams: config.max_streams,
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

    /// The next page to read, and to answer with [`Holder::handle_page`].
    #[must_use]
    pub fn poll_fetch(&mut self) -> Option<Fetch> {
        while let Some(stream) = self.fetching.pop_front() {
            let session = self.sessions.get(&stream);
            if let Some(after) = session.and_then(Session::fetches_after) {
                let limit = PageLimit { updates: PAGE_UPDATES, bytes: self.pace.outbox_size };
                return Some(Fetch { stream, after, through: self.position, limit });
            }
        }
        None
    }

    /// Whether a stream that replays wants an update with these topics, joined as a
    /// [`StoredUpdate`](crate::StoredUpdate) holds them. A page may leave out those it does not.
    #[must_use]
    pub fn wants(&self, stream: StreamId, topics: &str, private: bool) -> bool {
        self.sessions.get(&stream).is_some_and(|session| session.subscribe.selects(topics, private))
    }

    /// What a stream subscribed to, for who asks [`Subscribe::selects`] while the holder goes on.
    #[must_use]
    pub fn subscription(&self, stream: StreamId) -> Option<Arc<Subscribe>> {
        self.sessions.get(&stream).map(|session| Arc::clone(&session.subscribe))
    }

    /// When to call [`Holder::handle_timeout`]; never, while there is no stream.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.wakes.first().map(|(at, _)| *at)
    }

    /// A subscriber has come when the log ended at `end`, of which the holder may not have heard yet:
    /// what was acknowledged before it came is no news to it.
    pub fn handle_subscribe(
        &mut self,
        stream: StreamId,
        mut subscribe: Subscribe,
        end: Position,
        now: Timestamp,
    ) {
        self.handle_timeout(now);
        let size = subscribe.size();
        let is_full = self.sessions.len() >= self.max_streams
            || self.matchers_size + size > MAX_HOLDER_MATCHERS_SIZE;
        if is_full {
            let answer = subscribe.unavailable();
            self.outputs.push_back(Output::Answer { stream, answer });
            return;
        }
        let log = Log { position: end.max(self.position), ..self.log() };
        let asked = subscribe.cursor.as_ref().map(|cursor| log.first(cursor, now));
        let here = Place { position: log.position, since: now };
        self.streams.insert(stream, &mut subscribe.matchers, &subscribe.hub);
        self.matchers_size += size;
        let state = match &asked {
            Some((step, _)) => State::Locating(*step),
            None => State::Replaying { fetching: false },
        };
        self.sessions.insert(stream, Session::new(subscribe, state, now));
        self.schedule(stream, now);
        match asked {
            Some((_, location)) => self.outputs.push_back(Output::Locate { stream, location }),
            None => self.open(stream, None, here, now),
        }
    }

    /// The platform breaks this stream's response off at `deadline`: the stream ends earlier, with
    /// its position.
    pub fn handle_deadline(&mut self, stream: StreamId, deadline: Timestamp, now: Timestamp) {
        if let Some(session) = self.sessions.get_mut(&stream) {
            session.be_done_before(deadline, now);
            self.schedule(stream, now);
        }
    }

    /// The process is about to end: all streams end, each with its position.
    pub fn handle_shutdown(&mut self, now: Timestamp) {
        let streams: Vec<StreamId> = self.sessions.keys().copied().collect();
        for stream in streams {
            if let Some(session) = self.sessions.get_mut(&stream) {
                session.leave(now);
                self.schedule(stream, now);
            }
        }
        self.handle_timeout(now);
    }

    fn log(&self) -> Log<'_> {
        Log { key: &self.key, position: self.position, replay_max: self.replay_max }
    }

    /// The log has answered an [`Output::Locate`].
    pub fn handle_located(&mut self, stream: StreamId, located: &Located, now: Timestamp) {
        self.handle_timeout(now);
        let Some(session) = self.sessions.get(&stream) else { return };
        let asked = session.locating().zip(session.subscribe.cursor.as_ref());
        let Some((step, cursor)) = asked else { return };
        match self.log().next(step, cursor, located) {
            Next::Begin(place, answer) => self.open(stream, Some(&answer), place, now),
            Next::Ask(step, location) => {
                if let Some(session) = self.sessions.get_mut(&stream) {
                    session.ask(step);
                }
                self.outputs.push_back(Output::Locate { stream, location });
            }
        }
    }

    /// The log has answered a [`Fetch`].
    pub fn handle_page(&mut self, stream: StreamId, page: &Page, now: Timestamp) {
        self.handle_timeout(now);
        let Some(session) = self.sessions.get_mut(&stream) else { return };
        if session.fetches_after().is_none() {
            return;
        }
        match session.take_page(page, &self.pace, now) {
            Some(frames) => {
                for frame in frames {
                    self.write(vec![stream], frame, now);
                }
                self.advance(stream, now);
            }
            // Its reader learns what it lost when it resumes: from the answer field.
            None => self.end(stream, Output::Cut { stream }),
        }
    }

    /// The log could not answer for a passing reason.
    pub fn handle_failure(&mut self, stream: StreamId) {
        let Some(session) = self.sessions.get(&stream) else { return };
        let output = match session.locating() {
            Some(_) => Output::Answer { stream, answer: session.subscribe.unavailable() },
            None => Output::Cut { stream },
        };
        self.end(stream, output);
    }

    /// These updates have become durable; they follow the holder's position, in order.
    pub fn handle_appended(&mut self, appended: &[Appended], now: Timestamp) {
        self.handle_timeout(now);
        let frames: Vec<Bytes> =
            appended.iter().map(|update| sse::update(&update.update)).collect();
        let mut readers: Vec<Vec<StreamId>> = vec![Vec::new(); appended.len()];
        for (stream, wanted) in self.wanted(appended) {
            let Some(session) = self.sessions.get_mut(&stream) else { continue };
            let offered: Vec<(Position, usize)> = wanted
                .iter()
                .map(|&index| (appended[index].position, frames[index].len()))
                .collect();
            let taken = session.take_live(&offered, &self.pace, now);
            for &index in &wanted[..taken] {
                readers[index].push(stream);
            }
        }
        if let Some(last) = appended.last() {
            self.position = last.position;
        }
        for (frame, streams) in frames.into_iter().zip(readers) {
            self.write(streams, frame, now);
        }
    }

    /// The log was read up to here, and holds no more updates than were handed over: some numbers
    /// of a log may never get one.
    pub fn handle_reached(&mut self, position: Position) {
        self.position = self.position.max(position);
    }

    /// For each live stream, which of these updates it takes.
    fn wanted(&self, appended: &[Appended]) -> BTreeMap<StreamId, Vec<usize>> {
        let mut wanted: BTreeMap<StreamId, Vec<usize>> = BTreeMap::new();
        for (index, appended) in appended.iter().enumerate() {
            let subject = appended.update.subject();
            for stream in self.streams.select(&subject) {
                let session = self.sessions.get(&stream);
                if session.is_some_and(|session| session.takes_live(appended, &subject)) {
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
        if session.outbox.is_empty() && session.is_ending(now) {
            self.schedule(stream, now);
        }
        self.handle_timeout(now);
        self.advance(stream, now);
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
                Due::End => {
                    self.finish(stream);
                    continue;
                }
                Due::Farewell => {
                    self.say_farewell(stream, now);
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

    /// Tells a native reader its position, and ends a stream that has no more to say.
    fn say_farewell(&mut self, stream: StreamId, now: Timestamp) {
        let Some(session) = self.sessions.get_mut(&stream) else { return };
        let opened = session.locating().is_none();
        let words = if opened { session.say_farewell(&self.key, self.position, now) } else { None };
        match words {
            Some(words) => {
                self.write(vec![stream], words, now);
                self.schedule(stream, now);
            }
            None => self.finish(stream),
        }
    }

    /// Ends a stream whose time is up.
    fn finish(&mut self, stream: StreamId) {
        let Some(session) = self.sessions.get(&stream) else { return };
        if session.locating().is_some() {
            self.handle_failure(stream);
        } else if session.outbox.is_empty() {
            self.end(stream, Output::Close { stream });
        } else {
            self.end(stream, Output::Cut { stream });
        }
    }

    fn tell_position(&mut self, stream: StreamId, now: Timestamp) {
        let Some(session) = self.sessions.get_mut(&stream) else { return };
        let event = session.tell_position(&self.key, self.position, now);
        self.write(vec![stream], event, now);
    }

    /// Begins a stream's response, at a place in the log.
    fn open(&mut self, stream: StreamId, resumed: Option<&str>, cursor: Place, now: Timestamp) {
        let Some(session) = self.sessions.get_mut(&stream) else { return };
        let greeting = session.open(cursor, &self.key, now);
        let response = session.subscribe.opened(resumed);
        let joins = session.is_native();
        self.outputs.push_back(Output::Open { stream, response, joins });
        self.write(vec![stream], greeting, now);
        self.schedule(stream, now);
        self.advance(stream, now);
    }

    /// Lets a stream that catches up take its next step.
    fn advance(&mut self, stream: StreamId, now: Timestamp) {
        let Some(session) = self.sessions.get_mut(&stream) else { return };
        if session.advance(self.position, now) {
            self.fetching.push_back(stream);
        } else if session.is_ending(now) {
            self.schedule(stream, now);
        }
    }

    /// Writes to those of the streams that are still there.
    fn write(&mut self, mut streams: Vec<StreamId>, bytes: Bytes, now: Timestamp) {
        let chunk = self.waiting.chunk(bytes.len());
        let mut full = Vec::new();
        streams.retain(|stream| match self.sessions.get_mut(stream) {
            Some(session) => {
                session.outbox.push(chunk, now);
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
            let subscribe = &session.subscribe;
            self.streams.remove(stream, &subscribe.matchers, &subscribe.hub);
            self.matchers_size -= subscribe.size();
            self.wakes.remove(&(session.wake, stream));
        }
    }

    /// Sees to it that a stream is looked at when something is due to it. Writing only puts that
    /// off, so a wake that has become too early is found out when it comes.
    fn schedule(&mut self, stream: StreamId, now: Timestamp) {
        if let Some(session) = self.sessions.get_mut(&stream) {
            self.wakes.remove(&(session.wake, stream));
            session.wake = session.wakes(&self.pace, now);
            self.wakes.insert((session.wake, stream));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::config;
    use crate::{Admission, Command, Request, Step, StoredUpdate, Update, admit};

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    #[test]
    fn a_response_that_is_full_ends_with_its_position() {
        let mut config = config(&[("ANONYMOUS", "1"), ("NATIVE_READERS", "always")]);
        config.response_size = 500;
        let request = Request::new("GET", "https://hub.example/.well-known/mercure?match=a", []);
        let step = admit(&request, &config, NOW, &[1; 32]);
        let Step::Done(Admission::Forward(Command::Subscribe(subscribe))) = step else { panic!() };
        let mut holder = Holder::new(&config, CursorKey::from_bytes([1; 16]), Position::START);
        let stream = StreamId::new(1);
        holder.handle_subscribe(stream, subscribe, holder.position(), NOW);

        let mut written = Vec::new();
        for number in 1..=100 {
            let update = Update::restore(StoredUpdate {
                id: format!("urn:{number}"),
                topics: "a".into(),
                data: "x".repeat(100),
                private: false,
                event_type: None,
                retry: None,
            });
            let position = Position::new(number);
            holder.handle_appended(&[Appended { position, update: Arc::new(update) }], NOW);
            while let Some(output) = holder.poll_output() {
                match output {
                    Output::Write { bytes, .. } => {
                        holder.handle_taken(stream, bytes.len(), NOW);
                        written.extend(bytes);
                    }
                    Output::Open { .. } => {}
                    Output::Close { .. } => {
                        let text = String::from_utf8(written).unwrap();
                        assert!((500..1_000).contains(&text.len()), "{}", text.len());
                        assert!(text.ends_with("event: cinnabar\ndata:\n\n"), "{text}");
                        return;
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
        panic!("it did not end");
    }
}
