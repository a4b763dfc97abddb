//! A shard and its relays: links delay and end anywhere, and processes die, in virtual time.

mod alone;
mod network;

use std::time::Duration;

use network::{Network, Setting};

/// Seconds of publishing, with trouble; then peace, in which everybody catches up.
fn live_through(setting: &Setting, seed: u64) -> Network {
    let mut network = Network::new(setting, seed);
    network.run(setting.trouble);
    network.keep_peace();
    network.run(Duration::from_secs(90));
    network.check();
    network
}

const SMALL: Setting = Setting {
    relays: 4,
    clients: 40,
    publications: 400,
    trouble: Duration::from_secs(60),
    presence: false,
    length: 100,
    kills: true,
};

#[test]
fn every_update_reaches_every_client_once_and_in_order() {
    for seed in 0..8 {
        live_through(&SMALL, seed);
    }
}

#[test]
fn who_is_here_is_told_once_and_true() {
    for seed in 0..8 {
        live_through(&Setting { presence: true, ..SMALL }, seed);
    }
}

#[test]
fn a_slow_relay_costs_a_leader_no_memory() {
    let setting = Setting { publications: 800, length: 100_000, clients: 8, ..SMALL };
    for seed in 0..2 {
        let network = live_through(&setting, seed);
        assert!(network.most_on_the_way > 1024 * 1024, "no link was behind");
    }
}

#[test]
fn a_leaders_work_grows_with_relays_and_not_with_streams() {
    let calm = Setting { kills: false, ..SMALL };
    let few = live_through(&calm, 1).sent;
    let many = live_through(&Setting { clients: 10 * calm.clients, ..calm }, 1).sent;
    let wide = live_through(&Setting { relays: 4 * calm.relays, ..calm }, 1).sent;
    assert!(many <= few + few / 10, "{many} messages for ten times the streams, not {few}");
    assert!(wide <= 5 * few, "{wide} messages for four times the relays, not {few}");
}

/// `cargo test --release -p cinnabar-core --test simulation -- --ignored --nocapture large`
#[test]
#[ignore = "takes minutes"]
fn large() {
    let setting = Setting {
        relays: 1_000,
        clients: 100_000,
        publications: 300,
        trouble: Duration::from_secs(60),
        presence: false,
        length: 100,
        kills: true,
    };
    let network = live_through(&setting, 1);
    println!("{}", network.figures());
}
