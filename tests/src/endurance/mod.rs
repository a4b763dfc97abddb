//! What a hub must endure: being killed, readers that are slow or stalled, crowds.
//!
//! These cases take seconds each, and hubs of their own. They wait for events, so a slow machine
//! only makes them take longer, and never makes them fail.

mod aborts;
mod connection;
mod crowd;
mod follower;
mod following;
mod journal;
mod kills;
mod memory;
mod padding;
mod patience;
mod processes;
mod publisher;
mod slow;
mod stalled;
mod turn;

pub(crate) use processes::kill_children;

use aborts::{
    aborts_of_a_relay_end_its_own_streams_alone, aborts_of_the_log_end_no_stream_of_a_relay,
};
use crowd::a_full_hub_serves_its_streams_and_frees_those_whose_clients_left;
use following::{
    hubs_of_another_kind_that_follow_endure_deaths, hubs_that_follow_another_endure_deaths,
    hubs_that_follow_one_of_another_kind_endure_deaths,
};
use kills::{
    acknowledged_updates_survive_sigkill, acknowledged_updates_survive_the_end_of_environments,
};
use slow::a_slow_reader_receives_the_largest_update_and_the_next_ones;
use stalled::a_stalled_reader_holds_up_nobody_and_loses_nothing;
use turn::a_replay_turns_live_without_gap_or_double;

use crate::arguments::Capability;
use crate::case::{Case, case};

pub(crate) const CASES: &[Case] = &[
    case!(acknowledged_updates_survive_sigkill launching),
    case!(acknowledged_updates_survive_the_end_of_environments launching)
        .needing(&[Capability::Environments]),
    case!(hubs_that_follow_another_endure_deaths launching).needing(&[Capability::Feed]),
    case!(hubs_that_follow_one_of_another_kind_endure_deaths launching)
        .needing(&[Capability::Feed])
        .beside(),
    case!(hubs_of_another_kind_that_follow_endure_deaths launching)
        .needing(&[Capability::Feed])
        .beside(),
    case!(aborts_of_the_log_end_no_stream_of_a_relay launching).needing(&[Capability::Aborts]),
    case!(aborts_of_a_relay_end_its_own_streams_alone launching).needing(&[Capability::Aborts]),
    case!(a_stalled_reader_holds_up_nobody_and_loses_nothing launching),
    case!(a_slow_reader_receives_the_largest_update_and_the_next_ones),
    case!(a_full_hub_serves_its_streams_and_frees_those_whose_clients_left launching)
        .needing(&[Capability::Disconnects]),
    case!(a_replay_turns_live_without_gap_or_double launching),
];
