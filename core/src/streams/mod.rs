//! All streams of one place: how each lives, and what they ask of a log.

pub(crate) mod backlog;
pub(crate) mod history;
pub(crate) mod holder;
pub(crate) mod outbox;
pub(crate) mod resume;
pub(crate) mod session;
