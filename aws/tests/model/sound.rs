//! With all rules, nothing breaks.

use stateright::{Checker, Model};

use crate::world::{Comes, World};

/// Publishers, and readers that come in these ways, without time.
fn world(publishers: usize, readers: &[Comes]) -> World {
    World {
        publishers,
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

/// The same with time, until updates have expired and more: each publication at one moment.
fn aging(world: World) -> World {
    World { faults: 0, stale: false, prompt: true, until: 5, ..world }
}

/// One publication and its readers, from its beginning until its tombstone has been deleted.
fn life(readers: &[Comes], faults: u8, skew: i64) -> World {
    World { faults, stale: false, until: 7, skew, ..world(1, readers) }
}

fn holds(world: World) {
    let name = format!("{world:?}");
    let checker = world.checker().spawn_bfs().join();
    println!("{} states, {} steps deep: {name}", checker.unique_state_count(), checker.max_depth());
    checker.assert_properties();
}

#[test]
fn publishers_and_a_reader() {
    holds(world(2, &[Comes::Earliest]));
}

#[test]
fn readers_that_seal_at_once() {
    holds(world(1, &[Comes::Live, Comes::Earliest]));
}

#[test]
fn readers_that_resume_by_id() {
    for one_id in [false, true] {
        let world = world(2, &[Comes::Earliest, Comes::AfterId]);
        holds(World { one_id, faults: 0, stale: false, ..world });
    }
}

#[test]
fn readers_that_resume_at_a_position() {
    holds(aging(world(1, &[Comes::Earliest, Comes::AfterPosition])));
}

#[test]
fn clocks_that_differ() {
    let world = world(2, &[Comes::Earliest]);
    holds(World { faults: 0, stale: false, until: 1, skew: -1, ..world });
}

#[test]
fn expiry_and_deletion() {
    holds(life(&[Comes::Earliest], 0, -1));
}

/// Some minutes, and some gigabytes.
///
/// The fifth does not hold yet: a reader that has not looked for so long that what it missed is
/// deleted tells its position as if it had just looked (docs/aws-log.md, "What is known").
#[test]
#[ignore = "takes long; run it with optimizations"]
fn larger_worlds() {
    let (live, earliest) = (Comes::Live, Comes::Earliest);
    holds(world(2, &[live, earliest]));
    holds(World { faults: 2, ..world(2, &[earliest]) });
    holds(World { faults: 0, stale: false, ..world(3, &[earliest]) });
    holds(World { faults: 0, ..world(2, &[earliest, Comes::AfterPosition]) });
    for skew in [-1, 1] {
        holds(World { skew, ..aging(world(2, &[earliest, Comes::AfterPosition])) });
        holds(World { skew, ..aging(world(2, &[earliest, Comes::AfterId])) });
        holds(World { faults: 0, stale: false, until: 2, skew, ..world(2, &[earliest]) });
        holds(life(&[earliest], 1, skew));
        holds(life(&[earliest, earliest], 0, skew));
    }
}
