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
//! # The loop of a shell
//!
//! Everything a shell does around a [`Holder`]. A real one opens responses and sockets where this
//! one prints, sleeps until [`Holder::poll_timeout`], and reads its log over a network; the order
//! of things is the same.
//!
//! ```
//! # #[cfg(feature = "testing")]
//! # {
//! use cinnabar_core::testing::{MemoryLog, update};
//! use cinnabar_core::{
//!     Admission, Appended, Command, Config, CursorKey, Holder, Output, Place, Platform, Request,
//!     Step, StreamId, Timestamp, admit,
//! };
//!
//! /// Carries out what the holder wants, until there is nothing left.
//! fn drive(holder: &mut Holder, log: &MemoryLog, now: Timestamp) {
//!     loop {
//!         while let Some(output) = holder.poll_output() {
//!             match output {
//!                 Output::Open { stream, response } => println!("{stream:?}: {response:?}"),
//!                 Output::Answer { stream, answer } => println!("{stream:?}: {answer:?}"),
//!                 Output::Write { streams, bytes } => {
//!                     for stream in streams {
//!                         println!("{stream:?}: {bytes:?}");
//!                         // A real shell does this later, once the reader has taken them.
//!                         holder.handle_taken(stream, bytes.len(), now);
//!                     }
//!                 }
//!                 // Answered at once here; a log that is away gets `handle_failure`.
//!                 Output::Locate { stream, location } => {
//!                     holder.handle_located(stream, &log.locate(&location), now);
//!                 }
//!                 // Only where `SUBSCRIPTIONS=1`: appended like a publication, with a note of who is here.
//!                 Output::Register { .. } | Output::Unregister { .. } => {}
//!                 Output::Close { stream } | Output::Cut { stream } => println!("{stream:?} ends"),
//!             }
//!         }
//!         // One page, then the outputs again, so that no replay holds up live streams.
//!         let Some((fetch, subscription)) = holder.poll_fetch() else { break };
//!         holder.handle_page(fetch.stream, &log.page(&fetch, &subscription), now);
//!     }
//!     // Sleep until `holder.poll_timeout()`, and then call `holder.handle_timeout(now)`.
//! }
//!
//! let variables = [("MERCURE_PUBLISHER_JWT_KEY", "k".repeat(32)), ("ANONYMOUS", "1".into())];
//! let variables = variables.map(|(name, value)| (name.into(), value));
//! let config = Config::read(&Platform::new("my machine"), variables)?;
//! let now = Timestamp::from_millis(1_767_225_600_000);
//! let mut log = MemoryLog::default();
//! log.append(update("urn:1", "news", "missed"), now);
//!
//! // The holder starts where the log ends.
//! let end = Place { position: log.end(), since: now };
//! let mut holder = Holder::new(&config, CursorKey::from_bytes([7; 16]), end);
//!
//! // A subscriber arrives, and resumes from the beginning.
//! let url = "https://hub.example.com/.well-known/mercure?match=news&last_event_id=earliest";
//! let request = Request::new("GET", url, []);
//! let Step::Done(Admission::Forward(Command::Subscribe(subscribe))) =
//!     admit(&request, &config, now, &[7; 32])
//! else {
//!     panic!("a subscription to public updates");
//! };
//! holder.handle_subscribe(StreamId::new(1), subscribe, end, now);
//! drive(&mut holder, &log, now);
//!
//! // An update is appended and becomes durable: only then does the holder hear of it.
//! let published = std::sync::Arc::new(update("urn:2", "news", "fresh"));
//! let position = log.append(published.clone(), now);
//! holder.handle_appended(&[Appended { position, update: published }], now);
//! drive(&mut holder, &log, now);
//! assert_eq!(holder.streams(), 1);
//! # }
//! # Ok::<(), cinnabar_core::ConfigError>(())
//! ```
//!
//! # The rooms
//!
//! From top to bottom: a file may use what is in its own room and in those below, never what is
//! above. `cargo xtask plan` holds the code to this table.
//!
//! | room | what is in it | to find |
//! |---|---|---|
//! | [`admission`](admit()) | from a request to an answer or a command | paths, methods, the order of checks; rules of publications and subscriptions |
//! | [`feed`] | a log's updates for holders of streams elsewhere, and what they ask of the log | what goes over a link between two hubs, and what when it breaks; how much may wait |
//! | `streams` | all streams of one holder, and what they ask of a log | how a stream lives, replays, ends; where a replay begins; how a page is bounded |
//! | `authorization` | from credentials to grants | rules of tokens |
//! | `command` | what the entry hands to the holder, and its answers | what crosses from entry to holder |
//! | [`config`] | from variables to values | a variable and its default |
//! | `wire` | HTTP and SSE, without policy | every status, challenge, header field and byte of a stream |
//! | `matching` | what an expression selects, and whose expressions select an update | a matcher type |
//! | `trust` | whose keys verify | a form of key, an algorithm; when published keys are fetched |
//! | `terms` | the specification's words as types | what characters and names are allowed |

mod admission;
mod authorization;
mod command;
pub mod config;
pub mod feed;
mod limits;
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

pub use admission::{Admission, InvalidPublication, OwnPublication, Step, Unkeyed, Unread, admit};
pub use command::buckets::Buckets;
pub use command::health::{CheckHealth, Health};
pub use command::list::{List, Listing};
pub use command::publish::{IdOrigin, Publish};
pub use command::quota::{Account, Quota};
pub use command::subscribe::Subscribe;
pub use command::subscriptions::Subscriptions;
pub use command::{Command, UnknownCommand};
pub use config::{Config, ConfigError, Platform};
pub use streams::backlog::Backlog;
pub use streams::history::{Appended, Fetch, Located, Location, Page, PageLimit};
pub use streams::holder::Holder;
pub use streams::output::{Output, Shell};
pub use streams::pager::{Offer, Pager};
pub use streams::stream_id::{ByStream, StreamId};
pub use terms::characters::ForbiddenCharacter;
pub use terms::cursor::{CursorKey, Place, Position};
pub use terms::event_id::{EventId, InvalidEventId};
#[doc(hidden)] // Of use to a fuzz target, but to no shell.
pub use terms::hub_url::{HubUrl, InvalidHubUrl};
pub use terms::subscription::ActiveSubscription;
#[doc(hidden)]
pub use terms::topic::InvalidTopic;
pub use terms::topic::Topic;
pub use terms::update::{StoredUpdate, Update};
pub use time::Timestamp;
pub use trust::key_ring::{FetchFailure, Fetched, KeyFetch, KeyRing, LogLine};
pub use wire::answer::{Answer, Response};
pub use wire::request::{Body, Request};
pub use wire::sampler::Sampler;
pub use wire::unavailable::{link_impossible, link_unavailable, misconfigured, unconfigured};
