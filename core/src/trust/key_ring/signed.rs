//! What is verified with published keys.

use jsonwebtoken::Algorithm;

use crate::trust::key_set::KeySet;

/// A signature, and what its token says of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signed<'a> {
    /// The token's `kid`.
    pub(crate) key_id: Option<&'a str>,
    pub(crate) algorithm: Algorithm,
    pub(crate) message: &'a str,
    pub(crate) signature: &'a str,
}

/// Why a signature is not verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unverified {
    /// It is not known yet: a fetch is wanted or under way.
    Waits,
    /// It cannot be known just now: the issuer does not answer.
    Unavailable,
    /// There is no such key.
    NoKey,
    /// It is not of the key that its token names, or of none that is tried.
    Signature,
}

impl Signed<'_> {
    /// Tries these keys.
    pub(super) fn verify(&self, keys: &KeySet) -> Result<(), Unverified> {
        let mut refused = Unverified::NoKey;
        for key in keys.candidates(self.key_id, self.algorithm) {
            if key.verifies(self.message, self.signature) {
                return Ok(());
            }
            refused = Unverified::Signature;
        }
        Err(refused)
    }
}
