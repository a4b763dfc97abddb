//! Text and bytes, in the notation of the vectors.

use serde::Deserialize;

/// A string, or several parts in a row.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Text {
    Plain(String),
    Parts(Vec<Part>),
}

/// A string, one that repeats, or bytes that need not be UTF-8.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(super) enum Part {
    Plain(String),
    Repeated { repeat: String, times: usize },
    Hex { hex: String },
}

impl Text {
    pub(super) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Plain(text) => text.clone().into_bytes(),
            Self::Parts(parts) => parts.iter().flat_map(Part::bytes).collect(),
        }
    }
}

impl Part {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Plain(text) => text.clone().into_bytes(),
            Self::Repeated { repeat, times } => repeat.repeat(*times).into_bytes(),
            Self::Hex { hex } => hex
                .as_bytes()
                .chunks(2)
                .map(|digits| {
                    let digits = std::str::from_utf8(digits).expect("ASCII");
                    u8::from_str_radix(digits, 16).expect("hexadecimal digits")
                })
                .collect(),
        }
    }
}

/// Topics or targets, joined as in a stored update.
pub(super) fn lines(joined: &str) -> Vec<String> {
    joined.lines().map(str::to_owned).collect()
}
