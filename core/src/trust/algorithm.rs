//! The algorithms that tokens are signed with, by their registered names.

use jsonwebtoken::Algorithm;

/// The names of the algorithms that the hub verifies.
const NAMES: &str =
    "HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA or Ed25519";

/// The algorithm of this name, if the hub verifies it.
///
/// RFC 9864, section 2.2: `Ed25519` is what `EdDSA` means with a key of that curve, the only one
/// here; both are the same signature. Libraries write either, and so do JWKs.
pub(crate) fn named(name: &str) -> Option<Algorithm> {
    match name {
        "Ed25519" => Some(Algorithm::EdDSA),
        _ => name.parse().ok(),
    }
}

/// Reads the name of an algorithm.
///
/// # Errors
///
/// What is wrong, to be read after "is". The name is not repeated, since it may be a secret that
/// was put into the wrong variable.
pub fn algorithm(name: &str) -> Result<Algorithm, String> {
    match name {
        "none" => Err("`none`, with which anybody could make tokens".into()),
        "ES512" => Err(format!("ES512, which is not supported here; use one of {NAMES}")),
        _ => named(name).ok_or_else(|| format!("none of {NAMES}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ed25519_has_two_names() {
        assert_eq!(named("Ed25519"), Some(Algorithm::EdDSA));
        assert_eq!(named("EdDSA"), Some(Algorithm::EdDSA));
        for wrong in ["Ed448", "ed25519", "eddsa", "ED25519", "Ed25519 ", ""] {
            assert_eq!(named(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_name_that_is_offered_is_one() {
        for name in NAMES.split([',', ' ']).filter(|name| !["", "or"].contains(name)) {
            assert!(algorithm(name).is_ok(), "{name}");
        }
    }
}
