//! Sets of offsets into a topic, as bits: a step of matching treats 64 of them at once.

/// A set of offsets into a topic, including its end.
#[derive(Clone)]
pub(super) struct Offsets(Vec<u64>);

impl Offsets {
    /// The empty set of offsets into a text of this length.
    pub(super) fn none(length: usize) -> Self {
        Self(vec![0; length / 64 + 1])
    }

    /// The words of the set.
    pub(super) fn words(&self) -> &[u64] {
        &self.0
    }

    /// Adds the offsets of these words.
    pub(super) fn add_words(&mut self, words: &[u64]) {
        for (word, other) in self.0.iter_mut().zip(words) {
            *word |= other;
        }
    }

    /// Whether an offset is in it.
    pub(super) fn holds(&self, offset: usize) -> bool {
        self.0[offset / 64] >> (offset % 64) & 1 != 0
    }

    /// Adds an offset.
    pub(super) fn insert(&mut self, offset: usize) {
        self.0[offset / 64] |= 1 << (offset % 64);
    }

    /// The smallest offset in it.
    pub(super) fn first(&self) -> Option<usize> {
        let index = self.0.iter().position(|&word| word != 0)?;
        Some(index * 64 + self.0[index].trailing_zeros() as usize)
    }

    /// Adds the offsets of another set.
    pub(super) fn add(&mut self, others: &Self) {
        self.add_words(&others.0);
    }

    /// Removes the offsets of another set.
    pub(super) fn remove(&mut self, others: &Self) {
        for (word, other) in self.0.iter_mut().zip(&others.0) {
            *word &= !other;
        }
    }

    /// Passes one byte, from every offset that is in `bytes`; the other offsets are dropped.
    pub(super) fn pass_one(&mut self, bytes: &[u64]) {
        let mut carry = 0;
        for (word, byte) in self.0.iter_mut().zip(bytes) {
            let passing = *word & byte;
            (*word, carry) = (passing << 1 | carry, passing >> 63);
        }
    }

    /// Passes any number of bytes, or none, as long as each offset is in `bytes`.
    ///
    /// Where `bytes` has a row of ones, adding a one somewhere in it turns that bit and all later
    /// ones in the row to zeros, and the bit after the row to a one. So the bits that the addition
    /// changes are the offsets that can be reached (Cameron et al., "Bitwise Data Parallelism in
    /// Regular Expression Matching", 2014).
    ///
    /// ```text
    /// bytes        . 1 1 1 1 .      (offsets from left to right)
    /// self         . . 1 . . .
    /// bytes + self . 1 . . . 1
    /// changed      . . 1 1 1 1
    /// ```
    pub(super) fn pass_any(&mut self, bytes: &[u64]) {
        let mut carry = false;
        for (word, byte) in self.0.iter_mut().zip(bytes) {
            let (sum, overflow) = (*word & byte).carrying_add(*byte, carry);
            *word |= sum ^ byte;
            carry = overflow;
        }
    }
}
