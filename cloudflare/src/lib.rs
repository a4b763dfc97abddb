//! The hub on Cloudflare: a Worker that admits requests, and a Durable Object that holds the log
//! and the streams.
//!
//! ```text
//!  request ─▶ Worker: admit ─▶ answer
//!                │
//!             command ─POST─▶ Shard: log (SQLite), holder, sinks ─▶ response, streamed through
//! ```
//!
//! No protocol logic lives here: this crate decodes, calls [`cinnabar_core`], and does what comes
//! out.

mod answer;
mod deployment;
mod entry;
mod log;
mod object;
mod platform;
mod shard;
mod sink;
