//! The size of a world, and the rules that it may be without.

use std::time::Duration;

use cinnabar_aws::log::timing::Timing;

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
