//! The hub in one process: tokio, hyper and SQLite.
//!
//! ```text
//!  connection ─▶ server (hyper) ─▶ Hub: admit ─▶ answer
//!                                       │
//!                                    command ──▶ Log (SQLite) ──▶ tail, pages ──┐
//!                                       └─────▶ Streams (cinnabar_runtime) ─────┴─▶ response
//! ```
//!
//! No protocol logic lives here: this crate decodes, calls [`cinnabar_core`], and carries out the
//! result. Its streams live in [`cinnabar_runtime`], as in any process that holds streams.
//!
//! `cinnabar serve` is such a process. A server of one's own has the same hub as a
//! [`tower_service::Service`]: [`Hub`].
//!
//! | to find | look in |
//! |---|---|
//! | how an update becomes durable, and how it is read back | [`log`] |
//! | how a request arrives, and an answer leaves | `request`, [`Body`] |
//! | how many connections there may be | [`listener`] |
//! | how hubs follow each other | `feed` |
//! | what a connection speaks, and how the process ends | [`server`] |
//! | what is configured | [`configuration`], [`deployment`] |

mod body;
pub mod configuration;
pub mod deployment;
mod feed;
mod hub;
pub mod listener;
mod lively;
pub mod log;
mod request;
pub mod server;
pub mod tls;

pub use body::{Body, Cut};
pub use hub::{Hub, PublishError};
pub use request::Peer;
