//! What publishers and readers do: each step asks the real code.

use std::time::Duration;

use cinnabar_aws::log::Moment;
use cinnabar_aws::log::cell::{Cell, Numbered};
use cinnabar_aws::log::lookup::{self, Earliest, Hit, Newest};
use cinnabar_aws::log::publication::{self, Publication, Put};
use cinnabar_aws::log::reader::{self, Look, Reader, Seal};
use cinnabar_aws::log::timing::Timing;
use cinnabar_core::{Place, Timestamp};

use crate::state::{Answer, Call, Sent, State, Told, Who, at, moment};
use crate::world::{Clocks, Comes, Rule, World};

impl World {
    pub(crate) fn has(&self, rule: Rule) -> bool {
        self.without != Some(rule)
    }

    /// The bounds that publishers use.
    pub(crate) fn publisher_timing(&self) -> Timing {
        let lease = if self.has(Rule::Lease) { self.timing().lease } else { Duration::MAX };
        Timing { lease, ..self.timing() }
    }

    /// The bounds that a reader uses as it reads.
    fn reader_timing(&self) -> Timing {
        let (timing, never) = (self.timing(), Duration::from_secs(1));
        match self.without {
            Some(Rule::OvertakenStops | Rule::ExpiredNotDelivered) => {
                Timing { grace: never, ..timing }
            }
            Some(Rule::OvertakenSkew) => Timing { skew: Duration::ZERO, ..timing },
            _ => timing,
        }
    }

    /// Time begins late enough for clocks that are behind.
    pub(crate) fn table_now(now: u64) -> u64 {
        now + 10
    }

    pub(crate) fn publisher_now(&self, who: Who, now: u64) -> u64 {
        let ahead = if who == 0 { self.clocks.first_publisher } else { 0 };
        Self::table_now(now).checked_add_signed(ahead).unwrap()
    }

    pub(crate) fn reader_now(&self, index: usize, now: u64) -> Timestamp {
        let Clocks { first_reader, other_readers, .. } = self.clocks;
        let ahead = if index == 0 { first_reader } else { other_readers };
        Timestamp::from_millis(Self::table_now(now).checked_add_signed(ahead).unwrap())
    }

    fn reader_moment(&self, index: usize, now: u64) -> Moment {
        moment(self.reader_now(index, now).as_millis())
    }

