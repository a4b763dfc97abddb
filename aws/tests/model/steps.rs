//! What publishers and readers do: each step asks the code that ships.

use std::time::Duration;

use cinnabar_aws::log::Moment;
use cinnabar_aws::log::cell::{Cell, Numbered};
use cinnabar_aws::log::lookup::{self, Earliest, Hit, Newest};
use cinnabar_aws::log::publication::{self, Publication, Put};
use cinnabar_aws::log::reader::{self, Reader, Seal};
use cinnabar_aws::log::timing::Timing;
use cinnabar_core::Timestamp;

use crate::state::{Answer, Call, Sent, State, Told, Who, at, moment};
use crate::world::{Rule, World, timing};

impl World {
    pub(crate) fn has(&self, rule: Rule) -> bool {
        self.without != Some(rule)
    }

    /// The bounds that a publisher goes by.
    pub(crate) fn publisher_timing(&self) -> Timing {
        let lease = if self.has(Rule::Lease) { timing().lease } else { Duration::MAX };
        Timing { lease, ..timing() }
    }

    pub(crate) fn publisher_now(&self, who: Who, now: u64) -> u64 {
        // Time begins late enough for clocks that are behind.
        let ahead = if who == 0 { self.skew.max(0) } else { 0 };
        let behind = if who == 0 { (-self.skew).max(0) } else { 0 };
        now + 10 + u64::try_from(ahead).unwrap() - u64::try_from(behind).unwrap()
    }

    pub(crate) fn reader_now(now: u64) -> u64 {
        now + 10
    }

    pub(crate) fn id(&self, who: Who) -> Who {
        if self.one_id { 0 } else { who }
    }

    pub(crate) fn begin(&self, state: &mut State, who: Who) {
        let now = moment(self.publisher_now(who, state.now));
        let after = (0..self.publishers)
            .filter(|&other| {
                matches!(state.publishers[other].answer, Some(Answer::Acknowledged(_)))
            })
            .collect();
        let publisher = &mut state.publishers[who];
        publisher.after = after;
        let mut publication = Publication::begin(now);
        if let Some(number) = publisher.early {
            publication.handle_number(at(number));
            publisher.allotted = now.wall.as_millis();
        }
        publisher.publication = Some(publication);
    }

    /// What a publisher would do next.
    pub(crate) fn step(&self, state: &State, who: Who) -> Option<publication::Step> {
        let publisher = &state.publishers[who];
        if publisher.waits || publisher.answer.is_some() {
            return None;
        }
        let now = moment(self.publisher_now(who, state.now));
        Some(publisher.publication.as_ref()?.step(&self.publisher_timing(), now))
    }

    pub(crate) fn take_number(state: &mut State) -> u64 {
        state.head += 1;
        state.head
    }

    pub(crate) fn number(&self, state: &mut State, who: Who, heard: bool) {
        let number = Self::take_number(state);
        let now = self.publisher_now(who, state.now);
        if !heard {
            state.faults += 1;
            return;
        }
        let publisher = &mut state.publishers[who];
        publisher.allotted = now;
        if let Some(publication) = &mut publisher.publication {
            publication.handle_number(at(number));
        }
        if !self.has(Rule::AcknowledgeAfterWrite) {
            publisher.answer = Some(Answer::Acknowledged(number));
        }
    }

    pub(crate) fn arrive(&self, state: &mut State, sent: &Sent, heard: bool) {
        state.sent.remove(sent);
        let Sent { who, number, allotted } = *sent;
        let publisher = &state.publishers[who];
        let Some(publication) = &publisher.publication else { return };
        let expires = publication.expires(&timing());
        let put = match state.cell(number) {
            None => Put::Written,
            Some(Cell::Tombstone { .. }) if !self.has(Rule::PutRefusedByTombstone) => Put::Written,
            Some(Cell::Tombstone { .. }) => Put::Tombstone,
            Some(Cell::Update { update, .. }) if *update == who => {
                if self.has(Rule::Token) {
                    Put::Written
                } else {
                    Put::Foreign
                }
            }
            Some(Cell::Update { .. }) => Put::Foreign,
        };
        if put == Put::Written {
            let cell =
                Cell::Update { expires, allotted: Timestamp::from_millis(allotted), update: who };
            let ttl = timing().forgotten(expires).as_millis();
            state.held.insert(number, expires);
            state.put(number, cell, ttl);
        }
        if !heard {
            state.faults += 1;
            return;
        }
        let put = match put {
            Put::Tombstone if !self.has(Rule::TombstoneHeeded) => Put::Written,
            // Without a token its own update looks like another's, and it looks for a free number.
            Put::Foreign if !self.has(Rule::Token) => Put::Tombstone,
            put => put,
        };
        let publisher = &mut state.publishers[who];
        if let Some(publication) = &mut publisher.publication
            && publisher.waits
        {
            publication.handle_put(put);
            publisher.waits = false;
        }
    }

