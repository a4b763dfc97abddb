//! The size of a world, and the rules that it may lack.

use std::time::Duration;

use cinnabar_aws::log::timing::Timing;

/// A rule that a world may lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Rule {
    /// 1: a number is asked for only once the publication has begun.
    NumberAfterBeginning,
    /// 2: only a tombstone frees a publisher from its number.
    SameNumberAfterTimeout,
    /// 2: a repeated write recognizes its own update.
    Token,
    /// 2: a tombstone refuses a write.
    PutRefusedByTombstone,
    /// 2: a publisher heeds the tombstone.
    TombstoneHeeded,
    /// 3: an acknowledgement follows the write.
    AcknowledgeAfterWrite,
    /// 3: and only within the lease.
    Lease,
    /// 4: tombstones outlive every write that may still come.
    TombstonesLast,
    /// 6: contiguous cells only.
    Contiguity,
    /// 6: a number that stays missing is sealed.
    Seals,
    /// 6: before it is passed.
    SealBeforePassing,
    /// 6: a refused seal is not a seal.
    SealResultHeeded,
    /// 6: a seal never overwrites.
    SealConditional,
    /// 7: what had expired when a reader was located is not delivered.
    ExpiredNotDelivered,
    /// 7: what had not is, even if it has expired since.
    OwedSinceLocated,
    /// 7: the moment is when the log was asked, not when the stream opened.
    OwedBeforeOpening,
    /// 7: a reader that is too far behind what is deleted stops.
    OvertakenStops,
    /// 7: allowing for clocks that differ.
    OvertakenSkew,
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
    /// 10: and when that was the end of the log, not when it was told.
    PositionAsOf,
    /// 10: which that was not, if a cell waits behind a hole.
    PositionBeforeHole,
    /// 10: or if the query was cut.
    PositionOfCutQuery,
    /// 10: and it is forgotten in time.
    PositionAge,
    /// 10: allowing for stale polls.
    PositionLag,
    /// 11: `earliest` begins where no lower number may be under way.
    EarliestSettled,
    /// 11: allowing for clocks that differ.
    EarliestSkew,
    /// 12: a lost head is not made again.
    HeadNotRecreated,
}

/// How a reader begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Comes {
    /// At the head, like the first stream of a holder.
    Live,
    /// With `earliest`.
    Earliest,
    /// With `earliest`, once the first reader has read something, which then reads no more.
    Next,
    /// With the id that the first reader read last.
    AfterId,
    /// With the position that the first reader was told.
    AfterPosition,
}

/// How far clocks are ahead of the table's, which every publisher but the first also uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clocks {
    pub(crate) first_publisher: i64,
    pub(crate) first_reader: i64,
    pub(crate) other_readers: i64,
}

impl Clocks {
    /// All the ways in which they can differ by the skew.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let bits = |bits: i64| Self {
            first_publisher: bits & 1,
            first_reader: bits >> 1 & 1,
            other_readers: bits >> 2,
        };
        let negative = |clocks: Self| Self {
            first_publisher: -clocks.first_publisher,
            first_reader: -clocks.first_reader,
            other_readers: -clocks.other_readers,
        };
        (0..8).map(bits).chain((1..8).map(bits).map(negative))
    }
}

/// The size of a world, and what goes wrong in it.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) publishers: usize,
    /// Whether each publisher's update has the id of the first.
    pub(crate) one_id: bool,
    pub(crate) readers: Vec<Comes>,
    /// How many calls may go unanswered.
    pub(crate) faults: u8,
    /// Whether polls may be stale.
    pub(crate) stale: bool,
    /// Whether polls may be cut after one cell.
    pub(crate) cuts: bool,
    /// Whether time stands still while an update is on its way.
    pub(crate) prompt: bool,
    /// When time ends.
    pub(crate) until: u64,
    /// How long updates are kept.
    pub(crate) retention: u64,
    pub(crate) clocks: Clocks,
    pub(crate) without: Option<Rule>,
}

impl World {
    /// Times are small numbers here.
    pub(crate) fn timing(&self) -> Timing {
        let ticks = Duration::from_millis;
        Timing {
            lease: ticks(1),
            skew: ticks(1),
            retention: ticks(self.retention),
            grace: ticks(4),
            patience: ticks(0),
            index_lag: ticks(100),
            reading_lag: ticks(1),
        }
    }
}
