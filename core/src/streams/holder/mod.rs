//! The holder of streams: all those of one process, or of one Durable Object.
//!
//! Methods come in three kinds, as in other protocol crates without I/O:
//!
//! - `handle_*` tell it what happened: a subscriber arrived, updates became durable, time passed.
//! - `poll_*` say what it wants: bytes written, a question asked, a page read, to be woken.
//! - the rest are plain getters.
//!
//! After every `handle_*`, drain [`Holder::poll_output`] and carry out each output, in order; then
//! sleep until [`Holder::poll_timeout`], if there is one. Pages of history are requested
//! separately, by [`Holder::poll_fetch`]: read one, drain the outputs again, and let others run
//! before the next, so that no replay holds up live streams, and memory holds one page at a time.
//! The crate's documentation shows that loop.
//!
//! Everything the holder hears of is durable. Its position is that of the newest durable update,
//! and no stream is given anything past it.

mod delivery;
mod life;
mod presence;

use std::collections::VecDeque;
use std::sync::Arc;

use crate::command::subscribe::Subscribe;
use crate::config::Config;
use crate::limits::{MAX_HOLDER_MATCHERS_SIZE, PAGE_UPDATES};
use crate::matching::index::Index;
use crate::streams::allowance::Allowance;
use crate::streams::history::{Appended, Fetch, Located, Page, PageLimit};
use crate::streams::outbox::Waiting;
use crate::streams::output::{Output, Shell};
use crate::streams::outputs::Outputs;
use crate::streams::pace::Pace;
use crate::streams::registrations::Registrations;
use crate::streams::resume::{Horizon, Next};
use crate::streams::session::{Due, Session, State};
use crate::streams::stream_id::{ByStream, StreamId};
use crate::streams::tally::Tally;
use crate::streams::waiters::Waiters;
use crate::streams::wakes::Wakes;
use crate::terms::cursor::{CursorKey, Place, Position};
use crate::time::Timestamp;
use crate::wire::sse;

/// All streams of one process, or of one Durable Object.
#[derive(Debug)]
pub struct Holder {
    key: CursorKey,
    reached: Place,
    sessions: ByStream<Session>,
    index: Index<StreamId>,
    wakes: Wakes,
    tally: Tally,
    /// Those of which others are told first.
    registrations: Registrations,
    /// How much the matchers of all sessions keep.
    matchers_size: usize,
    waiting: Waiting,
    waiters: Waiters,
    outputs: Outputs,
    /// The streams that are waiting to ask for a page, in turn.
    fetching: VecDeque<StreamId>,
    pace: Pace,
    replay_max: u64,
    max_streams: usize,
    outboxes_size: usize,
}

impl Holder {
    /// A holder without streams, over a log whose durable updates end at `end`.
    #[must_use]
    pub fn new(config: &Config, key: CursorKey, end: Place) -> Self {
        Self {
            key,
            reached: end,
            sessions: ByStream::default(),
            index: Index::default(),
            wakes: Wakes::default(),
            tally: Tally::default(),
            registrations: Registrations::default(),
            matchers_size: 0,
            waiting: Waiting::default(),
            waiters: Waiters::default(),
            outputs: Outputs::default(),
            fetching: VecDeque::new(),
            pace: Pace::of(config),
            replay_max: config.replay_max,
            max_streams: config.max_streams,
            outboxes_size: config.outboxes_size,
        }
    }

    /// The newest durable update that the holder has heard of.
    #[must_use]
    pub fn position(&self) -> Position {
        self.reached.position
    }

    /// How many streams there are.
    #[must_use]
    pub fn streams(&self) -> usize {
        self.sessions.len()
    }

