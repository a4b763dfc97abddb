//! A regular expression, parsed: what programs and components are made of.

use super::characters::Characters;

/// A regular expression, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// One of these characters.
    One(Characters),
    /// What stands before and after, but no character.
    Look(Look),
    /// One after the other.
    Sequence(Vec<Self>),
    /// Any of these.
    Either(Vec<Self>),
    /// So many times; without `most`, any number from `least` on.
    Repeat { node: Box<Self>, least: u32, most: Option<u32> },
}

/// An assertion that takes no character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Start,
    End,
    WordBoundary,
    NoWordBoundary,
}
