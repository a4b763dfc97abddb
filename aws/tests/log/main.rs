//! The log on DynamoDB Local, through a proxy that does what networks do.
//!
//! DynamoDB Local needs Java, and must be installed: `DYNAMODB_LOCAL` names the folder of its jar.
//! `cargo xtask test` installs it and sets the variable.

#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "all of it is a test")]

mod answers;
mod clock;
mod contract;
mod cost;
mod faults;
mod local;
mod presence;
mod proxy;
mod publishing;
mod reading;
mod resuming;
mod seats;
