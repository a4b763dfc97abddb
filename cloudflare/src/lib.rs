//! The hub on Cloudflare: a Worker that admits requests, and a Durable Object that holds the log
//! and the streams.
//!
//! ```text
//!  request ─▶ Worker: admit ─▶ answer
//!                │
//!             command ──────▶ Shard: log (SQLite), feed, streams ─▶ response, streamed through
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
mod keys;
mod log;
mod object;
mod own_log;
mod platform;
mod presence;
mod retention;
mod shard;
mod sink;
mod source;
mod streams;
mod timer;
