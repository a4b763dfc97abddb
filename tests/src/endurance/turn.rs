//! A replay that turns live.

use std::sync::Arc;

use super::follower::Follower;
use super::journal::{Journal, check_same};
use super::patience::PATIENCE;
use super::publisher::{Crew, Publisher};
use crate::case::Suite;
use crate::hub::fresh;

/// How many updates are in the history before the first subscriber comes.
const HISTORY: usize = 3_000;
/// How many updates are published between two subscribers.
const BETWEEN: usize = 50;
const SUBSCRIBERS: usize = 8;
const PUBLISHERS: usize = 4;

/// Subscribers come one after the other, from `earliest`, while publishers publish. Each sees every
/// update once and in order, across its turn from the history to what is published now.
pub(super) fn a_replay_turns_live_without_gap_or_double(suite: &Suite) {
    let hub = Arc::new(suite.launch(&[("HISTORY_SIZE", "1000000"), ("REPLAY_MAX", "1000000")]));
    let topic = fresh("turn");
    let earliest = hub.subscription(&[("match", &topic), ("last_event_id", "earliest")]);
    let journal = Arc::new(Journal::default());
    let publisher = Publisher::new(&hub, &topic, &journal);
    let crew = Crew::start("crew", PUBLISHERS, &publisher);
    journal.wait_for(HISTORY, PATIENCE);

    let mut followers = Vec::new();
    for number in 0..SUBSCRIBERS {
        let subscription =
            if number % 2 == 0 { earliest.clone() } else { earliest.clone().native() };
        followers.push(Follower::start(subscription));
        journal.wait_for(journal.acknowledged() + BETWEEN, PATIENCE);
    }
    // The publishers go on until each subscriber has seen an update from after the last one came.
    let enough = journal.acknowledged() + BETWEEN;
    let seen = followers.iter().map(|follower| (0..enough).map(|_| follower.next()).collect());
    let seen: Vec<Vec<_>> = seen.collect();
    crew.stop();
    publisher.publish("the last");

    let log = Follower::start(earliest).through("the last");
    journal.check(&log).unwrap_or_else(|fault| panic!("after all: {fault}"));
    for (number, (follower, mut seen)) in followers.iter().zip(seen).enumerate() {
        seen.append(&mut follower.through("the last"));
        check_same(&log, &seen).unwrap_or_else(|fault| panic!("subscriber {number}: {fault}"));
    }
}
