//! What has not arrived, shown by what arrives next.

use crate::hub::Hub;
use crate::stream::Stream;

/// Nothing has reached the stream since it was last read: the next update is the one published
/// here, publicly, to a topic that the stream subscribes to.
#[track_caller]
pub(super) fn expect_nothing_yet(hub: &Hub, stream: &mut Stream, topic: &str) {
    let id = hub.publish(&[("topic", topic), ("data", "marker")]);
    let event = stream.event();
    assert_eq!(event.id, id, "{event:?}");
}
