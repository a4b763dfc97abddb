//! A text that is never shown.

use std::fmt;

use crate::trust::stand_in;

/// How many bytes a secret has at least that everybody may try to guess.
const SHORTEST: usize = 32;

/// A text that `Debug` does not show.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// # Errors
    ///
    /// Why a text would keep nobody away.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err(
                "is empty; set it to the output of `openssl rand -hex 32`, or remove it".into()
            );
        }
        match stand_in::what(text) {
            Some(what) => Err(what.into()),
            None => Ok(Self(text.to_owned())),
        }
    }

    /// # Errors
    ///
    /// The same; or it is so short that it could be guessed, or cannot be sent in a header field.
    pub(super) fn parse_long(text: &str) -> Result<Self, String> {
        match Self::parse(text)? {
            Self(short) if short.len() < SHORTEST => Err(format!(
                "is shorter than {SHORTEST} bytes, and could be guessed; set it to the output of `openssl rand -hex 32`"
            )),
            Self(long) if !long.bytes().all(|byte| matches!(byte, b' '..=b'~')) => Err(
                "has a line break, another control character or more than ASCII in it, and cannot be sent in a header field; set it to the output of `openssl rand -hex 32`".into(),
            ),
            secret => Ok(secret),
        }
    }

    /// The text itself, for those who have to show it.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether somebody else knows it. The comparison takes a time that does not tell where two texts of
    /// one length differ.
    pub(crate) fn is(&self, given: &[u8]) -> bool {
        let secret = self.0.as_bytes();
        let differences = given.iter().zip(secret).fold(0, |all, (a, b)| all | (a ^ b));
        std::hint::black_box(differences) == 0 && given.len() == secret.len()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("secret")
    }
}
