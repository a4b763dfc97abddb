//! The log, explored: all interleavings of a few publishers and readers, with calls that are
//! delayed, repeated or not answered, clocks that differ, and cells that expire and are deleted out
//! of order.
//!
//! What publishers and readers do is decided by the code that ships (`cinnabar_aws::log`); only the
//! world around it is made here. To remove a rule is to make a world that does not follow it: one
//! test for each shows that something breaks without it. With all rules, nothing does.
//!
//! The checker is stateright. Small sizes are evidence, not proof; `cargo test --release -p
//! cinnabar-aws --test model -- --ignored` explores larger ones.

#![expect(clippy::panic, clippy::unwrap_used, reason = "all of it is a test")]

mod explored;
mod properties;
mod removed;
mod sound;
mod state;
mod steps;
mod world;
