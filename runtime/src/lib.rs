//! Streams over a log, in a process that runs tokio.
//!
//! The core's [`Holder`](cinnabar_core::Holder) decides everything about streams, and does none of
//! it. This crate does it, for any log and any server of HTTP: a function that polls a table, or a
//! server beside its own database.
//!
//! ```text
//!  Streams::open ─▶ arrivals ─┐                    ┌─▶ Body ─▶ reader
//!  readers ────────▶ notices ─┼─▶ Task: Holder ────┤
//!  time ─────────────▶ timer ─┘        ▲           └─▶ work: head, locate, pages, tail
//!                                      └──── done ◀──────┘          (of a Source)
//! ```
//!
//! To use it, implement [`Source`] for a log and send the bodies of what [`Streams::open`] gives:
//!
//! ```
//! use cinnabar_core::Command;
//! use cinnabar_runtime::{Body, Opened, Streams, answer, machine};
//!
//! async fn carry_out(command: Command, streams: &Streams) -> http::Response<Body> {
//!     match command {
//!         Command::Subscribe(subscribe) => match streams.open(subscribe, None).await {
//!             Opened::Stream(response) => response,
//!             Opened::Answer(answer) => answer::whole(answer),
//!         },
//!         // What publishes goes to the log, and needs no stream.
//!         other => answer::whole(other.unavailable(machine::now())),
//!     }
//! }
//! ```
//!
//! with streams that were started once, by `Streams::start(config, log, machine::now)`, and end
//! with the process, in [`Streams::shut_down`].
//!
//! | to find | look in |
//! |---|---|
//! | what a log has to do | [`Source`], [`Tail`] |
//! | how a log that does not call is asked | [`Paced`], [`Pace`] |
//! | how a hub follows another | [`Followed`], [`Dial`]; `following` for its task |
//! | how the holder is driven | `task`; `work` for what it asks of the log, `records` for what it has it note |
//! | how a subscriber waits, and how many may | `arrivals` |
//! | what a reader has taken | `outlet`; [`Body`] for its sender |
//! | what is noted of a process that a log does not list by process | [`Noted`] |
//! | how the keys that issuers publish are fetched | [`Keys`] |
//! | the clock and randomness | [`machine`] |

mod alarm;
pub mod answer;
mod arrivals;
mod bodies;
mod body;
mod followed;
mod following;
mod keys;
mod link;
pub mod machine;
mod noted;
mod opened;
mod outlet;
mod pace;
mod paced;
mod recent;
mod records;
mod source;
mod streams;
mod task;
mod tls;
mod work;

pub use alarm::Alarm;
pub use arrivals::MOST_ARRIVALS;
pub use body::Body;
pub use followed::{Followed, FollowedTail};
pub use following::FollowError;
pub use keys::Keys;
pub use link::{Carried, Carrier, Dial, Link};
pub use noted::Noted;
pub use opened::Opened;
pub use pace::Pace;
pub use paced::{Ahead, Paced, Polled, PolledTail};
pub use source::{Fault, Read, Source, SourceError, Tail};
pub use streams::Streams;
pub use tls::{Connector, connector, tls};
