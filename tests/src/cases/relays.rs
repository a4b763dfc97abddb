//! Relays, which hold the streams of one hub (a decision of the project): where a subscriber is sent.

use crate::arguments::Capability;
use crate::case::{Case, case};
use crate::hub::{Hub, fresh};
use crate::launch::Variables;
use crate::stream::Stream;

pub(crate) const CASES: &[Case] = &[
    case!(streams_are_in_the_first_region_if_nobody_knows_where_the_client_is on REGIONS)
        .needing(&[Capability::Aborts]),
    case!(a_full_region_sends_its_subscribers_to_the_next on FULL_REGIONS)
        .needing(&[Capability::Aborts]),
];

const REGIONS: Variables = &[("RELAYS", "2"), ("RELAY_REGIONS", "weur,apac")];
const FULL_REGIONS: Variables =
    &[("RELAYS", "1"), ("RELAY_REGIONS", "enam oc"), ("MAX_STREAMS", "1")];

/// The relay that holds a stream.
#[track_caller]
fn relay(stream: &Stream) -> String {
    stream.head.header("X-Relay").expect("a relay holds the stream")
}

fn streams_are_in_the_first_region_if_nobody_knows_where_the_client_is(hub: &Hub) {
    let topic = fresh("regions");
    let mut streams: Vec<Stream> = (0..6).map(|_| hub.subscribe(&topic)).collect();
    let id = hub.publish(&[("topic", &topic), ("data", "for all regions")]);
    for stream in &mut streams {
        let relay = relay(stream);
        assert!(["relay weur 0", "relay weur 1"].contains(&&*relay), "{relay}");
        assert_eq!(stream.event().id, id);
    }
}

fn a_full_region_sends_its_subscribers_to_the_next(hub: &Hub) {
    let topic = fresh("full-regions");
    let mut streams = [hub.subscribe(&topic), hub.subscribe(&topic)];
    assert_eq!(streams.each_ref().map(relay), ["relay enam 0", "relay oc 0"]);
    // One that is told the truth.
    let third = hub.subscription(&[("match", &topic)]).without_header("Accept");
    third.header("Accept", "*/*").send().expect_status(503);
    let id = hub.publish(&[("topic", &topic), ("data", "for all regions")]);
    for stream in &mut streams {
        assert_eq!(stream.event().id, id);
    }
}
