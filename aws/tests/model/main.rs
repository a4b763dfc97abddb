//! The log, explored: all interleavings of small numbers of publishers and readers, of calls that
//! are delayed, repeated and not answered, of clocks that differ, of cells that expire and are
//! deleted out of order.
//!
//! What publishers and readers do is decided by the very code that ships (`cinnabar_aws::log`); the
//! world around it, and no more, is made here. A rule is removed by a world that does not follow
//! it: one test for each shows that something breaks then. With all rules nothing does.
//!
//! The checker is stateright. Small sizes are evidence, and no proof; `cargo test --release -p
//! cinnabar-aws --test model -- --ignored` explores larger ones.

#![expect(clippy::panic, clippy::unwrap_used, reason = "all of it is a test")]

mod explored;
mod properties;
mod removed;
mod sound;
mod state;
mod steps;
mod world;
