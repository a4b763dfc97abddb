//! Without any one rule, something breaks: for each rule, the property that is broken. The checker
//! finds a shortest path to that, and prints it.

use stateright::{Checker, Model};

use crate::properties::{DELIVERED, NO_SKIP, ONCE, ONE_ORDER, PROGRESS, REAL_TIME, RESUMES};
use crate::world::{Clocks, Comes, Rule, World};

/// Two publishers and a reader, without time.
fn small(without: Rule) -> World {
    World {
        publishers: 2,
        one_id: false,
        readers: vec![Comes::Earliest],
        faults: 1,
        stale: true,
        prompt: false,
        until: 0,
        retention: 5,
        cuts: false,
        clocks: Clocks::default(),
        without: Some(without),
    }
}

/// Asserts that a property is broken.
fn breaks(world: World, property: &'static str) {
    let rule = world.without;
    let checker = world
        .checker()
        .finish_when(stateright::HasDiscoveries::AnyOf([property].into()))
        .spawn_bfs()
        .join();
    let path = checker.discovery(property);
    let path = path.unwrap_or_else(|| panic!("without {rule:?} this still holds: {property}"));
    let steps: Vec<String> =
        path.into_actions().iter().map(|action| format!("{action:?}")).collect();
    println!("without {rule:?}, {} steps: {}", steps.len(), steps.join(", "));
}

#[test]
fn a_seal_that_was_refused_and_is_taken_for_one() {
    breaks(small(Rule::SealResultHeeded), NO_SKIP);
}

#[test]
fn a_missing_number_that_is_passed_and_not_sealed() {
    breaks(small(Rule::SealBeforePassing), NO_SKIP);
}

#[test]
fn a_write_over_a_tombstone() {
    breaks(small(Rule::PutRefusedByTombstone), NO_SKIP);
}

#[test]
fn a_seal_over_an_update() {
    breaks(small(Rule::SealConditional), DELIVERED);
}

#[test]
fn a_tombstone_that_its_publisher_ignores() {
    breaks(small(Rule::TombstoneHeeded), DELIVERED);
}

#[test]
fn an_acknowledgement_before_the_write() {
    breaks(small(Rule::AcknowledgeAfterWrite), DELIVERED);
}

#[test]
fn cells_that_are_not_contiguous() {
    breaks(small(Rule::Contiguity), NO_SKIP);
}

#[test]
fn holes_that_nobody_seals() {
    breaks(small(Rule::Seals), PROGRESS);
}

#[test]
fn a_repeated_write_that_does_not_know_its_own() {
    breaks(small(Rule::Token), ONCE);
}

#[test]
fn a_new_number_after_a_timeout() {
    breaks(small(Rule::SameNumberAfterTimeout), ONCE);
}

#[test]
fn a_number_from_before_the_publication() {
    breaks(small(Rule::NumberAfterBeginning), REAL_TIME);
}

#[test]
fn a_hole_that_no_later_cell_shows() {
    breaks(small(Rule::HolesUpToHolder), PROGRESS);
}

#[test]
fn earliest_from_the_first_cell_there_is() {
    breaks(small(Rule::EarliestSettled), RESUMES);
}

/// A stream that resumes from an id that another has read.
fn resuming(without: Rule, comes: Comes) -> World {
    World { faults: 0, readers: vec![Comes::Earliest, comes], ..small(without) }
}

#[test]
fn an_id_that_is_looked_up_in_the_index_alone() {
    breaks(resuming(Rule::NewestCells, Comes::AfterId), RESUMES);
}

#[test]
fn newest_cells_that_are_not_read_consistently() {
    breaks(resuming(Rule::NewestConsistent, Comes::AfterId), RESUMES);
}

#[test]
fn the_newest_cells_only_where_the_index_has_nothing() {
    let world = resuming(Rule::SmallestOfBoth, Comes::AfterId);
    breaks(World { one_id: true, ..world }, RESUMES);
}

#[test]
fn a_position_that_is_the_heads() {
    breaks(resuming(Rule::PositionOfStream, Comes::AfterPosition), NO_SKIP);
}

