//! Hubs that follow each other: the core's [feed](cinnabar_core::feed), over WebSockets.
//!
//! ```text
//!   a hub that is followed                                   a hub that follows it
//!  log ─▶ lead: Leader ─▶ socket ─────── WebSocket ─────── socket ◀─ dial ◀─ Followed (runtime)
//! ```

mod dial;
mod forward;
mod lead;
mod socket;
mod work;

pub(crate) use dial::Dialer;
pub(crate) use forward::Forwarder;
pub(crate) use lead::Feed;
pub(crate) use socket::accept;
