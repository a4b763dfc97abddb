//! A hub and one that follows it, each of which is killed while publishers publish at both.

use std::sync::Arc;

use super::follower::Follower;
use super::journal::{Journal, check_same};
use super::patience::PATIENCE;
use super::publisher::{Crew, Publisher};
use crate::case::Suite;
use crate::cases::following::{FORWARDS, SECRET};
use crate::hub::{Hub, fresh};
use crate::launch::Kind;

/// How many publish at each of the two hubs.
const PUBLISHERS: usize = 2;

pub(super) fn hubs_that_follow_another_endure_deaths(suite: &Suite) {
    endure(suite, Kind::Own, Kind::Own);
}

pub(super) fn hubs_that_follow_one_of_another_kind_endure_deaths(suite: &Suite) {
    endure(suite, Kind::Other, Kind::Own);
}

pub(super) fn hubs_of_another_kind_that_follow_endure_deaths(suite: &Suite) {
    endure(suite, Kind::Own, Kind::Other);
}

/// Kills the hub that leads, again and again, and then the one that follows: every acknowledged update
/// reaches every reader once and in order, and streams of the follower outlive the leader's deaths.
fn endure(suite: &Suite, leader: Kind, follower: Kind) {
    let long = [SECRET, ("HISTORY_SIZE", "1000000"), ("REPLAY_MAX", "1000000")];
    let leader = Arc::new(suite.launch_kind(leader, &long));
    let url = leader.url();
    let follows = [&long[..], &[("FOLLOW", url.as_str()), FORWARDS]].concat();
    let follower = Arc::new(suite.launch_kind(follower, &follows));
    let topic = fresh("following");
    let at = |hub: &Hub| hub.subscription(&[("match", &topic)]);
    let readers = [
        ("a reader of the leader", Follower::start(at(&leader))),
        ("a reader of the follower", Follower::start(at(&follower))),
        ("a browser at the follower", Follower::start(at(&follower).native())),
    ];
    for (_, reader) in &readers {
        reader.wait_until_open();
    }

    let journal = Arc::new(Journal::default());
    let publisher = Publisher::new(&leader, &topic, &journal);
    publisher.publish("the first");
    let mut seen = readers.each_ref().map(|(_, reader)| vec![reader.next()]);
    let direct = Crew::start("direct", PUBLISHERS, &publisher);
    let forwarded = Crew::start("forwarded", PUBLISHERS, &publisher.at(&follower));
    let kill = |hub: &Hub| {
        for kill in 0..suite.arguments.kills {
            // After a varying number of updates, so that it happens at different moments.
            journal.wait_for(journal.acknowledged() + 50 + kill % 10 * 13, PATIENCE);
            hub.kill();
            hub.restart();
        }
        journal.wait_for(journal.acknowledged() + 50, PATIENCE);
    };

    kill(&leader);
    publisher.publish("after the leader's deaths");
    for ((name, reader), seen) in readers.iter().zip(&mut seen) {
        seen.append(&mut reader.through("after the leader's deaths"));
        let has_stayed = reader.openings() == 1;
        assert_eq!(has_stayed, name.ends_with("follower"), "{name}");
    }

    kill(&follower);
    direct.stop();
    forwarded.stop();
    publisher.publish("the last");
    let earliest = leader.subscription(&[("match", &topic), ("last_event_id", "earliest")]);
    let log = Follower::start(earliest).through("the last");
    journal.check(&log).unwrap_or_else(|fault| panic!("from `earliest`: {fault}"));
    for ((name, reader), mut seen) in readers.iter().zip(seen) {
        seen.append(&mut reader.through("the last"));
        check_same(&log, &seen).unwrap_or_else(|fault| panic!("{name}: {fault}"));
    }
    println!("{} updates, each acknowledged one once and in order", log.len());
}
