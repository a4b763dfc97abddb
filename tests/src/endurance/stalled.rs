//! A reader that reads nothing holds up nobody but itself.

use std::io::ErrorKind;

use super::connection::Connection;
use super::memory;
use super::padding::padded;
use super::patience::PATIENCE;
use crate::case::Suite;
use crate::hub::{Hub, fresh};
use crate::stream::Stream;

const UPDATE: usize = 250_000;
/// How much more memory the hub may need than it did without a stalled reader.
///
/// It must not keep for that reader what it sends to the others. The same amount is published
/// before, without such a reader, so that the first peak includes what the platform itself needs
/// for updates of this size (bodies, caches, garbage that has not been collected yet). A hub that
/// keeps everything for the reader then needs 65 MB more, since some of the 100 fit where garbage
/// was; one that keeps no more than an outbox needs 5 to 10.
const GROWTH: u64 = 40_000_000;
/// What the kernel may hold for a reader that does not read: next to nothing.
const RECEIVE_BUFFER: usize = 128 * 1024;

/// Megabytes are published to a stalled reader and a prompt one: the prompt one gets each update
/// before the next is published, memory stays bounded, and the stalled one has lost nothing.
pub(super) fn a_stalled_reader_holds_up_nobody_and_loses_nothing(suite: &Suite) {
    let hub = suite.launch(&[]);
    let topic = fresh("stalled");
    let megabytes = suite.arguments.stalled_megabytes;
    let updates = megabytes * 1_000_000 / UPDATE;
    let mut prompt = hub.subscribe(&topic).patience(PATIENCE);
    publish_all(&hub, &topic, &mut prompt, "before", updates);
    let usual = memory::peak(hub.process_id());
    // A platform may end a stream that has carried this much.
    prompt = hub.subscribe(&topic).patience(PATIENCE);

    let stalled = Connection::open(&hub, &[("match", &topic)], Some(RECEIVE_BUFFER)).unwrap();
    let mut stalled = stalled.opened(PATIENCE).unwrap();
    // Once its first update has come, its last event ID is known.
    let first = hub.publish(&[("topic", &topic), ("data", "the first")]);
    assert_eq!(stalled.event(PATIENCE).unwrap().id, first);
    assert_eq!(prompt.expect_data("the first"), first);

    let published = publish_all(&hub, &topic, &mut prompt, "stalled", updates);
    if let (Some(usual), Some(peak)) = (usual, memory::peak(hub.process_id()))
        && megabytes >= 100
    {
        let growth = peak.saturating_sub(usual);
        assert!(growth < GROWTH, "{growth} bytes more than without a stalled reader ({usual})");
    }

    let mut resumed_at = None;
    for (number, id) in published.iter().enumerate() {
        let event = loop {
            match stalled.event(PATIENCE) {
                Ok(event) => break event,
                // The hub may have closed a stream that was not read. The reader resumes, and gets
                // further each time.
                Err(error) if error.kind() != ErrorKind::TimedOut && resumed_at != Some(number) => {
                    resumed_at = Some(number);
                    let last = stalled.last_event_id().to_owned();
                    let parameters = [("match", topic.as_str()), ("last_event_id", &last)];
                    stalled = Connection::open(&hub, &parameters, None).unwrap();
                }
                Err(error) => panic!("after {number} updates: {error}"),
            }
        };
        assert_eq!(event.id, *id, "number {number}");
        assert!(event.data == padded(&format!("stalled-{number}"), UPDATE), "number {number}");
    }
}

/// Publishes them one after the other, each once the prompt reader has the previous one.
#[track_caller]
fn publish_all(
    hub: &Hub,
    topic: &str,
    prompt: &mut Stream,
    name: &str,
    updates: usize,
) -> Vec<String> {
    let publish = |number| {
        let data = padded(&format!("{name}-{number}"), UPDATE);
        let id = hub.publish(&[("topic", topic), ("data", &data)]);
        let event = prompt.event();
        assert_eq!(event.id, id, "number {number}");
        assert!(event.data == data, "number {number}");
        id
    };
    (0..updates).map(publish).collect()
}