    pub(crate) fn timeout(&self, state: &mut State, who: Who) {
        state.faults += 1;
        let free = !self.has(Rule::SameNumberAfterTimeout);
        let publisher = &mut state.publishers[who];
        publisher.waits = false;
        if let Some(publication) = &mut publisher.publication {
            publication.handle_put(if free { Put::Tombstone } else { Put::Unknown });
        }
    }

    pub(crate) fn answer(&self, state: &mut State, who: Who) {
        let answer = match self.step(state, who) {
            Some(publication::Step::Acknowledge(number)) => Answer::Acknowledged(number.get()),
            _ => Answer::Refused,
        };
        state.publishers[who].answer = Some(answer);
    }

    /// A reader begins after a number; its holder is at the head, or further.
    pub(crate) fn start(state: &mut State, index: usize, after: u64) {
        let head = state.head;
        let publishers = (0..).zip(&state.publishers);
        let before = publishers.filter(|(_, publisher)| publisher.publication.is_none());
        let before = before.map(|(who, _)| who).collect();
        let follower = &mut state.followers[index];
        follower.reader = Some(Reader::new(at(after)));
        follower.through = head;
        follower.began = after;
        follower.began_at = Self::reader_now(state.now);
        follower.before = before;
        follower.looks = None;
    }

    /// Whether all that was acknowledged past a number is still there to be read.
    pub(crate) fn keeps_after(state: &State, after: u64) -> bool {
        let now = Timestamp::from_millis(Self::reader_now(state.now));
        state.publishers.iter().all(|publisher| match publisher.answer {
            Some(Answer::Acknowledged(number)) => number <= after || publisher.expires() > now,
            _ => true,
        })
    }

    pub(crate) fn found(&self, state: &mut State, index: usize) {
        let Some((looked, asked)) = state.followers[index].looks else { return };
        let present = state.present(0);
        let first = present.iter().find(|cell| cell.position > at(looked));
        let first = first.map(|cell| (cell.position, cell.cell.written()));
        let bounds = match self.without {
            Some(Rule::EarliestSkew) => Timing { skew: Duration::ZERO, ..timing() },
            _ => timing(),
        };
        let asked = Timestamp::from_millis(Self::reader_now(asked));
        match lookup::earliest(&bounds, at(0), at(state.head), first, asked) {
            Earliest::After(after) => Self::start(state, index, after.get()),
            Earliest::Ask => {
                state.followers[index].looks = None;
                if let (false, Some((first, _))) = (self.has(Rule::EarliestSettled), first) {
                    Self::start(state, index, first.get() - 1);
                }
            }
        }
    }

    pub(crate) fn look_up(&self, state: &mut State, index: usize, unindexed: u64, stale: u64) {
        let Some(&(_, last)) = state.followers[0].delivered.last() else { return };
        let id = self.id(last);
        let seen = state.followers[0].delivered.iter().find(|(_, who)| self.id(*who) == id);
        let Some(&(seen, _)) = seen else { return };
        let hit = |cells: Vec<Numbered<Who>>| {
            cells.into_iter().find_map(|cell| match cell.cell {
                Cell::Update { expires, update, .. } if self.id(update) == id => {
                    Some(Hit { position: cell.position, expires, own: true })
                }
                _ => None,
            })
        };
        let indexed = hit(state.present(unindexed));
        let first = hit(state.present(stale));
        let newest = match self.without {
            Some(Rule::NewestCells) => None,
            Some(Rule::SmallestOfBoth) if indexed.is_some() => None,
            _ => first,
        };
        let bounds = match self.without {
            Some(Rule::IdMargin) => {
                Timing { skew: Duration::ZERO, lease: Duration::ZERO, ..timing() }
            }
            _ => timing(),
        };
        let now = Timestamp::from_millis(Self::reader_now(state.now));
        let newest = Newest { first: newest, complete: true };
        let found = lookup::find(&bounds, indexed, Some(newest), now);
        let truth = hit(state.present(0)).filter(|hit| timing().may_follow(hit.expires, now));
        match found {
            Some(hit) => {
                Self::start(state, index, hit.position.get());
                let lost = hit.position > at(seen) || !Self::keeps_after(state, hit.position.get());
                state.followers[index].lost_its_place = lost;
            }
            // It is told so, and given all there is.
            None => {
                Self::start(state, index, 0);
                state.followers[index].lost_its_place = truth.is_some();
            }
        }
    }

    pub(crate) fn resume_at_position(&self, state: &mut State, index: usize) {
        let Some(Told { position, since, reached }) = state.followers[0].told else { return };
        let now = Timestamp::from_millis(Self::reader_now(state.now));
        let kept = timing().keeps_since(Timestamp::from_millis(since), now);
        if kept || !self.has(Rule::PositionAge) {
            Self::start(state, index, position);
            state.followers[index].began = reached;
            state.followers[index].lost_its_place = !Self::keeps_after(state, position);
        }
    }

