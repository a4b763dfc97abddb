//! The Mercure protocol (draft-dunglas-mercure-08, and the 0.x hubs before it) as pure functions
//! and state machines.
//!
//! This crate does no I/O and has no clock and no randomness: a platform's shell decodes requests,
//! hands them in with the time and some random bytes, and does what comes out.
//!
//! ```text
//!             Request, Config, now, entropy
//!                         │
//!                       admit ──▶ Answer                    (the entry)
//!                         │
//!                      Command
//!                         │
//!        append ◀── Publish / Subscribe ──▶ Holder          (the holder of log and streams)
//!                                          handle_*: what happened
//!                                          poll_output, poll_fetch: what to do
//!                                          poll_timeout: when to be woken
//! ```
//!
//! The rooms, from top to bottom: a file may use what is in its own room and in those below, never
//! what is above.
//!
//! | room | what is in it | to find |
//! |---|---|---|
//! | [`admission`](admit()) | from a request to an answer or a command | what a path, a method, an order of checks is; rules of publications and subscriptions |
//! | `streams` | all streams of one place, and what they ask of a log | how a stream lives, replays, ends; where a replay begins |
//! | `authorization` | from credentials to grants | rules of tokens |
//! | `command` | what the entry hands to the holder, and its answers | what crosses from entry to holder |
//! | [`config`] | from variables to values | a variable and its default |
//! | `wire` | HTTP and SSE, without policy | every status, challenge, header field and byte of a stream |
//! | `matching` | what an expression selects, and whose expressions select an update | a matcher type |
//! | `trust` | whose keys verify | a form of key, an algorithm |
//! | `terms` | the specification's words as types | what characters and names are allowed |

mod admission;
mod authorization;
mod command;
pub mod config;
pub mod limits;
mod matching;
mod streams;
mod terms;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(test)]
mod tests;
mod time;
mod trust;
mod wire;

pub use admission::{Admission, Step, Unread, admit};
pub use command::publish::Publish;
pub use command::subscribe::Subscribe;
pub use command::{CheckHealth, Command, UnknownCommand};
pub use config::{Config, ConfigError, Platform};
pub use streams::backlog::Backlog;
pub use streams::history::{Appended, Fetch, Located, Location, Page, PageLimit};
pub use streams::holder::Holder;
pub use streams::output::Output;
pub use streams::pager::{Offer, Pager};
pub use streams::stream_id::StreamId;
pub use terms::cursor::{CursorKey, Place, Position};
pub use terms::event_id::{EventId, InvalidEventId};
pub use terms::hub_url::{HubUrl, InvalidHubUrl};
pub use terms::topic::{InvalidTopic, Topic};
pub use terms::update::{StoredUpdate, Update};
pub use time::Timestamp;
pub use wire::answer::{Answer, Response, misconfigured};
pub use wire::request::{Body, Request};
pub use wire::unavailable::{Unavailable, unconfigured};
