//! The two generations of the protocol: draft-08, called 1.0, and the 0.x hubs before it.
//!
//! A request's parameters belong to one generation and its token to one, and the two may differ:
//! clients mix them. A hub serves both unless `PROTOCOL` says otherwise.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A generation of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Generation {
    /// `topic` parameters, tokens with a `mercure` claim.
    #[serde(rename = "0.x")]
    V0,
    /// `match*` parameters, tokens of type `at+jwt`.
    #[serde(rename = "1.0")]
    V1,
}

impl fmt::Display for Generation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::V0 => "0.x",
            Self::V1 => "1.0",
        })
    }
}

/// The generations that a hub, or an issuer's keys, are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Generations {
    Both,
    Only(Generation),
}

impl Generations {
    pub(crate) fn contains(self, generation: Generation) -> bool {
        match self {
            Self::Both => true,
            Self::Only(one) => one == generation,
        }
    }
}
