//! How a requirement names a test.

use std::fmt;

use serde::Deserialize;

/// A test's name, and where the test is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Test {
    pub(super) kind: Kind,
    pub(super) name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Case,
    Vector,
    Unit,
    Simulation,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Case, Self::Vector, Self::Unit, Self::Simulation];

    fn as_str(self) -> &'static str {
        match self {
            Self::Case => "case",
            Self::Vector => "vector",
            Self::Unit => "unit",
            Self::Simulation => "simulation",
        }
    }
}

impl TryFrom<String> for Test {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (prefix, name) = text.split_once(':').unwrap_or_default();
        match Kind::ALL.into_iter().find(|kind| kind.as_str() == prefix) {
            Some(kind) => Ok(Self { kind, name: name.to_owned() }),
            None => {
                Err(format!("`{text}`: begin with `case:`, `vector:`, `unit:` or `simulation:`"))
            }
        }
    }
}

impl fmt::Display for Test {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.kind.as_str(), self.name)
    }
}
