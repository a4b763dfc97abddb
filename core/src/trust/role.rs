//! The two roles in which a token is presented: each has keys of its own.

/// What a token is presented for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Publisher,
    Subscriber,
}

impl Role {
    /// As the names of variables spell it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Publisher => "PUBLISHER",
            Self::Subscriber => "SUBSCRIBER",
        }
    }
}
