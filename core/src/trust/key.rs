//! Keys that verify access tokens.

use std::fmt;

use jsonwebtoken::{Algorithm, DecodingKey};

/// A key, and the one algorithm that it may be used with.
///
/// draft-08, "Token Validation": the algorithm is configured, never taken from a token, and bound
/// to the key.
#[derive(Clone)]
pub(crate) struct Key {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl Key {
    /// A key that was read for this algorithm: a shared secret or a public key.
    pub(crate) fn new(algorithm: Algorithm, key: DecodingKey) -> Self {
        Self { algorithm, key }
    }

    /// The algorithm that a token's `alg` must name.
    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether `signature`, in base64url, is this key's signature of `message`.
    pub(crate) fn verifies(&self, message: &str, signature: &str) -> bool {
        jsonwebtoken::crypto::verify(signature, message.as_bytes(), &self.key, self.algorithm)
            .unwrap_or(false)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Key({:?}, secret)", self.algorithm)
    }
}
