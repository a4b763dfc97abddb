//! The core in memory: a log, a holder, readers and a clock, all simulated.

#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "all of it is a test")]

mod client;
mod endings;
mod feed;
mod framing;
mod late;
mod lifetimes;
mod places;
mod presence;
mod pressure;
mod promises;
mod quotas;
mod resuming;
mod world;
