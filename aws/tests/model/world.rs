//! What may happen, one step at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cinnabar_aws::log::Moment;
use cinnabar_aws::log::cell::{Cell, Numbered};
use cinnabar_aws::log::lookup::{self, Earliest, Hit, Newest};
use cinnabar_aws::log::publication::{self, Publication, Put};
use cinnabar_aws::log::reader::{self, Reader, Seal};
use cinnabar_aws::log::timing::Timing;
use cinnabar_core::{Position, Timestamp};
use stateright::{Model, Property};

use crate::properties;

/// A rule that a world may be without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Rule {
    /// 1: a number is asked for when the publication has begun.
    NumberAfterBeginning,
    /// 2: only a tombstone frees a publisher from its number.
    SameNumberAfterTimeout,
    /// 2: a repeated write knows its own update.
    Token,
    /// 2: a tombstone that is there refuses a write.
    PutRefusedByTombstone,
    /// 2: a publisher heeds the tombstone.
    TombstoneHeeded,
    /// 3: an acknowledgement follows the write.
    AcknowledgeAfterWrite,
    /// 3: and only within the lease.
    Lease,
    /// 4: tombstones outlive every write that may come.
    TombstonesLast,
    /// 6: contiguous cells only.
    Contiguity,
    /// 6: a number that stays missing is sealed.
    Seals,
    /// 6: before it is passed.
    SealBeforePassing,
    /// 6: a refused seal is no seal.
    SealResultHeeded,
    /// 6: a seal never overwrites.
    SealConditional,
    /// 7: what has expired is not delivered.
    ExpiredNotDelivered,
    /// 8: a number up to the holder's position is a hole too.
    HolesUpToHolder,
    /// 9: the newest cells are read beside the index.
    NewestCells,
    /// 9: consistently.
    NewestConsistent,
    /// 9: and the smaller number counts.
    SmallestOfBoth,
    /// 9: an update that expires soon is not followed.
    IdMargin,
    /// 10: a position event says how far its stream was read.
    PositionOfStream,
    /// 10: and is forgotten in time.
    PositionAge,
    /// 11: `earliest` begins where no lower number may be under way.
    EarliestSettled,
    /// 11: as clocks tell it that may differ.
    EarliestSkew,
    /// 12: a head that is lost is not made again.
    HeadNotRecreated,
}

/// How a reader comes to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Comes {
    /// At the head, as the first stream of a holder.
    Live,
    /// With `earliest`.
    Earliest,
    /// With the id that the first reader read last.
    AfterId,
    /// With the position that the first reader was told.
    AfterPosition,
}

/// The size of a world, and what is not as it should be.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) publishers: usize,
    /// Whether each publisher's update has the id of the first.
    pub(crate) one_id: bool,
    pub(crate) readers: Vec<Comes>,
    /// How often any call may be without an answer.
    pub(crate) faults: u8,
    /// Whether polls may be stale.
    pub(crate) stale: bool,
    /// Whether time stands still while an update is on its way.
    pub(crate) prompt: bool,
    /// When time ends.
    pub(crate) until: u64,
    /// How far ahead the clock of the first publisher is, and that of the last reader behind; or the
    /// other way round.
    pub(crate) skew: i64,
    pub(crate) without: Option<Rule>,
}

/// Times are small numbers here.
pub(crate) fn timing() -> Timing {
    let ticks = Duration::from_millis;
    Timing {
        lease: ticks(1),
        skew: ticks(1),
        retention: ticks(4),
        grace: ticks(2),
        patience: ticks(0),
        index_lag: ticks(100),
        reading_lag: ticks(1),
    }
}

/// An update: its publisher's number.
pub(crate) type Who = usize;

/// A cell, and when it may be deleted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Stored {
    pub(crate) cell: Cell<Who>,
    ttl: u64,
}

