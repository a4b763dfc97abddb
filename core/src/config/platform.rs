//! Where a hub runs. Some defaults differ by platform, and some variables are of one alone.

use std::fmt;

use super::Variable;

/// Where a hub runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// A Worker and its Durable Object.
    Cloudflare,
    /// Lambda functions and a table of DynamoDB.
    Aws,
}

impl Platform {
    /// How much one response may carry. Lambda breaks a response off at 200 MB, and streams end
    /// well before that, with their position.
    pub(super) const fn response_size(self) -> u64 {
        match self {
            Self::Cloudflare => u64::MAX,
            Self::Aws => 150_000_000,
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Cloudflare => "Cloudflare",
            Self::Aws => "AWS",
        })
    }
}

impl Variable {
    /// Its value on this platform when it is unset or empty; empty where there is none.
    #[must_use]
    pub fn default_on(&self, platform: Platform) -> &'static str {
        match (platform, self.default_on_aws) {
            (Platform::Aws, Some(default)) => default,
            _ => self.default,
        }
    }

    /// Whether a hub on this platform reads it.
    #[must_use]
    pub fn is_read_on(&self, platform: Platform) -> bool {
        self.only_on.is_none_or(|only| only == platform)
    }

    pub(super) const fn on_aws(self, default: &'static str) -> Self {
        Self { default_on_aws: Some(default), ..self }
    }

    pub(super) const fn only_on(self, platform: Platform) -> Self {
        Self { only_on: Some(platform), ..self }
    }
}
