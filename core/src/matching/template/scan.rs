//! A topic in the form that templates are matched against: scanned once for all of them.

use super::offsets::Offsets;
use super::parse::triplet;

/// A scanned topic: where each byte is, and what values can expand to. It takes 40 bytes for each
/// byte of the topic.
pub(crate) struct Scan<'t> {
    pub(super) text: &'t [u8],
    /// Where each of the 256 byte values is, one set after another.
    bytes: Vec<u64>,
    /// The bytes of `unreserved` and `pct-encoded` characters, which any value can expand to
    /// (RFC 6570, section 1.5).
    pub(super) unreserved: Offsets,
    /// The bytes of `reserved` characters, which `+` and `#` leave as they are.
    pub(super) reserved: Offsets,
    /// Where `pct-encoded` characters continue: a prefix counts them where they begin.
    pub(super) continuations: Offsets,
    /// Where triplets continue, and so no value can end.
    pub(super) triplets: Offsets,
}

impl<'t> Scan<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let text = text.as_bytes();
        let words = text.len() / 64 + 1;
        let none = Offsets::none(text.len());
        let mut scan = Self {
            text,
            bytes: vec![0; 256 * words],
            unreserved: none.clone(),
            reserved: none.clone(),
            continuations: none.clone(),
            triplets: none,
        };
        // Where the last character that was read ends.
        let mut end = 0;
        for (offset, &byte) in text.iter().enumerate() {
            scan.bytes[usize::from(byte) * words + offset / 64] |= 1 << (offset % 64);
            match byte {
                // The rest of a character that a `%` began: hexadecimal digits and more `%`.
                _ if offset < end => scan.unreserved.insert(offset),
                b'%' => {
                    end = offset + encoded_length(&text[offset..]);
                    for inside in offset + 1..end {
                        scan.continuations.insert(inside);
                        if (inside - offset) % 3 > 0 {
                            scan.triplets.insert(inside);
                        }
                    }
                    // No value expands to a stray `%`.
                    if end > offset {
                        scan.unreserved.insert(offset);
                    }
                }
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    scan.unreserved.insert(offset);
                }
                _ if b":/?#[]@!$&'()*+,;=".contains(&byte) => scan.reserved.insert(offset),
                _ => {}
            }
        }
        scan
    }

    /// The empty set of offsets into the topic.
    pub(super) fn nowhere(&self) -> Offsets {
        Offsets::none(self.text.len())
    }

    /// Where a byte is.
    pub(super) fn places(&self, byte: u8) -> &[u64] {
        let words = self.text.len() / 64 + 1;
        &self.bytes[usize::from(byte) * words..][..words]
    }
}

/// How many bytes of triplets encode the character that a `%` begins, or 0 if it begins no triplet.
/// A byte that is not UTF-8 counts as a character.
fn encoded_length(text: &[u8]) -> usize {
    let mut bytes = [0; 4];
    let mut rest = text;
    for index in 0..bytes.len() {
        let Some((byte, after)) = triplet(rest) else { break };
        (bytes[index], rest) = (byte, after);
        if std::str::from_utf8(&bytes[..=index]).is_ok() {
            return 3 * (index + 1);
        }
    }
    if triplet(text).is_some() { 3 } else { 0 }
}
