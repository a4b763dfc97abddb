//! With all rules, nothing breaks.

use stateright::{Checker, Model};

use crate::world::{Comes, World};

/// Two publishers, and readers that come in these ways.
fn world(readers: &[Comes]) -> World {
    World {
        publishers: 2,
        one_id: false,
        readers: readers.to_vec(),
        faults: 1,
        stale: true,
        prompt: false,
        until: 0,
        skew: 0,
        without: None,
    }
}

fn holds(world: World) {
    let name = format!("{world:?}");
    let checker = world.checker().spawn_bfs().join();
    println!("{} states, {} steps deep: {name}", checker.unique_state_count(), checker.max_depth());
    checker.assert_properties();
}

#[test]
fn publishers_and_a_reader() {
    holds(world(&[Comes::Earliest]));
}

#[test]
fn readers_that_seal_at_once() {
    let world = world(&[Comes::Live, Comes::Earliest]);
    holds(World { publishers: 1, ..world });
}

#[test]
fn readers_that_resume_by_id() {
    holds(World { faults: 0, stale: false, ..world(&[Comes::Earliest, Comes::AfterId]) });
}

#[test]
fn readers_that_resume_by_an_id_that_is_there_twice() {
    let world = world(&[Comes::Earliest, Comes::AfterId]);
    holds(World { one_id: true, faults: 0, stale: false, ..world });
}

#[test]
fn readers_that_resume_at_a_position() {
    holds(World { faults: 0, stale: false, ..world(&[Comes::Earliest, Comes::AfterPosition]) });
}

/// One publication and its reader, from beginning to oblivion.
fn life(comes: &[Comes], skew: i64) -> World {
    World { publishers: 1, faults: 1, stale: false, until: 9, skew, ..world(comes) }
}

#[test]
fn expiry_and_deletion() {
    for skew in [-1, 0, 1] {
        holds(life(&[Comes::Earliest], skew));
    }
}
