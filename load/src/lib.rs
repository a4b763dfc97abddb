//! A load for hubs of the Mercure protocol, and what it measures.
//!
//! ```text
//! publishers (a thread) ── POST ──▶ the hub ── streams ──▶ readers (a thread)
//!        data=0003.0000000042.00000000001234567890xxxx…
//!             │    │          └ when it was sent: how long does a delivery take?
//!             │    └ its number: is any missing, late, or there twice?
//!             └ its publisher
//! ```
//!
//! A hub is known by its bytes alone, so any can be compared with any. What is measured must be the
//! hub and not this client, which shares its machine: so the client writes and reads HTTP/1.1
//! itself, looks at no more of a stream than it must ([`scanner`]), and says how busy it was
//! ([`Figures::reader_busy`]).
//!
//! A [`run`] opens all streams, warms the hub up, and only then measures. It ends once everything
//! has arrived, or nothing has for a long time: a hub that acknowledges faster than it delivers is
//! not spared what it has put off. A rate counts from the first publication to the last delivery.
//!
//! | to find | look in |
//! |---|---|
//! | what is asked of a hub | [`load`] |
//! | what is measured | [`figures`], and of the hub's process [`process`] |
//! | who publishes, and when | [`publishers`] |
//! | who counts, and what | [`readers`], and of one stream [`order`] |
//! | who comes and goes meanwhile | [`arrivals`] |
//! | HTTP and TLS | [`hub`], [`connection`], [`http`], [`mod@io`] |
#![allow(rustdoc::private_intra_doc_links, reason = "this is a map for whoever reads the source")]

mod arrivals;
mod clock;
mod connection;
mod failure;
mod figures;
mod http;
mod hub;
mod io;
mod load;
mod order;
mod process;
mod publishers;
mod readers;
mod run;
mod scanner;
mod stamp;

pub use self::failure::Failure;
pub use self::figures::{Arrivals, Faults, Figures, Latency, Taken};
pub use self::hub::{BadUrl, Hub, Tokens};
pub use self::load::{CASES, Case, LEAST_SIZE, Load, MOST_PUBLISHERS};
pub use self::process::Process;
pub use self::run::{Progress, run};
