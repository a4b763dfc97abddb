//! A regular expression, parsed: what programs and components are made of.

use super::characters::Characters;

/// A regular expression, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// One of these characters.
    One(Characters),
    /// A condition on what is before and after; takes no character.
    Look(Look),
    /// One after another.
    Sequence(Vec<Self>),
    /// Any of these.
    Either(Vec<Self>),
    /// From `least` to `most` times; without `most`, at least `least` times.
    Repeat { node: Box<Self>, least: u32, most: Option<u32> },
}

impl Node {
    /// Exactly this text.
    pub(super) fn text(text: &str) -> Self {
        Self::Sequence(
            text.chars().map(|character| Self::One(Characters::one(character))).collect(),
        )
    }
}

/// An assertion that takes no character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Start,
    End,
    WordBoundary,
    NoWordBoundary,
}
