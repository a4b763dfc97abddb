//! Why a link ends.

use crate::feed::bytes::UnknownMessage;
use crate::feed::message::Loss;

/// Why a side ends a link, in words for a log, and for the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ending {
    /// The other side sent what this one does not understand.
    #[error(transparent)]
    Unknown(#[from] UnknownMessage),
    /// It sent what does not belong here: a message before its time, or more questions than it may.
    #[error("the other side does not keep to the feed's rules")]
    Unruly,
    /// The log could not be read for it, for a passing reason.
    #[error("the log could not be read")]
    Unreadable,
    /// The follower has another link, which is newer.
    #[error("the follower has a newer link")]
    Replaced,
    /// Nothing was heard from the other side for too long.
    #[error("the other side gives no sign of life")]
    Dead,
    /// Updates are missing between what came before and what came next.
    #[error("updates are missing")]
    Gap,
    /// The follower's streams cannot go on.
    #[error(transparent)]
    Lost(#[from] Loss),
    /// The follower holds no stream.
    #[error("there is no stream to follow for")]
    Idle,
}
