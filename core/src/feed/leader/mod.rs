//! The side that has the log.
//!
//! ```text
//!             Follow               everything up to the end was sent
//!  Hello ───────────▶ catching up ──────────────────────────────────▶ live
//!                     (reads the log,  ◀──────────────────────────────  (is sent what becomes durable)
//!                      page by page)      too much is on its way to it
//! ```
//!
//! A link becomes live in the step in which everything up to the log's end was sent to it, and while it
//! is behind, nothing is kept for it. So there is no gap, nothing is sent twice, and a slow follower
//! costs no memory.

pub(crate) mod followers;
pub(crate) mod link;
pub(crate) mod output;
pub(crate) mod readers;
pub(crate) mod recent;

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use crate::feed::ending::Ending;
use crate::feed::leader::followers::Followers;
use crate::feed::leader::link::{Follows, Link};
use crate::feed::leader::output::{Asked, Kind, LeaderOutput};
use crate::feed::leader::readers::Readers;
use crate::feed::leader::recent::{Frame, Recent};
use crate::feed::limits::{JOINED, PAGES_AT_ONCE, QUESTIONS_ON_THE_WAY};
use crate::feed::message::{
    Answer, Follow, Hello, Loss, Question, QuestionId, ToFollower, ToLeader, Updates,
};
use crate::feed::names::{FollowerId, LinkId};
use crate::limits::PAGE_UPDATES;
use crate::streams::history::{Appended, Fetch, Page, PageLimit};
use crate::streams::stream_id::StreamId;
use crate::terms::cursor::{CursorKey, Place, Position};
use crate::time::Timestamp;

/// The side of a feed that has the log.
#[derive(Debug)]
pub struct Leader {
    key: CursorKey,
    end: Place,
    links: BTreeMap<LinkId, Link>,
    followers: Followers,
    recent: Recent,
    readers: Readers,
    /// Where pages of the log that are being read begin, and for whom.
    reading: BTreeMap<Position, Vec<LinkId>>,
    /// Links with questions that wait, in turn.
    turns: VecDeque<LinkId>,
    /// How many pages are being read for streams of followers.
    pages: usize,
    outputs: VecDeque<LeaderOutput>,
}

impl Leader {
    /// A leader without links, of a log whose durable updates end at `end`. `noted` are the followers whose
    /// subscriptions the log notes as active; those that do not come back are
    /// [gone](LeaderOutput::Gone).
    #[must_use]
    pub fn new(
        key: CursorKey,
        end: Place,
        noted: impl IntoIterator<Item = FollowerId>,
        now: Timestamp,
    ) -> Self {
        Self {
            key,
            end,
            links: BTreeMap::new(),
            followers: Followers::new(noted, now),
            recent: Recent::default(),
            readers: Readers::default(),
            reading: BTreeMap::new(),
            turns: VecDeque::new(),
            pages: 0,
            outputs: VecDeque::new(),
        }
    }

    /// How many links there are.
    #[must_use]
    pub fn links(&self) -> usize {
        self.links.len()
    }

    /// How many bytes are on their way to a link.
    #[must_use]
    pub fn on_the_way(&self, link: LinkId) -> usize {
        self.links.get(&link).map_or(0, |link| link.window.on_the_way())
    }

