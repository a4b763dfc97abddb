//! What must hold in every state.

use std::collections::BTreeMap;

use cinnabar_aws::log::cell::Cell;
use cinnabar_core::Timestamp;
use stateright::Property;

use crate::state::{Answer, Follower, State, Who};
use crate::world::{Comes, World};

pub(crate) const DELIVERED: &str = "P1: what is acknowledged is delivered";
pub(crate) const ONE_ORDER: &str = "P2: all readers see one log";
pub(crate) const REAL_TIME: &str = "P3: what was acknowledged before comes before";
pub(crate) const ONCE: &str = "P4: at most once, acknowledged or not";
pub(crate) const NO_SKIP: &str = "P5: nothing is skipped";
pub(crate) const PROGRESS: &str = "P6: a reader that is left in peace reads all";
pub(crate) const RESUMES: &str = "P7: a reader resumes where it may, and is told where it may not";

pub(crate) fn all() -> Vec<Property<World>> {
    vec![
        Property::always(DELIVERED, is_delivered),
        Property::always(ONE_ORDER, |_, state| is_one_log(state)),
        Property::always(REAL_TIME, |_, state| is_in_real_time(state)),
        Property::always(ONCE, |_, state| is_once(state)),
        Property::always(NO_SKIP, skips_nothing),
        Property::always(PROGRESS, progresses),
        Property::always(RESUMES, resumes),
    ]
}

impl Follower {
    pub(crate) fn reached(&self) -> u64 {
        self.reader.as_ref().map_or(0, |reader| reader.reached().get())
    }

    /// Whether it has read this number since it began.
    fn has_read(&self, number: u64) -> bool {
        self.began < number && number <= self.reached()
    }

    fn has(&self, number: u64) -> bool {
        self.delivered.iter().any(|(delivered, _)| *delivered == number)
    }

    /// Whether it may pass an update that expires then, since that had expired when it was located.
    fn may_pass(&self, expires: Timestamp) -> bool {
        expires <= self.began_at
    }
}

fn acknowledged(state: &State) -> impl Iterator<Item = (Who, u64)> {
    (0..).zip(&state.publishers).filter_map(|(who, publisher)| match publisher.answer {
        Some(Answer::Acknowledged(number)) => Some((who, number)),
        _ => None,
    })
}

fn started(state: &State) -> impl Iterator<Item = &Follower> {
    state.followers.iter().filter(|follower| follower.reader.is_some())
}

fn is_delivered(world: &World, state: &State) -> bool {
    acknowledged(state).all(|(who, number)| {
        started(state).all(|follower| {
            // A reader that came before the publication began must get it.
            let missed = follower.before.contains(&who) && number <= follower.began;
            let read = !follower.has_read(number)
                || follower.delivered.contains(&(number, who))
                || follower.may_pass(state.publishers[who].expires(&world.timing()));
            read && !missed
        })
    })
}

fn is_one_log(state: &State) -> bool {
    let mut log: BTreeMap<u64, Who> = BTreeMap::new();
    let one = started(state)
        .flat_map(|follower| &follower.delivered)
        .all(|(number, who)| log.insert(*number, *who).is_none_or(|known| known == *who));
    let in_order =
        started(state).all(|follower| follower.delivered.is_sorted_by_key(|(number, _)| *number));
    // What one reader has passed, no other is given.
    let sealed = started(state).any(|follower| {
        log.keys().any(|number| {
            follower.has_read(*number)
                && !follower.has(*number)
                && !state.held.get(number).is_some_and(|expires| follower.may_pass(*expires))
        })
    });
    one && in_order && !sealed
}

fn is_in_real_time(state: &State) -> bool {
    (0..).zip(&state.publishers).all(|(who, publisher)| {
        started(state).all(|follower| {
            let place = |of: Who| follower.delivered.iter().position(|(_, who)| *who == of);
            publisher.after.iter().all(|earlier| match (place(*earlier), place(who)) {
                (Some(earlier), Some(later)) => earlier < later,
                _ => true,
            })
        })
    })
}

fn is_once(state: &State) -> bool {
    let mut numbers: BTreeMap<Who, u64> = BTreeMap::new();
    let one_number = started(state)
        .flat_map(|follower| &follower.delivered)
        .all(|(number, who)| numbers.insert(*who, *number).is_none_or(|known| known == *number));
    let once = started(state).all(|follower| {
        let mut delivered: Vec<_> = follower.delivered.iter().map(|(_, who)| who).collect();
        delivered.sort_unstable();
        delivered.windows(2).all(|pair| pair[0] != pair[1])
    });
    one_number && once
}

fn skips_nothing(world: &World, state: &State) -> bool {
    let started = (0..).zip(&state.followers).filter(|(_, follower)| follower.reader.is_some());
    started.into_iter().all(|(index, follower)| {
        let now = world.reader_now(index, state.now);
        (follower.began + 1..=follower.reached()).all(|number| match state.cell(number) {
            Some(Cell::Update { expires, .. }) => *expires <= now || follower.has(number),
            _ => true,
        })
    })
}

fn progresses(world: &World, state: &State) -> bool {
    (0..).zip(&state.followers).all(|(index, follower)| {
        let last = (1..=state.head).rev().find(|number| state.cell(*number).is_some());
        let known = last.unwrap_or(0).max(follower.through);
        // A reader that has stopped leaves the rest to the next.
        let reads = follower.reader.is_some() && !follower.overtaken;
        let behind = reads && follower.reached() < known;
        !behind || world.in_peace(state, index) >= known
    })
}

fn resumes(world: &World, state: &State) -> bool {
    let earliest = state.followers.iter().zip(&world.readers).filter(|(follower, comes)| {
        matches!(comes, Comes::Earliest | Comes::Next) && follower.reader.is_some()
    });
    // `earliest` brings everything that is kept.
    let all = earliest.into_iter().all(|(follower, _)| {
        acknowledged(state).all(|(who, number)| {
            let expires = state.publishers[who].expires(&world.timing());
            number > follower.began || follower.may_pass(expires)
        })
    });
    all && state.followers.iter().all(|follower| !follower.lost_its_place)
}
