//! Why the log did not answer.

use cinnabar_runtime::{Fault, SourceError};

/// Why the log did not answer.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// SQLite could not do it.
    #[error("the database failed: {0}")]
    Database(#[from] rusqlite::Error),
    /// SQLite could not write it, with all that was to be written together.
    #[error("the update was not written: {1}")]
    Unwritten(Fault, String),
    /// The file is not a log that this hub can read.
    #[error("{0}")]
    Unreadable(String),
    /// More updates are waiting to be written than memory is set aside for.
    #[error("too many updates are waiting to be written")]
    Full,
    /// The thread that reads panicked over the question; it goes on with the next.
    #[error("a panic while the log was read")]
    Panicked,
    /// The log was closed.
    #[error("the log is closed")]
    Closed,
    /// A follower has missed updates.
    #[error("updates were dropped before the streams had them")]
    Overtaken,
}

impl SourceError for LogError {
    fn fault(&self) -> Fault {
        match self {
            Self::Database(rusqlite::Error::SqliteFailure(error, _)) => match error.code {
                rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase => {
                    Fault::Lasting
                }
                _ => Fault::Passing,
            },
            Self::Unwritten(fault, _) => *fault,
            Self::Full => Fault::Passing,
            Self::Database(_) | Self::Unreadable(_) | Self::Panicked => Fault::Lasting,
            // Its writer is gone: whoever follows it will learn of nothing more.
            Self::Closed | Self::Overtaken => Fault::Overtaken,
        }
    }
}
