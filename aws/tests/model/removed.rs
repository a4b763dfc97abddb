//! One rule less, and something breaks: for each the property that is broken. The checker finds a
//! shortest way, which it prints.

use stateright::{Checker, Model};

use crate::properties::{DELIVERED, NO_SKIP, ONCE, ONE_ORDER, PROGRESS, REAL_TIME, RESUMES};
use crate::world::{Comes, Rule, World};

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
        skew: 0,
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
    let path = path.unwrap_or_else(|| panic!("without {rule:?} this holds still: {property}"));
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

/// A stream that resumes by the id that another has read.
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

/// Until updates have expired, and some more.
fn long(world: World) -> World {
    World { until: 5, stale: false, prompt: true, ..world }
}

#[test]
fn an_id_that_is_followed_until_it_expires() {
    let world = long(resuming(Rule::IdMargin, Comes::AfterId));
    breaks(World { until: 4, skew: 1, ..world }, RESUMES);
}

#[test]
fn a_position_that_is_followed_for_ever() {
    let world = long(resuming(Rule::PositionAge, Comes::AfterPosition));
    breaks(World { publishers: 1, ..world }, RESUMES);
}

#[test]
fn earliest_by_clocks_that_may_not_differ() {
    let world = World { until: 1, skew: -1, faults: 0, stale: false, ..small(Rule::EarliestSkew) };
    breaks(world, RESUMES);
}

#[test]
fn tombstones_that_expire_at_once() {
    breaks(World { until: 1, faults: 0, stale: false, ..small(Rule::TombstonesLast) }, NO_SKIP);
}

/// One publisher, for as long as tombstones last.
fn very_long(without: Rule) -> World {
    World { publishers: 1, until: 6, faults: 0, stale: false, ..small(without) }
}

#[test]
fn an_acknowledgement_past_the_lease() {
    breaks(very_long(Rule::Lease), DELIVERED);
}

#[test]
fn updates_that_are_delivered_when_they_have_expired() {
    let readers = vec![Comes::Earliest, Comes::Earliest];
    breaks(World { readers, ..very_long(Rule::ExpiredNotDelivered) }, ONE_ORDER);
}

#[test]
fn a_head_that_is_made_again() {
    let readers = vec![Comes::Live];
    breaks(World { readers, ..small(Rule::HeadNotRecreated) }, DELIVERED);
}