    /// How many bytes of messages are kept for followers that are a moment behind.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.recent.size()
    }

    /// The next thing to do.
    #[must_use]
    pub fn poll_output(&mut self) -> Option<LeaderOutput> {
        self.outputs.pop_front()
    }

    /// When to call [`Leader::handle_timeout`]; `None` while no follower is away whose subscriptions are
    /// noted.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.followers.first_gone()
    }

    /// A link was opened; or it outlived an earlier leader, whose memory was lost.
    pub fn handle_connected(&mut self, link: LinkId) {
        self.links.insert(link, Link::default());
        let hello = ToFollower::Hello(Hello { key: self.key.clone(), end: self.end });
        self.outputs
            .push_back(LeaderOutput::Send { links: vec![link], bytes: hello.to_bytes().into() });
    }

    /// A link has brought a binary message.
    pub fn handle_message(&mut self, link: LinkId, bytes: &[u8], now: Timestamp) {
        let Some(known) = self.links.get_mut(&link) else { return };
        match self.readers.read(bytes) {
            Err(error) => self.end(link, error.into(), now),
            Ok(ToLeader::Follow(follow)) => self.follow(link, follow, now),
            // It was said to a leader that is no more. What matters is said again, after `Follow`.
            Ok(_) if known.follows.is_none() => {}
            Ok(ToLeader::Taken(taken)) => match known.window.take(taken) {
                true => self.advance(link),
                false => self.end(link, Ending::Unruly, now),
            },
            Ok(ToLeader::Ask(number, question)) => self.ask(link, number, question, now),
            Ok(ToLeader::Goodbye) => {
                if let Some(Link { follows: Some(follows), .. }) = self.links.remove(&link) {
                    self.followers.forget(follows.follower);
                }
                self.outputs.push_back(LeaderOutput::End { link, reason: Ending::Idle });
            }
        }
        self.serve();
    }

    /// A link has ended.
    pub fn handle_disconnected(&mut self, link: LinkId, now: Timestamp) {
        if let Some(Link { follows: Some(follows), .. }) = self.links.remove(&link) {
            self.followers.leave(follows.follower, now);
        }
    }

    /// These updates have become durable. They follow what the leader was told before, in order.
    pub fn handle_appended(&mut self, appended: &[Appended]) {
        let known = appended.partition_point(|next| next.position <= self.end.position);
        let mut rest = &appended[known..];
        while let Some(count) = joined(rest) {
            let (next, after) = rest.split_at(count);
            rest = after;
            if let Some(last) = next.last() {
                let reached = Place { position: last.position, ..self.end };
                self.extend(next, reached);
            }
        }
    }

    /// The log was read up to here, as [`Holder::handle_reached`](crate::Holder::handle_reached) is told.
    pub fn handle_reached(&mut self, reached: Place) {
        let reached = self.end.advanced_to(reached);
        match reached.position > self.end.position {
            true => self.extend(&[], reached),
            false => self.end = reached,
        }
    }

    /// A page of the log was read; `None` if it could not be.
    pub fn handle_page(&mut self, fetch: &Fetch, page: Option<&Page>, now: Timestamp) {
        let Some(links) = self.reading.remove(&fetch.after) else { return };
        let at = fetch.after;
        let links = links.into_iter().filter(|link| {
            let follows = self.links.get_mut(link).and_then(|link| link.follows.as_mut());
            follows.is_some_and(|follows| follows.at == at && std::mem::take(&mut follows.reading))
        });
        let links: Vec<LinkId> = links.collect();
        match page {
            Some(page) if page.oldest > at.next() => {
                links.into_iter().for_each(|link| self.lose(link, Loss::Dropped, now));
            }
            Some(page) if page.reached > at => {
                let reached =
                    Place { position: page.reached, since: page.since.unwrap_or_default() };
                let frame = self.frame(&page.updates, at, reached);
                self.send_updates(&links, &frame);
                links.into_iter().for_each(|link| self.advance(link));
            }
            _ => links.into_iter().for_each(|link| self.end(link, Ending::Unreadable, now)),
        }
    }

    /// A question was answered; `None` if it cannot be, for a passing reason.
    pub fn handle_answer(&mut self, asked: Asked, answer: Option<Answer>) {
        match asked.kind {
            Kind::Page => self.pages = self.pages.saturating_sub(1),
            Kind::Record => self.followers.end_record(asked.follower),
            Kind::Other => {}
        }
        // Another follower's link may have the same name by now, if an earlier leader gave it.
        if let Some(link) = self.links.get_mut(&asked.link)
            && link.follows.is_some_and(|follows| follows.follower == asked.follower)
        {
            link.under_way = link.under_way.saturating_sub(1);
            let bytes = ToFollower::Answer(asked.number, answer).to_bytes();
            self.send(vec![asked.link], bytes.into());
        }
        self.serve();
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        for follower in self.followers.pop_gone(now) {
            self.outputs.push_back(LeaderOutput::Gone { follower });
        }
    }

    /// The follower at the other end says where it stands.
    fn follow(&mut self, link: LinkId, follow: Follow, now: Timestamp) {
        let Follow { follower, link: own, from, is_noted } = follow;
        let older = self.links.iter().find_map(|(other, known)| {
            let follows = known.follows.filter(|follows| follows.follower == follower)?;
            (*other != link).then_some((*other, follows.link))
        });
        match older {
            // What its older link still brings was said before, and has been said again since.
            Some((_, newer)) if newer > own => return self.end(link, Ending::Replaced, now),
            Some((other, _)) => self.end(other, Ending::Replaced, now),
            None => {}
        }
        if let Some(known) = self.links.get_mut(&link) {
            let follows = Follows { follower, link: own, at: from, reading: false };
            *known = Link { follows: Some(follows), ..Link::default() };
        }
        if is_noted && !self.followers.is_noted(follower) {
            return self.lose(link, Loss::Gone, now);
        }
        if from > self.end.position {
            return self.lose(link, Loss::OtherLog, now);
        }
        self.followers.come(follower);
        self.advance(link);
    }

    /// The log goes on to this place.
    fn extend(&mut self, updates: &[Appended], reached: Place) {
        let after = std::mem::replace(&mut self.end, reached).position;
        let is_there = |(_, link): &(&LinkId, &Link)| link.stands() == Some(after);
        let links: Vec<LinkId> = self.links.iter().filter(is_there).map(|(id, _)| *id).collect();
        if links.is_empty() {
            return;
        }
        let frame = self.frame(updates, after, reached);
        let length = frame.bytes.len();
        let fits = |id: &LinkId| self.links.get(id).is_some_and(|link| link.window.fits(length));
        let live: Vec<LinkId> = links.into_iter().filter(fits).collect();
        self.send_updates(&live, &frame);
    }

    /// The message of these updates, made once.
    fn frame(&mut self, updates: &[Appended], after: Position, reached: Place) -> Frame {
        let head = ToFollower::Updates(Updates { after, reached, updates: Vec::new() });
        let bytes = Bytes::from(head.with_updates(updates));
        let frame = Frame { after, reached: reached.position, bytes };
        self.recent.push(frame.clone());
        frame
    }

    fn send_updates(&mut self, links: &[LinkId], frame: &Frame) {
        for link in links {
            let link = self.links.get_mut(link).and_then(|link| link.follows.as_mut());
            if let Some(follows) = link {
                follows.at = frame.reached;
            }
        }
        self.send(links.to_vec(), frame.bytes.clone());
    }

    /// Lets a link that is behind take its next step.
    fn advance(&mut self, link: LinkId) {
        while let Some(known) = self.links.get_mut(&link)
            && let Some(at) = known.stands()
            && at < self.end.position
        {
            if let Some(frame) = self.recent.after(at) {
                if !known.window.fits(frame.bytes.len()) {
                    return;
                }
                let frame = frame.clone();
                self.send_updates(&[link], &frame);
                continue;
            }
            if !known.window.fits(JOINED) {
                return;
            }
            if let Some(follows) = &mut known.follows {
                follows.reading = true;
            }
            // One page for all that stand there.
            let links = self.reading.entry(at).or_default();
            links.push(link);
            if links.len() == 1 {
                let limit = PageLimit { updates: PAGE_UPDATES, bytes: JOINED };
                let fetch = Fetch {
                    stream: StreamId::new(0),
                    after: at,
                    through: self.end.position,
                    limit,
                    // Nothing had expired then: it reads whatever is kept.
                    as_of: Timestamp::default(),
                };
                self.outputs.push_back(LeaderOutput::Read { fetch });
            }
        }
    }

    /// A follower asks.
    fn ask(&mut self, link: LinkId, number: QuestionId, question: Question, now: Timestamp) {
        let Some(known) = self.links.get_mut(&link) else { return };
        if known.waiting.len() + known.under_way >= QUESTIONS_ON_THE_WAY {
            return self.end(link, Ending::Unruly, now);
        }
        known.waiting.push_back((number, question));
        if known.waiting.len() == 1 {
            self.turns.push_back(link);
        }
    }

    /// Has questions answered, one of each link in turn.
    fn serve(&mut self) {
        let mut idle = 0;
        while idle < self.turns.len()
            && let Some(link) = self.turns.pop_front()
        {
            match self.serve_one(link) {
                true => idle = 0,
                false => idle += 1,
            }
            if self.links.get(&link).is_some_and(|known| !known.waiting.is_empty()) {
                self.turns.push_back(link);
            }
        }
    }

    /// Has the next question of a link answered that may be. Returns whether there is one.
    fn serve_one(&mut self, link: LinkId) -> bool {
        let Some(known) = self.links.get_mut(&link) else { return false };
        let Some(Follows { follower, .. }) = known.follows else { return false };
        if !known.window.fits(JOINED) {
            return false;
        }
        let (pages, followers) = (self.pages, &mut self.followers);
        let mut is_recording = false;
        let next = known.waiting.iter().position(|(_, question)| match Kind::of(question) {
            Kind::Page => pages < PAGES_AT_ONCE,
            // In the order in which they were asked.
            Kind::Record => {
                !std::mem::replace(&mut is_recording, true) && followers.begin_record(follower)
            }
            Kind::Other => true,
        });
        let Some((number, mut question)) = next.and_then(|next| known.waiting.remove(next)) else {
            return false;
        };
        known.under_way += 1;
        match &mut question {
            Question::Page(fetch, _) => {
                self.pages += 1;
                fetch.limit.updates = fetch.limit.updates.min(PAGE_UPDATES);
                fetch.limit.bytes = fetch.limit.bytes.min(JOINED);
            }
            Question::Register(_) => self.followers.note(follower),
            _ => {}
        }
        let asked = Asked { link, number, follower, kind: Kind::of(&question) };
        self.outputs.push_back(LeaderOutput::Answer { asked, question });
        true
    }

    fn send(&mut self, links: Vec<LinkId>, bytes: Bytes) {
        for link in &links {
            if let Some(link) = self.links.get_mut(link) {
                link.window.send(bytes.len());
            }
        }
        if !links.is_empty() {
            self.outputs.push_back(LeaderOutput::Send { links, bytes });
        }
    }

    /// Tells a follower that its streams cannot go on.
    fn lose(&mut self, link: LinkId, loss: Loss, now: Timestamp) {
        self.send(vec![link], ToFollower::Lost(loss).to_bytes().into());
        self.end(link, loss.into(), now);
    }

    fn end(&mut self, link: LinkId, reason: Ending, now: Timestamp) {
        self.handle_disconnected(link, now);
        self.outputs.push_back(LeaderOutput::End { link, reason });
    }
}

/// How many of these updates are joined in one message; `None` if there are none.
fn joined(updates: &[Appended]) -> Option<usize> {
    let mut size = 0;
    let fit = updates.iter().take_while(|next| {
        size += next.update.size();
        size <= JOINED
    });
    (!updates.is_empty()).then(|| fit.count().max(1))
}
