//! The little of DER (ITU-T X.690) in which public keys are written.

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;

/// What is left to read of a series of elements.
#[derive(Clone, Copy, Debug)]
pub(super) struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The content of the next element, if it is whole and has this tag.
    pub(super) fn read(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (&found, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            // A key takes no more than three bytes for its length.
            0x81..=0x83 => {
                let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                (length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        (found == tag).then_some(content)
    }

    /// The elements of the next one, if it is a sequence.
    pub(super) fn sequence(&mut self) -> Option<Self> {
        self.read(SEQUENCE).map(Self)
    }

    /// The content of the next element, if it is a bit string of whole bytes.
    pub(super) fn bit_string(&mut self) -> Option<&'a [u8]> {
        self.read(BIT_STRING)?.strip_prefix(&[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_one_by_one() {
        let mut outer = Elements::new(&[0x30, 0x06, 0x02, 0x01, 0x07, 0x03, 0x01, 0x00]);
        let mut inner = outer.sequence().unwrap();
        assert!(outer.is_empty());
        assert_eq!(inner.read(INTEGER), Some(&[7][..]));
        assert_eq!(inner.bit_string(), Some(&[][..]));
        assert!(inner.is_empty());
    }

    #[test]
    fn lengths_are_of_one_to_four_bytes() {
        let long = [&[0x02, 0x81, 0x80][..], &[7; 0x80]].concat();
        assert_eq!(Elements::new(&long).read(INTEGER), Some(&[7; 0x80][..]));
        let longer = [&[0x02, 0x82, 0x01, 0x00][..], &[7; 0x100]].concat();
        assert_eq!(Elements::new(&longer).read(INTEGER), Some(&[7; 0x100][..]));
        for cut in 0..long.len() {
            assert_eq!(Elements::new(&long[..cut]).read(INTEGER), None, "{cut}");
        }
        for wrong in [&[0x02, 0x80, 0x00, 0x00][..], &[0x02, 0x84, 0, 0, 0, 0], &[0x02, 0xff]] {
            assert_eq!(Elements::new(wrong).read(INTEGER), None, "{wrong:?}");
        }
    }
}
