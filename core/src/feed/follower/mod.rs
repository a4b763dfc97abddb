//! The side that holds streams.
//!
//! ```text
//!            ask              Connect            Hello               no stream for a while
//!  resting ───────▶ waiting ─────────▶ opening ────────▶ following ───────────────────────▶ resting
//!                      ▲                  │                  │
//!                      └──────────────────┴──────────────────┘
//!                             the link ends: once more, a little later
//! ```

pub(crate) mod backoff;
pub(crate) mod output;
pub(crate) mod questions;

use std::collections::VecDeque;

use crate::feed::ending::Ending;
use crate::feed::follower::backoff::Backoff;
use crate::feed::follower::output::FollowerOutput;
use crate::feed::follower::questions::{Questions, TooManyQuestions};
use crate::feed::limits::{
    FOLLOWER_GONE, HELLO_WITHIN, LINGER, PING_AFTER, PONG_WITHIN, TAKEN_EVERY,
};
use crate::feed::message::{
    Answer, Follow, Hello, Loss, Question, QuestionId, ToFollower, ToLeader, Updates,
};
use crate::feed::names::{FollowerId, LinkId};
use crate::terms::cursor::{CursorKey, Position};
use crate::time::Timestamp;

/// The side of a feed that holds streams.
#[derive(Debug)]
pub struct Follower {
    name: FollowerId,
    state: State,
    /// How many links there ever were.
    links: u64,
    /// The log that the streams follow, and how much of it they have been given.
    log: Option<(CursorKey, Position)>,
    questions: Questions,
    backoff: Backoff,
    /// Whether there are streams.
    holds: bool,
    /// Since when there is no link, though there is something to follow for.
    away: Option<Timestamp>,
    is_over: bool,
    outputs: VecDeque<FollowerOutput>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// There is nothing to follow for: no link, and no timer.
    Resting,
    /// It tries again at this moment.
    Waiting(Timestamp),
    /// It waits for the leader's hello, until this moment.
    Opening(LinkId, Timestamp),
    Following(Following),
}

#[derive(Clone, Copy, Debug)]
struct Following {
    link: LinkId,
    since: Timestamp,
    /// When it heard of the leader last,
    heard: Timestamp,
    /// and when it asked for a sign of life since.
    pinged: Option<Timestamp>,
    /// How many bytes it has taken, and of how many it has said so.
    taken: usize,
    told: usize,
    /// Since when there has been nothing to follow for.
    idle: Option<Timestamp>,
}

impl Follower {
    /// A follower that rests until something is asked. `seed` is random, too.
    #[must_use]
    pub fn new(name: FollowerId, seed: u64) -> Self {
        Self {
            name,
            state: State::Resting,
            links: 0,
            log: None,
            questions: Questions::default(),
            backoff: Backoff::new(seed),
            holds: false,
            away: None,
            is_over: false,
            outputs: VecDeque::new(),
        }
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> FollowerId {
        self.name
    }

    /// Up to where the streams have been given the log; `None` while there is no holder.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        self.log.as_ref().map(|(_, position)| *position)
    }

    /// Whether there is a link over which it follows.
    #[must_use]
    pub fn is_following(&self) -> bool {
        matches!(self.state, State::Following(_))
    }

    /// How many questions have no answer.
    #[must_use]
    pub fn questions(&self) -> usize {
        self.questions.len()
    }

    /// The next thing to do.
    #[must_use]
    pub fn poll_output(&mut self) -> Option<FollowerOutput> {
        self.outputs.pop_front()
    }

