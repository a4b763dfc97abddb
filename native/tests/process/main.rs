//! The process: how it starts, what it speaks, and how it ends.

#![expect(clippy::unwrap_used, reason = "all of it is a test")]

mod commands;
mod connections;
mod cuts;
mod embedded;
mod ending;
mod following;
mod keys;
mod kills;
mod server;
mod starting;
mod tls;
