//! What can go wrong with the log, as its users see it.

/// The log could not be read or made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// DynamoDB did not answer, or refused: try again.
    #[error("the table did not answer: {0}")]
    Unavailable(String),
    /// The log is not as it should be: trying again will not help.
    #[error("the log is broken: {0}")]
    Broken(String),
    /// A tail has been behind for so long that what it has yet to read may have been deleted. Every
    /// stream that it feeds has to end; a new tail begins at the head.
    #[error("what followed may be deleted: the log could not be followed for too long")]
    Overtaken,
    /// This process could not renew its lease for so long that others have ended its subscriptions.
    /// Every stream has to end, and its client comes back as a new subscriber.
    #[error("others took this process for dead, and told the end of its subscriptions")]
    TakenForDead,
}

/// An update was not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The update may or may not become visible. It is right to publish it again, with the
    /// publisher's own id.
    #[error("the update may or may not be published: {0}")]
    Unavailable(String),
    /// The update does not fit into an item of DynamoDB.
    #[error("the update takes {bytes} bytes as an item of DynamoDB, which takes {limit} at most")]
    TooLarge {
        /// The size of the item.
        bytes: usize,
        /// The largest that DynamoDB accepts.
        limit: usize,
    },
    /// The log is not as it should be, and someone has to look into it.
    #[error("the log is broken: {0}")]
    Broken(String),
}