    /// When to call [`Follower::handle_timeout`]; `None` while it rests.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let own = match self.state {
            State::Resting => None,
            State::Waiting(until) | State::Opening(_, until) => Some(until),
            State::Following(following) => Some(following.wakes()),
        };
        own.into_iter().chain(self.questions.first_deadline()).min()
    }

    /// Asks the leader something. The answer comes in a [`FollowerOutput::Answered`] or
    /// [`FollowerOutput::Failed`] of the returned number.
    ///
    /// Those who ask for the [end](Question::End) of the log before the question is sent share it, and its
    /// number: keep a list of them.
    ///
    /// # Errors
    ///
    /// Too many questions wait, or the streams were [cut](FollowerOutput::Cut). Never for an
    /// [`Unregister`](Question::Unregister) while they are not: what has ended must be told.
    pub fn ask(
        &mut self,
        question: Question,
        now: Timestamp,
    ) -> Result<QuestionId, TooManyQuestions> {
        if self.is_over {
            return Err(TooManyQuestions);
        }
        if let Question::Unregister(subscriptions) = &question {
            // Whoever waits for it waits no more.
            let withdrawn = self.questions.withdraw(subscriptions);
            self.outputs.extend(withdrawn.map(|question| FollowerOutput::Failed { question }));
        }
        let number = self.questions.ask(question, now)?;
        self.attend(now);
        Ok(number)
    }

    /// Says whether there are streams, or subscribers that wait for one: call it whenever that may have
    /// changed, with what [`Holder::is_idle`](crate::Holder::is_idle) denies. Without any, and without
    /// questions, the follower leaves after a while.
    pub fn handle_holds(&mut self, holds: bool, now: Timestamp) {
        self.holds = holds;
        self.attend(now);
    }

    /// The link has brought a binary message.
    pub fn handle_message(&mut self, link: LinkId, bytes: &[u8], now: Timestamp) {
        if self.link() != Some(link) {
            return;
        }
        match ToFollower::from_bytes(bytes) {
            Err(error) => return self.disconnect(error.into(), now),
            Ok(ToFollower::Hello(hello)) => self.greet(link, hello, now),
            Ok(message) => {
                let State::Following(following) = &mut self.state else {
                    return self.disconnect(Ending::Unruly, now);
                };
                following.hear(now);
                following.taken += bytes.len();
                self.take(message, now);
                self.tell_taken();
            }
        }
        self.attend(now);
    }

    /// The link has brought a [`PONG`](crate::feed::PONG).
    pub fn handle_pong(&mut self, link: LinkId, now: Timestamp) {
        if let State::Following(following) = &mut self.state
            && following.link == link
        {
            following.hear(now);
        }
    }

    /// The link could not be opened, or has ended.
    pub fn handle_disconnected(&mut self, link: LinkId, now: Timestamp) {
        if self.link() == Some(link) {
            self.wait(now);
            self.attend(now);
        }
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        for question in self.questions.pop_overdue(now) {
            self.outputs.push_back(FollowerOutput::Failed { question });
        }
        if self.is_given_up(now) {
            return self.cut(Loss::Gone);
        }
        match &mut self.state {
            State::Waiting(until) if *until <= now => self.connect(now),
            State::Opening(_, until) if *until <= now => self.disconnect(Ending::Dead, now),
            State::Following(following) if following.is_dead(now) => {
                self.disconnect(Ending::Dead, now);
            }
            State::Following(following) if following.has_lingered(now) => return self.leave(),
            State::Following(following) if following.pings(now) => {
                following.pinged = Some(now);
                let link = following.link;
                self.outputs.push_back(FollowerOutput::Ping { link });
            }
            _ => {}
        }
        self.attend(now);
    }

    /// Whether there is nothing left but ends to tell, and the leader has long told them by itself, or will
    /// when it is back: no follower tries for ever without a stream.
    fn is_given_up(&self, now: Timestamp) -> bool {
        let is_long_away = self.away.is_some_and(|away| away.plus(FOLLOWER_GONE) <= now);
        is_long_away && !self.holds && self.questions.are_ends()
    }

    /// The process ends: the follower leaves at once. Its streams have ended, and told so.
    pub fn handle_shutdown(&mut self) {
        self.leave();
        self.is_over = true;
    }

    /// The link that it has, or is about to.
    fn link(&self) -> Option<LinkId> {
        match &self.state {
            State::Opening(link, _) => Some(*link),
            State::Following(following) => Some(following.link),
            State::Resting | State::Waiting(_) => None,
        }
    }

    /// Does what follows from what there is to follow for: connects, sends what waits, or rests.
    fn attend(&mut self, now: Timestamp) {
        let is_idle = !self.holds && self.questions.is_empty();
        match &mut self.state {
            _ if self.is_over => {}
            State::Following(following) => {
                following.idle = match is_idle {
                    true => following.idle.or(Some(now)),
                    false => None,
                };
                self.send_questions();
            }
            State::Resting if !is_idle => self.connect(now),
            State::Waiting(_) | State::Opening(..) if is_idle => self.leave(),
            _ => {}
        }
    }

    fn connect(&mut self, now: Timestamp) {
        self.away.get_or_insert(now);
        self.links += 1;
        let link = LinkId::new(self.links);
        self.state = State::Opening(link, now.plus(HELLO_WITHIN));
        self.outputs.push_back(FollowerOutput::Connect { link });
    }

    /// Tries again in a moment.
    fn wait(&mut self, now: Timestamp) {
        let since = match &self.state {
            State::Following(following) => Some(following.since),
            _ => None,
        };
        self.away.get_or_insert(now);
        self.state = State::Waiting(self.backoff.again(since, now));
    }

    fn disconnect(&mut self, reason: Ending, now: Timestamp) {
        let link = self.link();
        self.outputs.extend(link.map(|link| FollowerOutput::Disconnect { link, reason }));
        self.wait(now);
        self.attend(now);
    }

    /// Says goodbye, and rests. Whoever comes next begins where the log ends then.
    fn leave(&mut self) {
        if let State::Following(following) = &self.state {
            self.send(following.link, &ToLeader::Goodbye);
        }
        let link = self.link();
        let reason = Ending::Idle;
        self.outputs.extend(link.map(|link| FollowerOutput::Disconnect { link, reason }));
        self.log = None;
        self.away = None;
        self.state = State::Resting;
    }

    /// The leader says hello: it knows nothing of this follower, or no longer.
    fn greet(&mut self, link: LinkId, hello: Hello, now: Timestamp) {
        let Hello { key, end } = hello;
        let from = match &self.log {
            None => {
                self.outputs.push_back(FollowerOutput::Begin { key: key.clone(), end });
                self.log = Some((key, end.position));
                end.position
            }
            Some((known, position)) if *known != key || *position > end.position => {
                return self.cut(Loss::OtherLog);
            }
            Some((_, position)) => *position,
        };
        self.away = None;
        let since = match &self.state {
            State::Following(following) => following.since,
            _ => now,
        };
        self.state = State::Following(Following {
            link,
            since,
            heard: now,
            pinged: None,
            taken: 0,
            told: 0,
            idle: None,
        });
        let is_noted = self.questions.is_noted();
        let follow = Follow { follower: self.name, link, from, is_noted };
        self.send(link, &ToLeader::Follow(follow));
        self.questions.start_over();
    }

    fn take(&mut self, message: ToFollower, now: Timestamp) {
        match message {
            // It has been attended to.
            ToFollower::Hello(_) => {}
            ToFollower::Updates(updates) => self.take_updates(updates, now),
            ToFollower::Answer(question, Some(answer)) => {
                if self.questions.answered(question) {
                    self.date(&answer);
                    self.outputs.push_back(FollowerOutput::Answered { question, answer });
                }
            }
            ToFollower::Answer(question, None) => {
                if self.questions.failed(question, now) {
                    self.outputs.push_back(FollowerOutput::Failed { question });
                }
            }
            ToFollower::Lost(loss) => self.cut(loss),
        }
    }

    fn take_updates(&mut self, updates: Updates, now: Timestamp) {
        let Updates { after, reached, mut updates } = updates;
        let Some((_, position)) = &mut self.log else { return };
        if after > *position {
            return self.disconnect(Ending::Gap, now);
        }
        if reached.position < *position {
            return;
        }
        updates.retain(|next| next.position > *position);
        *position = reached.position;
        if !updates.is_empty() {
            self.outputs.push_back(FollowerOutput::Appended { updates });
        }
        self.outputs.push_back(FollowerOutput::Reached { place: reached });
    }

    /// A log that ends where the streams are is known to have ended there lately.
    fn date(&mut self, answer: &Answer) {
        if let (Answer::End(end), Some((_, position))) = (answer, &self.log)
            && end.position == *position
        {
            self.outputs.push_back(FollowerOutput::Reached { place: *end });
        }
    }

    /// The streams cannot go on.
    fn cut(&mut self, loss: Loss) {
        let link = self.link();
        let reason = loss.into();
        self.outputs.extend(link.map(|link| FollowerOutput::Disconnect { link, reason }));
        let failed = self.questions.drain().map(|question| FollowerOutput::Failed { question });
        self.outputs.extend(failed);
        self.outputs.push_back(FollowerOutput::Cut { loss });
        self.log = None;
        self.away = None;
        self.state = State::Resting;
        self.is_over = true;
    }

    fn send_questions(&mut self) {
        while let State::Following(Following { link, .. }) = self.state
            && let Some((number, question)) = self.questions.next()
        {
            self.send(link, &ToLeader::Ask(number, question));
        }
    }

    /// Says how much was taken, now and then.
    fn tell_taken(&mut self) {
        if let State::Following(following) = &mut self.state
            && following.taken - following.told >= TAKEN_EVERY
        {
            following.told = following.taken;
            let (link, taken) = (following.link, following.taken as u64);
            self.send(link, &ToLeader::Taken(taken));
        }
    }

    fn send(&mut self, link: LinkId, message: &ToLeader) {
        let bytes = message.to_bytes().into();
        self.outputs.push_back(FollowerOutput::Send { link, bytes });
    }
}

impl Following {
    /// There was a sign of life.
    fn hear(&mut self, now: Timestamp) {
        self.heard = now;
        self.pinged = None;
    }

    fn wakes(&self) -> Timestamp {
        let next = match self.pinged {
            Some(pinged) => pinged.plus(PONG_WITHIN),
            None => self.heard.plus(PING_AFTER),
        };
        self.idle.map_or(next, |idle| next.min(idle.plus(LINGER)))
    }

    fn pings(&self, now: Timestamp) -> bool {
        self.pinged.is_none() && self.heard.plus(PING_AFTER) <= now
    }

    fn is_dead(&self, now: Timestamp) -> bool {
        self.pinged.is_some_and(|pinged| pinged.plus(PONG_WITHIN) <= now)
    }

    fn has_lingered(&self, now: Timestamp) -> bool {
        self.idle.is_some_and(|idle| idle.plus(LINGER) <= now)
    }
}
