//! Sets of ASCII characters.
//!
//! Everything that a URL pattern is matched against is ASCII: the URL parser percent-encodes the
//! rest, or turns it into Punycode. So a class in a regular expression is a set of 128 characters,
//! and the set operations of ECMAScript's `v` mode are bit operations.

/// A set of ASCII characters; it never holds others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Characters(u128);

impl Characters {
    const LINE_TERMINATORS: Self = Self(1 << b'\n' | 1 << b'\r');

    /// `.`: all but line terminators.
    pub(super) fn dot() -> Self {
        Self::LINE_TERMINATORS.complement()
    }

    /// Those whose bits are set.
    pub(super) fn of_bits(bits: u128) -> Self {
        Self(bits)
    }

    pub(super) fn one(character: char) -> Self {
        Self::range(character, character)
    }

    /// The ASCII characters from `first` to `last`, both included.
    pub(super) fn range(first: char, last: char) -> Self {
        let last = u32::from(last).min(127);
        let bits = (u32::from(first)..=last).map(|bit| 1 << bit);
        Self(bits.fold(0, |set: u128, bit: u128| set | bit))
    }

    /// `\d`.
    pub(super) fn digits() -> Self {
        Self::range('0', '9')
    }

    /// `\w`.
    pub(super) fn word() -> Self {
        Self::digits()
            .union(Self::range('a', 'z'))
            .union(Self::range('A', 'Z'))
            .union(Self::one('_'))
    }

    /// `\s`.
    pub(super) fn space() -> Self {
        Self::range('\t', '\r').union(Self::one(' '))
    }

    #[must_use]
    pub(super) fn complement(self) -> Self {
        Self(!self.0)
    }

    #[must_use]
    pub(super) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[must_use]
    pub(super) fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The set, with the other case of each letter added.
    #[must_use]
    pub(super) fn ignoring_case(self) -> Self {
        let upper = self.intersection(Self::range('A', 'Z')).0;
        let lower = self.intersection(Self::range('a', 'z')).0;
        Self(self.0 | upper << 32 | lower >> 32)
    }

    pub(super) fn contains(self, byte: u8) -> bool {
        byte < 128 && self.0 & 1 << byte != 0
    }

    /// The only character in the set, if it has just one.
    pub(super) fn only(self) -> Option<u8> {
        let first = u8::try_from(self.0.trailing_zeros()).ok()?;
        (self.0.is_power_of_two()).then_some(first)
    }
}
