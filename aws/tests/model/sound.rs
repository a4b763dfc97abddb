//! With all rules, nothing breaks.

use std::num::NonZero;

use stateright::{Checker, Model};

use crate::world::{Clocks, Comes, World};

/// Publishers, and readers that begin in these ways, without time.
fn world(publishers: usize, readers: &[Comes]) -> World {
    World {
        publishers,
        one_id: false,
        readers: readers.to_vec(),
        faults: 1,
        stale: true,
        prompt: false,
        until: 0,
        retention: 5,
        cuts: false,
        clocks: Clocks::default(),
        without: None,
    }
}

/// The same with time, until after updates have expired: each publication takes no time.
fn aging(world: World) -> World {
    World { faults: 0, stale: false, prompt: true, until: 6, ..world }
}

/// One publication and its readers, from its beginning until its tombstone has been deleted.
fn life(readers: &[Comes], faults: u8, clocks: Clocks) -> World {
    World { faults, stale: false, until: 7, retention: 2, clocks, ..world(1, readers) }
}

/// The first publisher's clock is ahead, or behind.
fn publisher(ahead: i64) -> Clocks {
    Clocks { first_publisher: ahead, ..Clocks::default() }
}

fn holds(world: World) {
    let name = format!("{world:?}");
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let checker = world.checker().threads(threads).spawn_bfs().join();
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
    let clocks = publisher(-1);
    holds(World { faults: 0, stale: false, until: 1, clocks, ..world });
}

#[test]
fn expiry_and_deletion() {
    holds(life(&[Comes::Earliest], 0, publisher(-1)));
}

/// Takes some minutes and some gigabytes.
#[test]
#[ignore = "takes long; run it with optimizations"]
fn larger_worlds() {
    let (live, earliest, position) = (Comes::Live, Comes::Earliest, Comes::AfterPosition);
    holds(world(2, &[live, earliest]));
    holds(World { faults: 2, ..world(2, &[earliest]) });
    holds(World { faults: 0, stale: false, ..world(3, &[earliest]) });
    holds(World { faults: 0, ..world(2, &[earliest, position]) });
    for clocks in [publisher(-1), publisher(1)] {
        holds(World { clocks, ..aging(world(2, &[earliest, position])) });
        holds(World { clocks, ..aging(world(2, &[earliest, Comes::AfterId])) });
        holds(World { faults: 0, stale: false, until: 2, clocks, ..world(2, &[earliest]) });
        holds(life(&[earliest], 1, clocks));
        holds(life(&[earliest, Comes::Next], 1, clocks));
    }
}

/// The same for every way in which the clocks may differ.
#[test]
#[ignore = "takes long; run it with optimizations"]
fn larger_worlds_by_all_clocks() {
    let (live, earliest, position) = (Comes::Live, Comes::Earliest, Comes::AfterPosition);
    for clocks in Clocks::all() {
        let told = World { faults: 0, until: 5, clocks, ..world(1, &[live, position]) };
        holds(told.clone());
        holds(World { publishers: 2, stale: false, prompt: true, cuts: true, ..told });
        holds(World { clocks, ..aging(world(1, &[earliest, Comes::AfterId])) });
        holds(life(&[earliest, Comes::Next], 0, clocks));
    }
}
