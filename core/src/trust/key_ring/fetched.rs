//! What a shell is told when it has fetched something.

/// What came of a fetch, besides what the ring now knows.
#[derive(Debug, Default)]
pub struct Fetched {
    /// A line for the log.
    pub log: Option<LogLine>,
    /// What another ring can be told, so that it need not fetch:
    /// [`KeyRing::handle_kept`](super::KeyRing::handle_kept).
    pub keep: Option<Vec<u8>>,
}

/// A line for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// A whole sentence.
    pub text: String,
    /// Whether somebody should do something about it.
    pub is_warning: bool,
}