    /// Until when a stale poll may hide what is written now.
    fn hidden_until(&self, now: u64) -> u64 {
        let lag = u64::try_from(self.timing().reading_lag.as_millis()).unwrap();
        if self.stale { now + lag } else { 0 }
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
        let expires = publication.expires(&self.timing());
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
            let ttl = self.timing().forgotten(expires).as_millis();
            state.held.insert(number, expires);
            let hidden_until = self.hidden_until(state.now);
            state.put(number, cell, ttl, hidden_until);
        }
        if !heard {
            state.faults += 1;
            return;
        }
        let put = match put {
            Put::Tombstone if !self.has(Rule::TombstoneHeeded) => Put::Written,
            // Without the token its own update looks like another's, and it tries another number.
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

    /// A reader is told to begin after a number; its holder is at the head. It is owed what had not
    /// expired at `owed_since`.
    pub(crate) fn locate(
        &self,
        state: &mut State,
        index: usize,
        after: u64,
        owed_since: Timestamp,
    ) {
        let publishers = (0..).zip(&state.publishers);
        let before = publishers.filter(|(_, publisher)| publisher.publication.is_none());
        let before = before.map(|(who, _)| who).collect();
        let follower = &mut state.followers[index];
        follower.located = Some((after, owed_since));
        follower.through = state.head;
        follower.began = after;
        follower.began_at = self.reader_now(index, state.now);
        follower.before = before;
        follower.looks = None;
        // Without time it does not matter when it opens.
        if self.until == 0 {
            self.open(state, index);
        }
    }

    pub(crate) fn open(&self, state: &mut State, index: usize) {
        let Some((after, owed_since)) = state.followers[index].located.take() else { return };
        let since = match self.readers[index] {
            // It begins at the end of the log.
            Comes::Live => owed_since,
            _ => Timestamp::default(),
        };
        let owed_since = match self.without {
            Some(Rule::OwedBeforeOpening) => self.reader_now(index, state.now),
            Some(Rule::ExpiredNotDelivered) => Timestamp::default(),
            _ => owed_since,
        };
        let place = Place { position: at(after), since };
        state.followers[index].reader = Some(Reader::new(place, owed_since));
    }

    /// Whether the first reader has made way for the next.
    pub(crate) fn has_gone(&self, state: &State) -> bool {
        let pairs = self.readers.iter().zip(&state.followers);
        pairs.skip(1).any(|(comes, next)| {
            let has_come = next.looks.is_some() || next.located.is_some() || next.reader.is_some();
            *comes == Comes::Next && has_come
        })
    }

    /// Whether all that was acknowledged past a number had not expired, by this reader's clock.
    pub(crate) fn keeps_after(&self, state: &State, index: usize, after: u64) -> bool {
        let now = self.reader_now(index, state.now);
        state.publishers.iter().all(|publisher| match publisher.answer {
            Some(Answer::Acknowledged(number)) => {
                number <= after || publisher.expires(&self.timing()) > now
            }
            _ => true,
        })
    }

    pub(crate) fn found(&self, state: &mut State, index: usize) {
        let Some((looked, asked)) = state.followers[index].looks else { return };
        let present = state.present(0);
        let first = present.iter().find(|cell| cell.position > at(looked));
        let first = first.map(|cell| (cell.position, cell.cell.written()));
        let bounds = match self.without {
            Some(Rule::EarliestSkew) => Timing { skew: Duration::ZERO, ..self.timing() },
            _ => self.timing(),
        };
        let asked = self.reader_now(index, asked);
        match lookup::earliest(&bounds, at(0), at(state.head), first, asked) {
            Earliest::After(after) => self.locate(state, index, after.get(), asked),
            Earliest::Ask => {
                state.followers[index].looks = None;
                if let (false, Some((first, _))) = (self.has(Rule::EarliestSettled), first) {
                    self.locate(state, index, first.get() - 1, asked);
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
                Timing { skew: Duration::ZERO, lease: Duration::ZERO, ..self.timing() }
            }
            _ => self.timing(),
        };
        let now = self.reader_now(index, state.now);
        let newest = Newest { first: newest, complete: true };
        let found = lookup::find(&bounds, indexed, Some(newest), now);
        let truth = hit(state.present(0)).filter(|hit| self.timing().may_follow(hit.expires, now));
        match found {
            Some(hit) => {
                let after = hit.position.get();
                let lost = after > seen || !self.keeps_after(state, index, after);
                self.locate(state, index, after, now);
                state.followers[index].lost_its_place = lost;
            }
            // It is told so, and given everything there is.
            None => {
                self.locate(state, index, 0, now);
                state.followers[index].lost_its_place = truth.is_some();
            }
        }
    }

    pub(crate) fn resume_at_position(&self, state: &mut State, index: usize) {
        let Some(Told { position, since, reached }) = state.followers[0].told else { return };
        let now = self.reader_now(index, state.now);
        let bounds = match self.without {
            Some(Rule::PositionLag) => Timing { reading_lag: Duration::ZERO, ..self.timing() },
            _ => self.timing(),
        };
        if bounds.keeps_since(since, now) || !self.has(Rule::PositionAge) {
            self.locate(state, index, position, now);
            state.followers[index].began = reached;
            state.followers[index].lost_its_place = !self.keeps_after(state, index, position);
        }
    }

    pub(crate) fn tell(&self, state: &mut State, live: bool) {
        let now = self.reader_now(0, state.now);
        let State { head, followers, held, .. } = state;
        let follower = &mut followers[0];
        let Some(reader) = &mut follower.reader else { return };
        let Place { position, since } = reader.place(&self.timing());
        let reached = position.get();
        let since = match self.without {
            Some(Rule::PositionAsOf) => now,
            Some(Rule::PositionBeforeHole) => follower.looked,
            _ if live => since,
            // A replaying one knows when the last update that it was given was published.
            _ => {
                let last = follower.delivered.last().and_then(|(number, _)| held.get(number));
                last.map_or(Timestamp::default(), |expires| self.timing().began(*expires))
            }
        };
        let position = if self.has(Rule::PositionOfStream) { reached } else { *head };
        if since > Timestamp::default() {
            follower.told = Some(Told { position, since, reached });
        }
    }

    pub(crate) fn poll(&self, state: &mut State, index: usize, hidden: u64, cut: bool) {
        let now = self.reader_moment(index, state.now);
        let present = state.present(hidden);
        let follower = &mut state.followers[index];
        let Some(reader) = &mut follower.reader else { return };
        let reached = reader.reached();
        let past = present.into_iter().filter(|cell| cell.position > reached);
        let cells: Vec<_> = past.take(if cut { 1 } else { usize::MAX }).collect();
        if !self.has(Rule::Contiguity)
            && let Some(first) = cells.first()
        {
            let place = Place { position: first.position.back(1), since: now.wall };
            *reader = Reader::new(place, now.wall);
        }
        let last = cells.last().map_or(reached, |last| last.position);
        let to_holder = self.has(Rule::HolesUpToHolder) && !cut;
        let known = if to_holder { last.max(at(follower.through)) } else { last };
        let cells = cells
            .into_iter()
            .map(|Numbered { position, cell }| Numbered { position, cell: self.seen(cell, now) });
        let cut = cut && self.has(Rule::PositionOfCutQuery);
        let look = Look { asked: now.wall, cells: cells.collect(), known, cut };
        reader.handle_look(&self.reader_timing(), look, now, || Duration::ZERO);
        if !self.has(Rule::PositionBeforeHole) {
            follower.looked = now.wall;
        }
        self.read_on(state, index);
    }

    /// A cell as a reader sees it: without the rule, what has expired is gone.
    fn seen(&self, cell: Cell<Who>, now: Moment) -> Cell<Who> {
        match cell {
            Cell::Update { expires, .. }
                if !self.has(Rule::OwedSinceLocated) && expires <= now.wall =>
            {
                Cell::Tombstone { sealed: now.wall }
            }
            cell => cell,
        }
    }

    /// Lets a reader take every step that needs no call.
    pub(crate) fn read_on(&self, state: &mut State, index: usize) {
        let now = self.reader_moment(index, state.now);
        let follower = &mut state.followers[index];
        let Some(reader) = &mut follower.reader else { return };
        follower.step = loop {
            match reader.step(&self.reader_timing(), now) {
                reader::Step::Deliver(position, who) => {
                    follower.delivered.push((position.get(), who));
                }
                reader::Step::Pass(_) => {}
                reader::Step::Probe(position) => break Some(Call::Probe(position.get())),
                reader::Step::Seal(position) => break Some(Call::Seal(position.get())),
                reader::Step::Poll => break None,
                reader::Step::Overtaken => {
                    follower.overtaken = true;
                    break None;
                }
            }
        };
        let _ = reader.place(&self.timing());
    }

    pub(crate) fn carry(&self, state: &mut State, index: usize, heard: bool) {
        let now = self.reader_moment(index, state.now);
        if !heard {
            state.faults += 1;
        }
        let follower = &state.followers[index];
        match follower.step {
            Some(Call::Probe(number)) => {
                let cell = state.cell(number).cloned();
                if let Some(reader) = &mut state.followers[index].reader {
                    let cell = cell.map(|cell| self.seen(cell, now));
                    reader.handle_probe(at(number), cell);
                }
            }
            Some(Call::Seal(number)) => {
                let there = state.cell(number).cloned();
                let free = there.is_none() || !self.has(Rule::SealConditional);
                if free && self.has(Rule::SealBeforePassing) {
                    let ttl = match self.has(Rule::TombstonesLast) {
                        true => self
                            .timing()
                            .forgotten(now.wall.plus(self.timing().retention))
                            .as_millis(),
                        false => now.wall.as_millis(),
                    };
                    let hidden_until = self.hidden_until(state.now);
                    state.put(number, Cell::Tombstone { sealed: now.wall }, ttl, hidden_until);
                }
                let seal = match there {
                    Some(cell) if !free && self.has(Rule::SealResultHeeded) => {
                        Seal::Refused(self.seen(cell, now))
                    }
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

    /// How far a reader gets when it is left in peace and shown everything.
    pub(crate) fn in_peace(&self, state: &State, index: usize) -> u64 {
        let mut state = state.clone();
        for _ in 0..16 {
            match state.followers[index].step {
                Some(_) if self.has(Rule::Seals) => self.carry(&mut state, index, true),
                _ => self.poll(&mut state, index, 0, false),
            }
        }
        let follower = &state.followers[index];
        // A reader that stops leaves the rest to the next.
        let reached = follower.reader.as_ref().map_or(0, |reader| reader.reached().get());
        if follower.overtaken { u64::MAX } else { reached }
    }
}
