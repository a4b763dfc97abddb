//! One stream, and what was promised to it: what it is entitled to, once, in order, without gaps,
//! and nothing after its time.

use std::collections::VecDeque;

use aes::Aes128;
use aes::cipher::{Array, BlockCipherDecrypt, KeyInit};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cinnabar_core::testing::MemoryLog;
use cinnabar_core::{Position, Timestamp, Update};

use super::event::Written;

pub(crate) const KEY: [u8; 16] = [5; 16];
pub(crate) const REPLAY_MAX: u64 = 8;

/// What a subscriber asked for, and when.
pub(crate) struct Asked {
    /// The topics that it asks for, and those that its token grants, one bit each.
    pub(crate) selects: u8,
    pub(crate) grants: u8,
    pub(crate) cursor: Option<String>,
    pub(crate) native: bool,
    /// Whether it would not come back after a clean end.
    pub(crate) stops_at_clean_ends: bool,
    /// Whether it is told its position first.
    pub(crate) greets: bool,
    /// When it must be closed, whether or not a timer fires, since its token expires or its
    /// platform would break it off.
    pub(crate) closes: Option<Timestamp>,
    /// Where the log ended when it arrived.
    pub(crate) came_at: u64,
}

pub(crate) struct Stream {
    pub(crate) asked: Asked,
    pub(crate) opened: bool,
    pub(crate) ended: bool,
    greeted: bool,
    /// Whether what was written last can be the last words.
    took_leave: bool,
    /// Everything that it is entitled to up to here was written to it, or was not promised; unknown
    /// if the answer field names an id that several updates have.
    stands: Option<u64>,
    /// Whether updates before that may come all the same.
    may_begin_before: bool,
    /// The chunks that its reader has yet to take.
    pub(crate) outbox: VecDeque<usize>,
    /// How much of the first it has taken.
    pub(crate) taken: usize,
}

impl Stream {
    pub(crate) fn new(asked: Asked) -> Self {
        Self {
            asked,
            opened: false,
            ended: false,
            greeted: false,
            took_leave: false,
            stands: None,
            may_begin_before: false,
            outbox: VecDeque::new(),
            taken: 0,
        }
    }

    pub(crate) fn is_entitled(&self, update: &Update) -> bool {
        let topics = topics(update);
        self.asked.selects & topics != 0
            && (!update.is_private() || self.asked.grants & topics != 0)
    }

    /// The first update up to a position that it is owed but did not get.
    pub(crate) fn skipped(&self, through: u64, log: &MemoryLog) -> Option<u64> {
        let mut left = log.between(Position::new(self.stands?), Position::new(through));
        let first = left.find(|appended| self.is_entitled(&appended.update));
        first.map(|appended| appended.position.get())
    }

    /// Its response begins, with this answer field, while the holder is at `position`.
    pub(crate) fn open(&mut self, field: Option<&str>, log: &MemoryLog, position: u64) {
        assert!(!self.opened && !self.ended);
        self.opened = true;
        self.stands = match (&self.asked.cursor, field) {
            (None, None) => Some(self.asked.came_at),
            // Nothing is replayed, whatever the newest id is.
            (Some(cursor), Some(_)) if cursor.is_empty() => Some(self.asked.came_at),
            (Some(_), Some("earliest")) => {
                self.may_begin_before = true;
                let longest = position.max(self.asked.came_at).saturating_sub(REPLAY_MAX);
                Some(longest.max(log.oldest().back(1).get().min(position)))
            }
            (Some(_), Some(fragment)) if fragment.starts_with('#') => Some(decode(fragment)),
            (Some(_), Some(id)) => {
                let all = log.between(Position::START, log.end());
                let mut same = all.filter(|other| other.update.id().as_str() == id);
                let first = same.next().unwrap_or_else(|| panic!("no update is {id}"));
                same.next().is_none().then_some(first.position.get())
            }
            (cursor, field) => panic!("{cursor:?} was answered by {field:?}"),
        };
    }

    /// Something is written to it, while the holder is at `durable`.
    pub(crate) fn write(
        &mut self,
        written: &Written,
        log: &MemoryLog,
        durable: u64,
        now: Timestamp,
    ) {
        assert!(self.opened && !self.ended, "written before it was opened, or after its end");
        assert!(self.asked.closes.is_none_or(|closes| now < closes), "written after its time");
        if !std::mem::replace(&mut self.greeted, true) {
            assert_eq!(matches!(written, Written::Position { .. }), self.asked.greets);
        }
        assert!(self.asked.native || !self.took_leave, "written after the last words");
        self.took_leave = matches!(written, Written::LastWords | Written::Position { .. });
        match written {
            Written::Comment => {}
            Written::LastWords => {
                assert!(!self.asked.native, "its last words are a position");
            }
            Written::Position { cursor } => {
                assert!(self.asked.native, "others take a position event for an update");
                let position = decode(cursor);
                // A publisher knows an id before the holder does, and may resume from it.
                assert!(position <= durable.max(self.stands.unwrap_or(position)));
                assert!(self.may_follow(position), "told a position before what it got");
                assert_eq!(self.skipped(position, log), None, "told a position past what it got");
                self.stand(position);
            }
            Written::Update(event) => {
                let (number, _) = event.data.split_once(' ').unwrap();
                let position: u64 = number.parse().unwrap();
                assert!(position <= durable, "not durable yet");
                let update = log.at(Position::new(position)).unwrap();
                assert!(self.is_entitled(&update), "not entitled");
                assert!(self.may_follow(position - 1), "twice, or out of order");
                assert_eq!(self.skipped(position - 1, log), None, "left out");
                self.stand(position);
            }
        }
    }

    /// It ends cleanly.
    pub(crate) fn close(&self, now: Timestamp) {
        assert!(self.opened && !self.ended && self.outbox.is_empty(), "closed before it was taken");
        assert!(!self.asked.stops_at_clean_ends, "it would not come back");
        let is_late = self.asked.closes.is_some_and(|closes| closes <= now);
        assert!(self.took_leave || is_late, "closed without a word");
    }

    fn may_follow(&self, position: u64) -> bool {
        self.may_begin_before || self.stands.is_none_or(|stands| stands <= position)
    }

    fn stand(&mut self, position: u64) {
        self.stands = Some(position);
        self.may_begin_before = false;
    }
}

fn topics(update: &Update) -> u8 {
    let number = |topic: &str| topic.bytes().last().unwrap() - b'0';
    update.topics().iter().fold(0, |set, topic| set | 1 << number(topic.as_str()))
}

/// The position that a fragment names: one AES-128 block of six bytes for the position, four for a
/// time, and six zero bytes.
fn decode(fragment: &str) -> u64 {
    let block = URL_SAFE_NO_PAD.decode(&fragment[1..]).unwrap();
    let mut block = Array::from(<[u8; 16]>::try_from(block).unwrap());
    Aes128::new(&Array::from(KEY)).decrypt_block(&mut block);
    assert_eq!(block[10..], [0; 6], "a place that was never told");
    block[..6].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}
