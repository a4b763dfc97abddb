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
//! | to find | look in |
//! |---|---|
//! | what a path, a method, an order of checks is | [`admit`](admit()) |
//! | a rule of publications, of subscriptions | `publish`, `subscribe` |
//! | a rule of tokens, and of what they grant | `token`, `grant`, `bearer` |
//! | whose keys verify a token | `issuer`, `key` |
//! | what characters and names are allowed | `characters`, `topic`, `event_id`, `hub_url` |
//! | CORS, and the check against CSRF | `cors` |
//! | what one deployment serves, and to whom | `serves` |
//! | every status and challenge | `error` |
//! | what a matcher selects | `matcher`, `url_pattern`, `template` |
//! | a byte of an event stream | `sse` |
//! | where a replay begins | `resume` |
//! | how a stream lives, replays, ends | `session` |
//! | who gets which update, and when | `streams`, `holder` |
//! | a variable and its default | [`config`] |

mod admit;
mod answer;
mod bearer;
mod beginnings;
mod characters;
mod command;
pub mod config;
mod cors;
mod cursor;
mod discovery;
mod error;
mod event_id;
mod form;
mod generation;
mod grant;
mod history;
mod holder;
mod hub_url;
mod issuer;
mod key;
pub mod limits;
mod matcher;
mod outbox;
mod pattern_index;
mod publish;
mod reader;
mod request;
mod resume;
mod serves;
mod session;
mod sse;
mod streams;
mod subject;
mod subscribe;
mod template;
#[cfg(test)]
mod tests;
mod time;
mod token;
mod topic;
mod unavailable;
mod update;
mod url_pattern;

pub use admit::{Admission, Step, Unread, admit};
pub use answer::{Answer, Response, misconfigured};
pub use command::{CheckHealth, Command, UnknownCommand};
pub use config::{Config, ConfigError, Platform};
pub use cursor::{CursorKey, Place, Position};
pub use event_id::{EventId, InvalidEventId};
pub use history::{Appended, Fetch, Located, Location, Page, PageLimit};
pub use holder::{Holder, Output};
pub use hub_url::{HubUrl, InvalidHubUrl};
pub use publish::Publish;
pub use request::{Body, Request};
pub use streams::StreamId;
pub use subscribe::Subscribe;
pub use time::Timestamp;
pub use topic::{InvalidTopic, Topic};
pub use unavailable::{Unavailable, unconfigured};
pub use update::{StoredUpdate, Update};
