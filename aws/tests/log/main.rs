//! The log against DynamoDB Local, with a proxy between that does what networks do.
//!
//! DynamoDB Local is Java, and has to be there: `DYNAMODB_LOCAL` names the folder of its jar.
//! `cargo xtask test` installs it and sets the variable.

#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "all of it is a test")]

mod answers;
mod clock;
mod contract;
mod cost;
mod faults;
mod local;
mod proxy;
mod publishing;
mod reading;
mod resuming;