    /// Whether there is nothing to do: no stream, and none that others are still to be told of.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.sessions.is_empty() && self.registrations.is_empty() && self.outputs.is_empty()
    }

    /// What a stream subscribed to.
    #[must_use]
    pub fn subscription(&self, stream: StreamId) -> Option<Arc<Subscribe>> {
        self.sessions.get(&stream).map(|session| Arc::clone(&session.subscribe))
    }

    /// The next thing to do.
    #[must_use]
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop()
    }

    /// Has a shell carry out everything that there is to do: the loop around
    /// [`Holder::poll_output`].
    pub fn drive(&mut self, shell: &mut impl Shell) {
        while let Some(output) = self.poll_output() {
            output.carry_out(shell);
        }
    }

    /// The next page to read and hand back to [`Holder::handle_page`]; with what its stream
    /// subscribed to, for the [`Pager`](crate::Pager) that fills it while the holder is in use.
    #[must_use]
    pub fn poll_fetch(&mut self) -> Option<(Fetch, Arc<Subscribe>)> {
        while let Some(stream) = self.fetching.pop_front() {
            let Some(session) = self.sessions.get(&stream) else { continue };
            if let Some(after) = session.fetches_after() {
                let fetch = Fetch {
                    stream,
                    after,
                    through: self.reached.position,
                    limit: PageLimit { updates: PAGE_UPDATES, bytes: self.pace.outbox_size },
                    as_of: session.promised(),
                };
                return Some((fetch, Arc::clone(&session.subscribe)));
            }
        }
        None
    }

    /// When to call [`Holder::handle_timeout`]; `None` while there are no streams.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.wakes.first()
    }

    /// Whether there is room for one more stream, of this subscriber.
    #[must_use]
    pub fn has_room_for(&self, subscribe: &Subscribe) -> bool {
        self.sessions.len() < self.max_streams
            && self.matchers_size + subscribe.size() <= MAX_HOLDER_MATCHERS_SIZE
            && self.index.has_room_for(&subscribe.matchers, &subscribe.hub)
    }

    /// A subscriber arrived when the log ended at `end`, which the holder may not have heard of
    /// yet. It is not sent what was acknowledged before it arrived.
    pub fn handle_subscribe(
        &mut self,
        stream: StreamId,
        mut subscribe: Subscribe,
        end: Place,
        now: Timestamp,
    ) {
        self.handle_timeout(now);
        // Its token may have expired on the way here: nothing is written at or after `exp`.
        if let Some(answer) = subscribe.expired(now) {
            self.outputs.push(Output::Answer { stream, answer });
            return;
        }
        if let Some(account) = self.tally.exhausted(&subscribe.quotas) {
            let answer = subscribe.limited(account, now);
            self.outputs.push(Output::Answer { stream, answer });
            return;
        }
        if !self.has_room_for(&subscribe) {
            let answer = subscribe.unavailable(now);
            self.outputs.push(Output::Answer { stream, answer });
            return;
        }
        let here = end.advanced_to(self.reached);
        self.matchers_size += subscribe.size();
        self.index.insert(stream, &mut subscribe.matchers, &subscribe.hub);
        self.tally.enter(&subscribe.quotas);
        let is_seen = subscribe.presence.is_some();
        let state = State::Registering(here);
        self.sessions.insert(stream, Session::new(subscribe, state, now));
        self.schedule(stream, now);
        match is_seen {
            true => self.register(stream),
            false => self.begin(stream, here, now),
        }
    }

    /// The platform will break off this stream's response at `deadline`. The stream ends before
    /// that, with its position.
    pub fn handle_deadline(&mut self, stream: StreamId, deadline: Timestamp, now: Timestamp) {
        if let Some(session) = self.sessions.get_mut(&stream) {
            session.be_done_before(deadline, now);
            self.schedule(stream, now);
        }
    }

    /// The process is about to end: all streams end, each with its position.
    pub fn handle_shutdown(&mut self, now: Timestamp) {
        let mut streams: Vec<StreamId> = self.sessions.keys().copied().collect();
        // In the order in which they came, so that the same calls always have the same outputs.
        streams.sort_unstable();
        for stream in streams {
            let Some(session) = self.sessions.get_mut(&stream) else { continue };
            if !session.has_begun() {
                self.fail(stream, now);
            } else {
                session.leave(now);
                self.schedule(stream, now);
            }
        }
        self.handle_timeout(now);
    }

    /// The log has answered an [`Output::Locate`].
    pub fn handle_located(&mut self, stream: StreamId, located: &Located, now: Timestamp) {
        self.handle_timeout(now);
        let Some(session) = self.sessions.get(&stream) else { return };
        let asked = session.locating().zip(session.subscribe.cursor.as_ref());
        let Some((question, cursor)) = asked else { return };
        match self.horizon().next(question, cursor, located) {
            Next::Begin(place, answer) => self.open(stream, Some(&answer), place, now),
            Next::Ask(question, location) => {
                if let Some(session) = self.sessions.get_mut(&stream) {
                    session.ask(question);
                }
                self.outputs.push(Output::Locate { stream, location });
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
                if !frames.is_empty() {
                    self.write(vec![stream], frames, now);
                }
                self.advance(stream, now);
            }
            // When its reader resumes, the answer field tells it that it missed updates.
            None => self.end(stream, Output::Cut { stream }),
        }
    }

    /// The log could not answer, for a temporary reason.
    pub fn handle_failure(&mut self, stream: StreamId, now: Timestamp) {
        // Its subscriptions have not begun.
        let _ = self.registrations.remove(stream);
        self.fail(stream, now);
    }

    /// These updates have become durable. They follow the holder's position, in order.
    pub fn handle_appended(&mut self, appended: &[Appended], now: Timestamp) {
        self.handle_timeout(now);
        let before = self.reached;
        // Before the writes: they can end streams, which are then told this position.
        if let Some(last) = appended.last() {
            self.reached.position = last.position;
        }
        let mut allowance = Allowance::new(appended.len());
        let mut undecided = Vec::new();
        for appended in appended {
            self.greet_arrival(appended, before, now);
            undecided.extend(self.offer(appended, before, &mut allowance, now));
        }
        for stream in undecided {
            self.advance(stream, now);
        }
    }

    /// The log was read up to here, and holds no updates beyond those handed over: some of its
    /// positions may never get one. `reached.since` is a time before the read that showed this,
    /// however long ago that was. Readers are told it, so a log that drops updates by age must be
    /// able to rely on it.
    pub fn handle_reached(&mut self, reached: Place) {
        self.reached = self.reached.advanced_to(reached);
    }

    /// A reader has taken bytes that were written to its stream.
    pub fn handle_taken(&mut self, stream: StreamId, bytes: usize, now: Timestamp) {
        let Some(session) = self.sessions.get_mut(&stream) else { return };
        session.outbox.take(bytes, &mut self.waiting, now);
        let (is_ending, is_live) = (session.is_ending(now), session.is_live());
        if is_ending && session.outbox.is_empty() {
            self.schedule(stream, now);
        }
        self.handle_timeout(now);
        if is_ending || !is_live {
            self.advance(stream, now);
        }
    }

    /// A reader is gone; there is no response left to end.
    pub fn handle_gone(&mut self, stream: StreamId) {
        self.forget(stream);
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        let mut silent = Vec::new();
        while let Some(stream) = self.wakes.pop_due(now) {
            let Some(session) = self.sessions.get(&stream) else { continue };
            let due = session.due(&self.pace, self.reached, now);
            // A stream whose outbox is not empty needs no other sign of life.
            let idle = session.outbox.is_empty();
            match due {
                Due::End => {
                    self.finish(stream, now);
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
            if let Some(session) = self.sessions.get_mut(&stream)
                && due != Due::Nothing
            {
                session.wrote(now);
            }
            self.schedule(stream, now);
        }
        if !silent.is_empty() {
            self.write(silent, sse::COMMENT, now);
        }
    }

    fn horizon(&self) -> Horizon<'_> {
        Horizon { key: &self.key, end: self.reached, replay_max: self.replay_max }
    }
}
