//! The hub as AWS Lambda functions, over a log in DynamoDB.
//!
//! ```text
//!  event ─▶ Function ─▶ Hub: admit ─▶ answer
//!                             │
//!                          command ──▶ Log (DynamoDB) ◀── tail, pages ──┐
//!                             └──────▶ Streams: holder, bodies ─────────┴─▶ response, streamed
//! ```
//!
//! No protocol logic lives here: this crate decodes, calls [`cinnabar_core`], and does what comes
//! out.
//!
//! | to find | look in |
//! |---|---|
//! | how an update becomes durable, and how it is read back | [`log`] |
//! | how streams live, and what they ask of the log | [`streams`], [`source`], [`pace`] |
//! | what a reader has taken | [`body`] |
//! | how a request comes, and an answer leaves | [`event`], [`answer`] |
//! | what is set where | [`configuration`], [`deployment`], [`function`] |

pub mod answer;
pub mod body;
pub mod configuration;
pub mod deployment;
pub mod event;
pub mod function;
pub mod hub;
pub mod log;
pub mod pace;
pub mod platform;
pub mod shutdown;
pub mod source;
pub mod streams;
