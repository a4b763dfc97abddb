//! Who is here, where one hub follows another.

use super::asking::{PRESENT, active, wait_until};
use crate::arguments::Capability;
use crate::case::{Case, Suite, case};
use crate::cases::following::{SECRET, follower};
use crate::hub::{Hub, fresh};
use crate::stream::Stream;
use crate::token::Generation;

pub(super) const CASES: &[Case] = &[case!(who_is_here_is_known_at_every_hub launching)
    .needing(&[Capability::Feed, Capability::Disconnects])];

fn who_is_here_is_known_at_every_hub(suite: &Suite) {
    let present = [PRESENT, &[SECRET]].concat();
    let leader = suite.launch(&present);
    let follower = follower(suite, &leader, PRESENT);
    let topic = fresh("room");
    let subscribe = |hub: &Hub| -> Stream {
        let token = hub.subscriber(Generation::V1, &["*"]);
        hub.subscription(&[("match", &topic)]).bearer(&token).open()
    };
    let streams = [subscribe(&leader), subscribe(&follower)];
    for hub in [&leader, &follower] {
        assert_eq!(active(hub, "exact", &topic).len(), 2);
    }
    // The follower tells of one that ends there.
    let [staying, leaving] = streams;
    drop(leaving);
    wait_until("one has left", || active(&leader, "exact", &topic).len() == 1);
    assert_eq!(active(&follower, "exact", &topic).len(), 1);
    drop(staying);
}
