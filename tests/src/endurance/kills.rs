//! An acknowledged update survives the death of the hub, and of the processes that serve it.

use std::sync::Arc;

use super::follower::Follower;
use super::journal::{Journal, check_same};
use super::patience::PATIENCE;
use super::processes::kill_children;
use super::publisher::{Crew, Publisher};
use crate::case::Suite;
use crate::hub::{Hub, fresh};

const PUBLISHERS: usize = 4;

/// SIGKILL, and a restart on the same data.
pub(super) fn acknowledged_updates_survive_sigkill(suite: &Suite) {
    survives(suite, |hub| {
        hub.kill();
        hub.restart();
    });
}

/// SIGKILL to all environments, which the platform replaces as requests come.
pub(super) fn acknowledged_updates_survive_the_end_of_environments(suite: &Suite) {
    survives(suite, |hub| {
        assert!(kill_children(hub.process_id()) > 0, "it serves in no process but its own");
    });
}

/// Lets an accident happen again and again while four publishers publish: every acknowledged update
/// reaches the subscribers that resume, and one that comes later.
fn survives(suite: &Suite, accident: fn(&Hub)) {
    // No update may leave the history, however often the hub is killed.
    let hub = Arc::new(suite.launch(&[("HISTORY_SIZE", "1000000"), ("REPLAY_MAX", "1000000")]));
    let topic = fresh("kills");
    let subscription = hub.subscription(&[("match", &topic)]);
    let readers = [
        ("a reader that is not a browser", Follower::start(subscription.clone())),
        ("a browser", Follower::start(subscription.native())),
    ];
    for (_, follower) in &readers {
        follower.wait_until_open();
    }

    let journal = Arc::new(Journal::default());
    let publisher = Publisher::new(&hub, &topic, &journal);
    // A reader that is not a browser resumes from an update, so it must have received one.
    publisher.publish("the first");
    let first = readers.each_ref().map(|(_, follower)| follower.next());

    let crew = Crew::start("crew", PUBLISHERS, &publisher);
    for kill in 0..suite.arguments.kills {
        // After a varying number of updates, so that it happens at different moments.
        journal.wait_for(journal.acknowledged() + 50 + kill % 10 * 13, PATIENCE);
        accident(&hub);
    }
    journal.wait_for(journal.acknowledged() + 50, PATIENCE);
    crew.stop();
    publisher.publish("the last");

    let earliest = hub.subscription(&[("match", &topic), ("last_event_id", "earliest")]);
    let log = Follower::start(earliest).through("the last");
    journal.check(&log).unwrap_or_else(|fault| panic!("from `earliest`: {fault}"));
    for ((name, follower), first) in readers.iter().zip(first) {
        let mut seen = vec![first];
        seen.append(&mut follower.through("the last"));
        check_same(&log, &seen).unwrap_or_else(|fault| panic!("{name}, resumed: {fault}"));
    }
}