/// Until updates have expired, and then some.
fn long(world: World) -> World {
    World { until: 6, stale: false, prompt: true, ..world }
}

#[test]
fn an_id_that_is_followed_until_it_expires() {
    let clocks = Clocks { first_publisher: 1, ..Clocks::default() };
    let world = long(resuming(Rule::IdMargin, Comes::AfterId));
    breaks(World { until: 3, retention: 3, clocks, ..world }, RESUMES);
}

#[test]
fn a_position_that_is_followed_for_ever() {
    let world = long(resuming(Rule::PositionAge, Comes::AfterPosition));
    breaks(World { publishers: 1, ..world }, RESUMES);
}

#[test]
fn a_position_that_is_dated_when_it_is_told() {
    let world = long(resuming(Rule::PositionAsOf, Comes::AfterPosition));
    breaks(World { publishers: 1, ..world }, RESUMES);
}

#[test]
fn a_position_that_is_dated_by_a_query_that_was_cut() {
    let world = long(resuming(Rule::PositionOfCutQuery, Comes::AfterPosition));
    breaks(World { until: 3, retention: 4, ..behind(World { cuts: true, ..world }) }, RESUMES);
}

/// The first publisher's clock is behind, so its updates expire early.
fn behind(world: World) -> World {
    let clocks = Clocks { first_publisher: -1, ..Clocks::default() };
    World { until: 4, clocks, ..world }
}

#[test]
fn a_position_before_a_hole_that_is_dated_by_the_latest_look() {
    let world = resuming(Rule::PositionBeforeHole, Comes::AfterPosition);
    // A number that was given away, but whose answer was lost, makes the hole.
    breaks(behind(World { publishers: 1, faults: 1, prompt: true, ..world }), RESUMES);
}

#[test]
fn a_position_from_stale_polls_that_is_followed_as_if_they_were_not() {
    let world = resuming(Rule::PositionLag, Comes::AfterPosition);
    breaks(behind(World { publishers: 1, ..world }), RESUMES);
}

#[test]
fn earliest_by_clocks_that_may_not_differ() {
    let world = behind(World { faults: 0, stale: false, ..small(Rule::EarliestSkew) });
    breaks(World { until: 1, ..world }, RESUMES);
}

#[test]
fn tombstones_that_expire_at_once() {
    breaks(World { until: 1, faults: 0, stale: false, ..small(Rule::TombstonesLast) }, NO_SKIP);
}

#[test]
fn a_replay_that_passes_what_expires_under_way() {
    let world = World { publishers: 1, faults: 0, ..long(small(Rule::OwedSinceLocated)) };
    breaks(world, DELIVERED);
}

#[test]
fn a_replay_that_owes_only_what_has_not_expired_when_it_opens() {
    let world = World { publishers: 1, faults: 0, ..long(small(Rule::OwedBeforeOpening)) };
    breaks(world, DELIVERED);
}

/// One publisher, until tombstones are deleted.
fn very_long(without: Rule) -> World {
    World { publishers: 1, until: 5, retention: 1, faults: 0, stale: false, ..small(without) }
}

#[test]
fn an_acknowledgement_past_the_lease() {
    breaks(very_long(Rule::Lease), DELIVERED);
}

/// The same, with one reader that seals and one that comes late.
fn late(without: Rule) -> World {
    World { readers: vec![Comes::Earliest, Comes::Next], ..very_long(without) }
}

#[test]
fn updates_that_are_delivered_when_they_have_expired() {
    breaks(late(Rule::ExpiredNotDelivered), ONE_ORDER);
}

#[test]
fn a_reader_that_does_not_stop_when_it_is_overtaken() {
    breaks(late(Rule::OvertakenStops), ONE_ORDER);
}

#[test]
fn a_reader_that_stops_by_clocks_that_may_not_differ() {
    let clocks = Clocks { first_publisher: 0, first_reader: -1, other_readers: -1 };
    breaks(World { clocks, ..late(Rule::OvertakenSkew) }, ONE_ORDER);
}

#[test]
fn a_head_that_is_made_again() {
    let readers = vec![Comes::Live];
    breaks(World { readers, ..small(Rule::HeadNotRecreated) }, DELIVERED);
}