    pub(crate) fn tell(&self, state: &mut State) {
        let now = Self::reader_now(state.now);
        let Some(reader) = &state.followers[0].reader else { return };
        let reached = reader.reached().get();
        let position = if self.has(Rule::PositionOfStream) { reached } else { state.head };
        state.followers[0].told = Some(Told { position, since: now, reached });
    }

    pub(crate) fn poll(&self, state: &mut State, index: usize, hidden: u64) {
        let now = moment(Self::reader_now(state.now));
        let present = state.present(hidden);
        let through = state.followers[index].through;
        let Some(reader) = &mut state.followers[index].reader else { return };
        let reached = reader.reached();
        let cells: Vec<_> = present.into_iter().filter(|cell| cell.position > reached).collect();
        if !self.has(Rule::Contiguity)
            && let Some(first) = cells.first()
        {
            *reader = Reader::new(first.position.back(1));
        }
        let last = cells.last().map_or(reached, |last| last.position);
        let known = if self.has(Rule::HolesUpToHolder) { last.max(at(through)) } else { last };
        reader.handle_page(cells, known, now, || Duration::ZERO);
        self.read_on(state, index);
    }

    /// Lets a reader take all steps that need no call.
    pub(crate) fn read_on(&self, state: &mut State, index: usize) {
        let mut now = Self::reader_now(state.now);
        if !self.has(Rule::ExpiredNotDelivered) {
            now = 0;
        }
        let now =
            Moment { wall: Timestamp::from_millis(now), ..moment(Self::reader_now(state.now)) };
        let State { followers, held, .. } = state;
        let follower = &mut followers[index];
        let Some(reader) = &mut follower.reader else { return };
        follower.step = loop {
            match reader.step(now) {
                reader::Step::Deliver(position, who) => {
                    follower.delivered.push((position.get(), who));
                }
                reader::Step::Pass(position) => {
                    let expires = held.get(&position.get());
                    if expires.is_some_and(|expires| *expires <= now.wall) {
                        follower.expired.insert(position.get());
                    }
                }
                reader::Step::Probe(position) => break Some(Call::Probe(position.get())),
                reader::Step::Seal(position) => break Some(Call::Seal(position.get())),
                reader::Step::Poll => break None,
            }
        };
    }

    pub(crate) fn carry(&self, state: &mut State, index: usize, heard: bool) {
        let now = moment(Self::reader_now(state.now));
        if !heard {
            state.faults += 1;
        }
        let follower = &state.followers[index];
        match follower.step {
            Some(Call::Probe(number)) => {
                let cell = state.cell(number).cloned();
                if let Some(reader) = &mut state.followers[index].reader {
                    reader.handle_probe(at(number), cell);
                }
            }
            Some(Call::Seal(number)) => {
                let there = state.cell(number).cloned();
                let free = there.is_none() || !self.has(Rule::SealConditional);
                if free && self.has(Rule::SealBeforePassing) {
                    let ttl = match self.has(Rule::TombstonesLast) {
                        true => timing().forgotten(now.wall.plus(timing().retention)).as_millis(),
                        false => now.wall.as_millis(),
                    };
                    state.put(number, Cell::Tombstone { sealed: now.wall }, ttl);
                }
                let seal = match there {
                    Some(cell) if !free && self.has(Rule::SealResultHeeded) => Seal::Refused(cell),
                    _ => Seal::Written,
                };
                if let (true, Some(reader)) = (heard, &mut state.followers[index].reader) {
                    reader.handle_seal(at(number), seal, now);
                }
            }
            None => {}
        }
        self.read_on(state, index);
    }

    /// Whether the first reader lags behind the log no more than it may.
    pub(crate) fn is_fresh(&self, state: &State) -> bool {
        let Some(reader) = &state.followers[0].reader else { return false };
        let lag = u64::try_from(timing().reading_lag.as_millis()).unwrap();
        state.present(0).iter().all(|cell| {
            let behind = Self::reader_now(state.now) - lag;
            cell.position <= reader.reached() || cell.cell.written().as_millis() >= behind
        })
    }

    /// A reader that is left in peace, and shown everything: how far it gets.
    pub(crate) fn in_peace(&self, state: &State, index: usize) -> u64 {
        let mut state = state.clone();
        for _ in 0..16 {
            match state.followers[index].step {
                Some(_) if self.has(Rule::Seals) => self.carry(&mut state, index, true),
                _ => self.poll(&mut state, index, 0),
            }
        }
        state.followers[index].reader.as_ref().map_or(0, |reader| reader.reached().get())
    }
}
