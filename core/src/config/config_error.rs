//! Why there is no configuration.

use std::fmt;

/// Every mistake of a configuration, each with its remedy, and what else looks wrong: if a variable
/// is missing, another's misspelt name may be why. No secret is among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    pub(super) mistakes: Vec<String>,
    pub(super) warnings: Vec<String>,
}

impl fmt::Display for ConfigError {
    /// One mistake a line, and then one warning a line.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.mistakes.join("\n"))?;
        self.warnings.iter().try_for_each(|warning| write!(formatter, "\nwarning: {warning}"))
    }
}

impl std::error::Error for ConfigError {}
