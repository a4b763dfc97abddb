//! The hub as AWS Lambda functions, over a log in DynamoDB.
//!
//! ```text
//!  event ─▶ Function ─▶ Hub: admit ─▶ answer
//!                             │
//!                          command ──▶ Log (DynamoDB) ◀── tail, pages ──┐
//!                             └──────▶ Streams (cinnabar_runtime) ──────┴─▶ response, streamed
//! ```
//!
//! No protocol logic lives here: this crate decodes, calls [`cinnabar_core`], and carries out the
//! result. Its streams live in [`cinnabar_runtime`], as in any process that holds streams.
//!
//! | to find | look in |
//! |---|---|
//! | how an update becomes durable, and how it is read back | [`log`] |
//! | how streams follow it | [`source`] |
//! | how a request arrives, and an answer leaves | [`event`], [`answer`] |
//! | what is configured where | [`configuration`], [`deployment`], [`function`] |
//! | how the process ends | [`shutdown`] |

pub mod answer;
pub mod configuration;
pub mod deployment;
pub mod event;
pub mod function;
pub mod hub;
pub mod log;
pub mod shutdown;
pub mod source;
