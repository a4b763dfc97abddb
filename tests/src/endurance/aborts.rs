//! Objects of the hub are aborted, one by one, while publishers publish and relays hold streams.

use std::sync::Arc;

use super::follower::Follower;
use super::journal::{Journal, Seen, check_same};
use super::patience::PATIENCE;
use super::publisher::{Crew, Publisher};
use crate::case::Suite;
use crate::hub::{Hub, fresh};

const PUBLISHERS: usize = 4;
const READERS: usize = 8;

/// How many updates are acknowledged between two aborts, at least.
const BETWEEN: usize = 50;

/// A reader whose stream a relay holds.
struct Reader {
    follower: Follower,
    relay: String,
    /// How often it may have got a stream.
    openings: usize,
    seen: Vec<Seen>,
}

impl Reader {
    fn start(hub: &Hub, topic: &str, number: usize) -> Self {
        let subscription = hub.subscription(&[("match", topic)]);
        // Every other one is a browser.
        let subscription =
            if number.is_multiple_of(2) { subscription } else { subscription.native() };
        let follower = Follower::start(subscription);
        let relay = follower.wait_until_open().expect("a relay holds the stream");
        Self { follower, relay, openings: 1, seen: Vec::new() }
    }
}

/// While the object that holds the log is aborted again and again, no stream of a relay ends.
pub(super) fn aborts_of_the_log_end_no_stream_of_a_relay(suite: &Suite) {
    outlive(suite, |hub, _| hub.abort("hub"));
}

/// When a relay is aborted, its own readers resume at another, and nobody else notices.
pub(super) fn aborts_of_a_relay_end_its_own_streams_alone(suite: &Suite) {
    outlive(suite, |hub, readers| {
        // The relay of the reader that has been with its own for longest.
        readers.rotate_left(1);
        let relay = readers[0].relay.clone();
        hub.abort(&relay);
        for reader in readers.iter_mut().filter(|reader| reader.relay == relay) {
            let (mut before, relay) = reader.follower.until_it_resumes();
            reader.seen.append(&mut before);
            reader.relay = relay.expect("a relay holds the stream");
            reader.openings += 1;
        }
    });
}

/// Lets an accident happen again and again while publishers publish. Every acknowledged update reaches
/// every reader once and in order, and no stream ends but those that the accident takes care of.
fn outlive(suite: &Suite, accident: fn(&Hub, &mut [Reader])) {
    let variables = [("RELAYS", "4"), ("HISTORY_SIZE", "1000000"), ("REPLAY_MAX", "1000000")];
    let hub = Arc::new(suite.launch(&variables));
    let topic = fresh("aborts");
    let start = |number| Reader::start(&hub, &topic, number);
    let mut readers: Vec<Reader> = (0..READERS).map(start).collect();

    let journal = Arc::new(Journal::default());
    let publisher = Publisher::new(&hub, &topic, &journal);
    // A reader that is not a browser resumes from an update, so it must have received one.
    publisher.publish("the first");
    for reader in &mut readers {
        reader.seen.push(reader.follower.next());
    }

    let crew = Crew::start("crew", PUBLISHERS, &publisher);
    for abort in 0..suite.arguments.kills {
        // After a varying number of updates, so that it happens at different moments.
        journal.wait_for(journal.acknowledged() + BETWEEN + abort % 10 * 13, PATIENCE);
        accident(&hub, &mut readers);
    }
    journal.wait_for(journal.acknowledged() + BETWEEN, PATIENCE);
    crew.stop();
    publisher.publish("the last");

    let earliest = hub.subscription(&[("match", &topic), ("last_event_id", "earliest")]);
    let log = Follower::start(earliest).through("the last");
    journal.check(&log).unwrap_or_else(|fault| panic!("from `earliest`: {fault}"));
    for (number, reader) in readers.iter_mut().enumerate() {
        reader.seen.append(&mut reader.follower.through("the last"));
        assert_eq!(reader.follower.openings(), reader.openings, "streams of reader {number}");
        check_same(&log, &reader.seen).unwrap_or_else(|fault| panic!("reader {number}: {fault}"));
    }
}
