//! The log in SQLite.

#![expect(clippy::unwrap_used, reason = "all of it is a test")]

mod clock;
mod contract;
mod folder;
mod presence;
mod publishing;
