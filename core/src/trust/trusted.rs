//! The keys of one role of one issuer.

use jsonwebtoken::Algorithm;

use crate::trust::key::Key;
use crate::trust::key_source::KeySource;

/// The keys that verify an issuer's tokens, in one role.
#[derive(Clone, Debug)]
pub(crate) enum Trusted {
    /// They are in the configuration.
    Configured(Configured),
    /// Its issuer publishes them.
    Published(KeySource),
}

/// A key of the configuration, and the one before it: while keys are changed, tokens of both are about.
#[derive(Clone, Debug)]
pub(crate) struct Configured {
    current: Key,
    previous: Option<Key>,
}

impl Configured {
    pub(crate) fn new(current: Key, previous: Option<Key>) -> Self {
        Self { current, previous }
    }

    /// The algorithm of tokens that are made now.
    pub(crate) fn algorithm(&self) -> Algorithm {
        self.current.algorithm()
    }

    /// The keys that tokens of this algorithm may be signed with: each key is for one alone.
    pub(crate) fn of_algorithm(&self, algorithm: Option<Algorithm>) -> Vec<&Key> {
        let keys = std::iter::once(&self.current).chain(&self.previous);
        keys.filter(|key| Some(key.algorithm()) == algorithm).collect()
    }
}