/// A write that is on its way.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Sent {
    who: Who,
    number: u64,
    allotted: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Publisher {
    publication: Option<Publication>,
    allotted: u64,
    /// It has sent a write, and waits for the answer.
    waits: bool,
    /// A number that it had before it began.
    early: Option<u64>,
    pub(crate) answer: Option<Answer>,
    /// Who had been acknowledged when it began.
    pub(crate) after: BTreeSet<Who>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Answer {
    Acknowledged(u64),
    Refused,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Follower {
    pub(crate) reader: Option<Reader<Who>>,
    /// The step that it waits to have done.
    step: Option<Call>,
    /// It has begun to look for the first cell: up to this number there was none, and it was then.
    looks: Option<(u64, u64)>,
    /// The holder's position.
    pub(crate) through: u64,
    /// What it has seen before it began, when it began, and who had not begun to publish.
    pub(crate) began: u64,
    pub(crate) began_at: u64,
    pub(crate) before: BTreeSet<Who>,
    pub(crate) delivered: Vec<(u64, Who)>,
    /// Updates that it passed because they had expired.
    pub(crate) expired: BTreeSet<u64>,
    /// It was told that it may resume where it may not, or may not where it may.
    pub(crate) lost_its_place: bool,
    told: Option<Told>,
}

/// What the first reader was told, and how far it had read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Told {
    position: u64,
    since: u64,
    reached: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Call {
    Probe(u64),
    Seal(u64),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) now: u64,
    pub(crate) head: u64,
    /// By number, from 1 on.
    pub(crate) cells: Vec<Option<Stored>>,
    /// When the update of a number expires, if it ever had one.
    held: BTreeMap<u64, Timestamp>,
    pub(crate) sent: BTreeSet<Sent>,
    pub(crate) publishers: Vec<Publisher>,
    pub(crate) followers: Vec<Follower>,
    faults: u8,
    /// A head was lost and made again.
    recreated: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Tick,
    /// Time to live deletes a cell.
    Delete(u64),
    LoseHead,
    Begin(Who),
    /// A number is taken; its answer may be lost.
    Number(Who, bool),
    EarlyNumber(Who),
    Send(Who),
    /// A write arrives; its answer may be lost.
    Arrive(Sent, bool),
    Timeout(Who),
    Answer(Who),
    Start(usize),
    /// It looks for the first cell up to this number.
    Look(usize, u64),
    /// It looks at the rest.
    Found(usize),
    /// It looks for its id in an index that lacks these cells, and among the newest cells without
    /// these.
    LookUp(usize, u64, u64),
    /// The first reader is told its position.
    Tell,
    /// It polls, and is not shown these cells.
    Poll(usize, u64),
    /// Its probe, or seal, is carried out; the answer may be lost.
    Carry(usize, bool),
}

fn moment(at: u64) -> Moment {
    Moment { wall: Timestamp::from_millis(at), monotonic: Duration::from_millis(at) }
}

fn at(number: u64) -> Position {
    Position::new(number)
}

impl Publisher {
    /// When its update expires; it has begun.
    pub(crate) fn expires(&self) -> Timestamp {
        let publication = self.publication.as_ref();
        publication.map_or(Timestamp::default(), |publication| publication.expires(&timing()))
    }
}

impl State {
    pub(crate) fn cell(&self, number: u64) -> Option<&Cell<Who>> {
        let index = usize::try_from(number).unwrap().checked_sub(1)?;
        self.cells.get(index)?.as_ref().map(|stored| &stored.cell)
    }

    fn put(&mut self, number: u64, cell: Cell<Who>, ttl: u64) {
        let index = usize::try_from(number).unwrap() - 1;
        if self.cells.len() <= index {
            self.cells.resize(index + 1, None);
        }
        self.cells[index] = Some(Stored { cell, ttl });
    }

    /// The cells that are there, without those of the mask.
    fn present(&self, hidden: u64) -> Vec<Numbered<Who>> {
        let numbered = (1..).zip(&self.cells);
        let seen = numbered.filter(|(number, _)| hidden & (1 << number) == 0);
        seen.filter_map(|(number, stored)| {
            let cell = stored.as_ref()?.cell.clone();
            Some(Numbered { position: at(number), cell })
        })
        .collect()
    }

    /// All masks that hide some of the cells past a number.
    fn masks(&self, after: u64) -> Vec<u64> {
        let mut masks = vec![0];
        for cell in self.present(0) {
            if cell.position > at(after) {
                let with: Vec<u64> =
                    masks.iter().map(|mask| mask | 1 << cell.position.get()).collect();
                masks.extend(with);
            }
        }
        masks
    }
}

impl World {
    fn has(&self, rule: Rule) -> bool {
        self.without != Some(rule)
    }

    /// The bounds that a publisher goes by.
    fn publisher_timing(&self) -> Timing {
        let lease = if self.has(Rule::Lease) { timing().lease } else { Duration::MAX };
        Timing { lease, ..timing() }
    }

    fn publisher_now(&self, who: Who, now: u64) -> u64 {
        // Time begins late enough for clocks that are behind.
        let ahead = if who == 0 { self.skew.max(0) } else { 0 };
        let behind = if who == 0 { (-self.skew).max(0) } else { 0 };
        now + 10 + u64::try_from(ahead).unwrap() - u64::try_from(behind).unwrap()
    }

    pub(crate) fn reader_now(now: u64) -> u64 {
        now + 10
    }

    fn id(&self, who: Who) -> Who {
        if self.one_id { 0 } else { who }
    }

    fn begin(&self, state: &mut State, who: Who) {
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
    fn step(&self, state: &State, who: Who) -> Option<publication::Step> {
        let publisher = &state.publishers[who];
        if publisher.waits || publisher.answer.is_some() {
            return None;
        }
        let now = moment(self.publisher_now(who, state.now));
        Some(publisher.publication.as_ref()?.step(&self.publisher_timing(), now))
    }

    fn take_number(state: &mut State) -> u64 {
        state.head += 1;
        state.head
    }

    fn number(&self, state: &mut State, who: Who, heard: bool) {
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

    fn arrive(&self, state: &mut State, sent: &Sent, heard: bool) {
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

    fn timeout(&self, state: &mut State, who: Who) {
        state.faults += 1;
        let free = !self.has(Rule::SameNumberAfterTimeout);
        let publisher = &mut state.publishers[who];
        publisher.waits = false;
        if let Some(publication) = &mut publisher.publication {
            publication.handle_put(if free { Put::Tombstone } else { Put::Unknown });
        }
    }

    fn answer(&self, state: &mut State, who: Who) {
        let answer = match self.step(state, who) {
            Some(publication::Step::Acknowledge(number)) => Answer::Acknowledged(number.get()),
            _ => Answer::Refused,
        };
        state.publishers[who].answer = Some(answer);
    }

    /// A reader begins after a number; its holder is at the head, or further.
    fn start(state: &mut State, index: usize, after: u64) {
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
    fn keeps_after(state: &State, after: u64) -> bool {
        let now = Timestamp::from_millis(Self::reader_now(state.now));
        state.publishers.iter().all(|publisher| match publisher.answer {
            Some(Answer::Acknowledged(number)) => number <= after || publisher.expires() > now,
            _ => true,
        })
    }

    fn found(&self, state: &mut State, index: usize) {
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

    fn look_up(&self, state: &mut State, index: usize, unindexed: u64, stale: u64) {
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

    fn resume_at_position(&self, state: &mut State, index: usize) {
        let Some(Told { position, since, reached }) = state.followers[0].told else { return };
        let now = Timestamp::from_millis(Self::reader_now(state.now));
        let kept = timing().keeps_since(Timestamp::from_millis(since), now);
        if kept || !self.has(Rule::PositionAge) {
            Self::start(state, index, position);
            state.followers[index].began = reached;
            state.followers[index].lost_its_place = !Self::keeps_after(state, position);
        }
    }

    fn tell(&self, state: &mut State) {
        let now = Self::reader_now(state.now);
        let Some(reader) = &state.followers[0].reader else { return };
        let reached = reader.reached().get();
        let position = if self.has(Rule::PositionOfStream) { reached } else { state.head };
        state.followers[0].told = Some(Told { position, since: now, reached });
    }

    fn poll(&self, state: &mut State, index: usize, hidden: u64) {
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
    fn read_on(&self, state: &mut State, index: usize) {
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

    fn carry(&self, state: &mut State, index: usize, heard: bool) {
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
    fn is_fresh(&self, state: &State) -> bool {
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

impl Model for World {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let publisher = Publisher {
            publication: None,
            allotted: 0,
            waits: false,
            early: None,
            answer: None,
            after: BTreeSet::new(),
        };
        let follower = Follower {
            reader: None,
            step: None,
            looks: None,
            through: 0,
            began: 0,
            began_at: 0,
            before: BTreeSet::new(),
            delivered: Vec::new(),
            expired: BTreeSet::new(),
            lost_its_place: false,
            told: None,
        };
        vec![State {
            now: 0,
            head: 0,
            cells: Vec::new(),
            held: BTreeMap::new(),
            sent: BTreeSet::new(),
            publishers: vec![publisher; self.publishers],
            followers: vec![follower; self.readers.len()],
            faults: 0,
            recreated: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let heard = if state.faults < self.faults { &[true, false][..] } else { &[true] };
        let on_its_way =
            |publisher: &Publisher| publisher.publication.is_some() && publisher.answer.is_none();
        let waits = self.prompt && state.publishers.iter().any(on_its_way);
        if state.now < self.until && !waits {
            actions.push(Action::Tick);
        }
        for (number, stored) in (1..).zip(&state.cells) {
            if stored.as_ref().is_some_and(|stored| stored.ttl <= Self::reader_now(state.now)) {
                actions.push(Action::Delete(number));
            }
        }
        if !self.has(Rule::HeadNotRecreated) && !state.recreated && state.head > 0 {
            actions.push(Action::LoseHead);
        }
        for (who, publisher) in state.publishers.iter().enumerate() {
            if publisher.publication.is_none() {
                actions.push(Action::Begin(who));
                if !self.has(Rule::NumberAfterBeginning) && publisher.early.is_none() {
                    actions.push(Action::EarlyNumber(who));
                }
            }
            match self.step(state, who) {
                Some(publication::Step::Number) => {
                    actions.extend(heard.iter().map(|&heard| Action::Number(who, heard)));
                }
                Some(publication::Step::Put(_)) => actions.push(Action::Send(who)),
                Some(_) => actions.push(Action::Answer(who)),
                None => {}
            }
            if publisher.waits && publisher.answer.is_none() && state.faults < self.faults {
                actions.push(Action::Timeout(who));
            }
        }
        for sent in &state.sent {
            actions.extend(heard.iter().map(|&heard| Action::Arrive(sent.clone(), heard)));
        }
        for (index, (follower, comes)) in state.followers.iter().zip(&self.readers).enumerate() {
            if follower.reader.is_none() {
                match comes {
                    Comes::Live => actions.push(Action::Start(index)),
                    Comes::AfterPosition if state.followers[0].told.is_some() => {
                        actions.push(Action::Start(index));
                    }
                    Comes::Earliest if follower.looks.is_none() => {
                        let numbers = 0..=u64::try_from(state.cells.len()).unwrap();
                        // Up to there, it found nothing.
                        let empty = |upto: &u64| (1..=*upto).all(|n| state.cell(n).is_none());
                        let looks = numbers.filter(empty).map(|upto| Action::Look(index, upto));
                        actions.extend(looks);
                    }
                    Comes::Earliest => actions.push(Action::Found(index)),
                    Comes::AfterId if !state.followers[0].delivered.is_empty() => {
                        for unindexed in state.masks(0) {
                            let stale = match self.has(Rule::NewestConsistent) {
                                true => vec![0],
                                false => state.masks(0),
                            };
                            let looks = stale.iter();
                            actions.extend(
                                looks.map(|stale| Action::LookUp(index, unindexed, *stale)),
                            );
                        }
                    }
                    _ => {}
                }
                continue;
            }
            if let (Some(step), true) = (follower.step, self.has(Rule::Seals)) {
                // A probe that is not answered is as good as none.
                let heard = if let Call::Seal(_) = step { heard } else { &[true] };
                actions.extend(heard.iter().map(|&heard| Action::Carry(index, heard)));
            } else if let Some(reader) = &follower.reader {
                let masks = match self.stale {
                    true => state.masks(reader.reached().get()),
                    false => vec![0],
                };
                actions.extend(masks.into_iter().map(|hidden| Action::Poll(index, hidden)));
            }
            let resumes = self.readers.contains(&Comes::AfterPosition);
            if index == 0 && resumes && follower.told.is_none() && self.is_fresh(state) {
                actions.push(Action::Tell);
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Tick => state.now += 1,
            Action::Delete(number) => state.cells[usize::try_from(number - 1).unwrap()] = None,
            Action::LoseHead => {
                state.head = 0;
                state.recreated = true;
            }
            Action::Begin(who) => self.begin(&mut state, who),
            Action::EarlyNumber(who) => {
                state.publishers[who].early = Some(Self::take_number(&mut state));
            }
            Action::Number(who, heard) => self.number(&mut state, who, heard),
            Action::Send(who) => {
                let Some(publication::Step::Put(number)) = self.step(&state, who) else {
                    return None;
                };
                let publisher = &mut state.publishers[who];
                publisher.waits = true;
                let allotted = publisher.allotted;
                state.sent.insert(Sent { who, number: number.get(), allotted });
            }
            Action::Arrive(sent, heard) => self.arrive(&mut state, &sent, heard),
            Action::Timeout(who) => self.timeout(&mut state, who),
            Action::Answer(who) => self.answer(&mut state, who),
            Action::Start(index) => match self.readers[index] {
                Comes::AfterPosition => self.resume_at_position(&mut state, index),
                _ => {
                    let head = state.head;
                    Self::start(&mut state, index, head);
                }
            },
            Action::Look(index, upto) => state.followers[index].looks = Some((upto, state.now)),
            Action::Found(index) => self.found(&mut state, index),
            Action::LookUp(index, unindexed, stale) => {
                self.look_up(&mut state, index, unindexed, stale);
            }
            Action::Tell => self.tell(&mut state),
            Action::Poll(index, hidden) => self.poll(&mut state, index, hidden),
            Action::Carry(index, heard) => self.carry(&mut state, index, heard),
        }
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}
