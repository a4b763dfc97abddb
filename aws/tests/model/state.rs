//! The state of a world between two steps, and what the next step may be.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cinnabar_aws::log::Moment;
use cinnabar_aws::log::cell::{Cell, Numbered};
use cinnabar_aws::log::publication::Publication;
use cinnabar_aws::log::reader::Reader;
use cinnabar_aws::log::timing::Timing;
use cinnabar_core::{Position, Timestamp};

/// A publisher's index, which also stands for its update.
pub(crate) type Who = usize;

/// A cell, when it may be deleted, and until when a stale poll may hide it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Stored {
    pub(crate) cell: Cell<Who>,
    pub(crate) ttl: u64,
    pub(crate) hidden_until: u64,
}

/// A write that is on its way.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Sent {
    pub(crate) who: Who,
    pub(crate) number: u64,
    pub(crate) allotted: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Publisher {
    pub(crate) publication: Option<Publication>,
    pub(crate) allotted: u64,
    /// Whether it has sent a write, and is waiting for the answer.
    pub(crate) waits: bool,
    /// A number that it got before it began.
    pub(crate) early: Option<u64>,
    pub(crate) answer: Option<Answer>,
    /// The publishers that had been acknowledged when it began.
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
    /// The step that it is waiting for.
    pub(crate) step: Option<Call>,
    /// It has begun to look for the first cell: up to this number there was none at this time.
    pub(crate) looks: Option<(u64, u64)>,
    /// It was told where to begin and since when it is owed updates, but has not opened yet.
    pub(crate) located: Option<(u64, Timestamp)>,
    /// Whether it has stopped.
    pub(crate) overtaken: bool,
    /// The holder's position.
    pub(crate) through: u64,
    /// How far it had read before it was located, when that was, and who had not begun to publish.
    pub(crate) began: u64,
    pub(crate) began_at: Timestamp,
    pub(crate) before: BTreeSet<Who>,
    pub(crate) delivered: Vec<(u64, Who)>,
    /// Whether it was told that it may resume where it may not, or that it may not where it may.
    pub(crate) lost_its_place: bool,
    pub(crate) told: Option<Told>,
    /// When it last looked; only if it tells that as the date of its place.
    pub(crate) looked: Timestamp,
}

/// What the first reader was told, and how far it had read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Told {
    pub(crate) position: u64,
    pub(crate) since: Timestamp,
    pub(crate) reached: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Call {
    Probe(u64),
    Seal(u64),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) now: u64,
    pub(crate) head: u64,
    /// By number, from 1.
    pub(crate) cells: Vec<Option<Stored>>,
    /// When the update of a number expires, if it ever had one.
    pub(crate) held: BTreeMap<u64, Timestamp>,
    pub(crate) sent: BTreeSet<Sent>,
    pub(crate) publishers: Vec<Publisher>,
    pub(crate) followers: Vec<Follower>,
    pub(crate) faults: u8,
    /// Whether the head was lost and made again.
    pub(crate) recreated: bool,
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
    /// It looks up its id in the index, which lacks the first cells, and among the newest cells,
    /// without the second.
    LookUp(usize, u64, u64),
    /// The stream opens, and begins to read.
    Open(usize),
    /// The first reader is told its position, as a live stream or as a replaying one.
    Tell(bool),
    /// It polls, and is not shown these cells, or only the first of the rest.
    Poll(usize, u64, bool),
    /// Its probe or seal is carried out; the answer may be lost.
    Carry(usize, bool),
}

pub(crate) fn moment(at: u64) -> Moment {
    Moment { wall: Timestamp::from_millis(at), monotonic: Duration::from_millis(at) }
}

pub(crate) fn at(number: u64) -> Position {
    Position::new(number)
}

impl Publisher {
    /// When its update expires, once it has begun.
    pub(crate) fn expires(&self, timing: &Timing) -> Timestamp {
        let publication = self.publication.as_ref();
        publication.map_or(Timestamp::default(), |publication| publication.expires(timing))
    }
}

impl State {
    pub(crate) fn cell(&self, number: u64) -> Option<&Cell<Who>> {
        let index = usize::try_from(number).unwrap().checked_sub(1)?;
        self.cells.get(index)?.as_ref().map(|stored| &stored.cell)
    }

    pub(crate) fn put(&mut self, number: u64, cell: Cell<Who>, ttl: u64, hidden_until: u64) {
        let index = usize::try_from(number).unwrap() - 1;
        if self.cells.len() <= index {
            self.cells.resize(index + 1, None);
        }
        self.cells[index] = Some(Stored { cell, ttl, hidden_until });
    }

    /// The cells that are there, without those in the mask.
    pub(crate) fn present(&self, hidden: u64) -> Vec<Numbered<Who>> {
        let numbered = (1..).zip(&self.cells);
        let seen = numbered.filter(|(number, _)| hidden & (1 << number) == 0);
        seen.filter_map(|(number, stored)| {
            let cell = stored.as_ref()?.cell.clone();
            Some(Numbered { position: at(number), cell })
        })
        .collect()
    }

    /// All masks that hide some cells past a number.
    pub(crate) fn masks(&self, after: u64) -> Vec<u64> {
        self.masks_of(|number, _| number > after)
    }

    /// All masks that hide some of the cells past a number that are new enough for a stale poll to
    /// miss.
    pub(crate) fn stale_masks(&self, after: u64) -> Vec<u64> {
        self.masks_of(|number, stored| number > after && self.now <= stored.hidden_until)
    }

    fn masks_of(&self, may_hide: impl Fn(u64, &Stored) -> bool) -> Vec<u64> {
        let mut masks = vec![0];
        for (number, stored) in (1..).zip(&self.cells) {
            if stored.as_ref().is_some_and(|stored| may_hide(number, stored)) {
                let with: Vec<u64> = masks.iter().map(|mask| mask | 1 << number).collect();
                masks.extend(with);
            }
        }
        masks
    }
}
