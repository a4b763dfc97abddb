//! What makes a shared secret easy to guess.
//!
//! A hub with a weak secret works, as it must on a developer's machine; so a weakness is a warning
//! and not a mistake.

use jsonwebtoken::Algorithm;

/// The secrets that the documentation of hubs, frameworks, clients and JWT debuggers tells readers
/// to replace, and that get deployed all the same.
const WELL_KNOWN: [&str; 6] = [
    "!ChangeThisMercureHubJWTSecretKey!",
    "!ChangeMe!",
    "!UnsecureChangeMe!",
    "aVerySecretKey",
    "your-256-bit-secret",
    "a-string-secret-at-least-256-bits-long",
];

/// A weakness of a shared secret, to be read after the secret's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Weakness {
    #[error("begins or ends with white space; set it again without, if that is a mistake")]
    WhiteSpace,
    #[error(
        "is shorter than {0} bytes and can be guessed from any token; use a longer one in production"
    )]
    Short(usize),
    #[error(
        "is a secret from public documentation, with which anybody can sign tokens; replace it with the output of `openssl rand -hex 32`"
    )]
    WellKnown,
}

/// Every weakness of a secret that is used with an algorithm of HMAC.
pub(super) fn weaknesses(secret: &[u8], algorithm: Algorithm) -> Vec<Weakness> {
    let trimmed = secret.trim_ascii();
    let white_space = (trimmed.len() != secret.len()).then_some(Weakness::WhiteSpace);
    let is_well_known = WELL_KNOWN.iter().any(|known| known.as_bytes() == trimmed);
    let well_known = is_well_known.then_some(Weakness::WellKnown);
    white_space.into_iter().chain(short(secret, algorithm)).chain(well_known).collect()
}

/// RFC 7518, section 3.2: a key of HMAC is at least as long as the hash.
pub(super) fn short(secret: &[u8], algorithm: Algorithm) -> Option<Weakness> {
    let least = match algorithm {
        Algorithm::HS512 => 64,
        Algorithm::HS384 => 48,
        _ => 32,
    };
    (secret.len() < least).then_some(Weakness::Short(least))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_may_have_several_weaknesses() {
        use Weakness::{Short, WellKnown, WhiteSpace};
        for (secret, algorithm, expected) in [
            ("a secret of exactly 32 characters", Algorithm::HS256, vec![]),
            ("a secret of exactly 32 characters", Algorithm::HS384, vec![Short(48)]),
            ("!ChangeThisMercureHubJWTSecretKey!", Algorithm::HS256, vec![WellKnown]),
            ("!ChangeMe! ", Algorithm::HS256, vec![WhiteSpace, Short(32), WellKnown]),
        ] {
            assert_eq!(weaknesses(secret.as_bytes(), algorithm), expected, "{secret}");
        }
    }
}
