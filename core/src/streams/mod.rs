//! All streams of one holder: how each lives, and what they ask of a log.
//!
//! ```text
//!  Subscribe ─▶ Holder ◀─ Appended, Located, Page, time
//!                 │ one Session per stream: resume, outbox
//!                 ▼
//!               Output, Fetch, timeout
//! ```

pub(crate) mod allowance;
pub(crate) mod backlog;
pub(crate) mod history;
pub(crate) mod holder;
pub(crate) mod outbox;
pub(crate) mod output;
pub(crate) mod outputs;
pub(crate) mod pace;
pub(crate) mod pager;
pub(crate) mod registrations;
pub(crate) mod resume;
pub(crate) mod session;
pub(crate) mod stream_id;
pub(crate) mod tally;
pub(crate) mod waiters;
pub(crate) mod wakes;
