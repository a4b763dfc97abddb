//! A text that is never shown.

use std::fmt;

use crate::trust::stand_in;

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

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("secret")
    }
}
