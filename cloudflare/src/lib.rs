//! The hub on Cloudflare: a Worker that admits requests, and a Durable Object that holds the log
//! and the streams.
//!
//! ```text
//!  request ─▶ Worker: admit ─▶ answer
//!                │
//!             command ──────▶ Shard: log (SQLite), feed, streams ─▶ response, streamed through
//! ```
//!
//! Where streams are more than one object holds (`RELAYS`), others hold them, and follow the log:
//!
//! ```text
//!  subscriber ─▶ Worker ─▶ Relay: streams ◀──┐
//!  publisher ──▶ Worker ─▶ Shard: log, feed ─┴─▶ more relays
//! ```
//!
//! A hub that follows another (`FOLLOW`) has no log: its relays follow that hub's, by way of its Worker.
//!
//! ```text
//!  subscriber ─▶ Worker ─▶ Relay: streams ◀──▶ Worker ◀──▶ Shard: log, feed
//! ```
//!
//! No protocol logic lives here: this crate decodes, calls [`cinnabar_core`], and carries out what
//! it says.

mod answer;
mod appender;
#[cfg(feature = "contract")]
mod contract;
mod deployment;
mod edge_cache;
mod entry;
mod feed;
mod followed;
mod keys;
mod link;
mod links;
mod log;
mod object;
mod outbound;
mod own_log;
mod placement;
mod platform;
mod presence;
mod relay;
mod retention;
mod shard;
mod sink;
mod source;
mod streams;
mod timer;
