//! What an update says of itself: who published it, as which of its updates on the topic, and when.

use std::io::Write as _;

/// The number of digits of each part. Fixed, so that all requests of a publisher are of one length.
const DIGITS: [usize; 3] = [4, 10, 20];

/// The length of a stamp: its parts, and the dots between them.
pub(crate) const LENGTH: usize = DIGITS[0] + 1 + DIGITS[1] + 1 + DIGITS[2];

/// The beginning of an update's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) publisher: u16,
    /// How many updates this publisher had sent to this topic before.
    pub(crate) number: u32,
    /// When the request was written, or should have been, by the clock of the run.
    pub(crate) nanoseconds: u64,
}

impl Stamp {
    /// Appends the stamp; none of its bytes means anything in a form.
    pub(crate) fn write(self, text: &mut Vec<u8>) {
        let Self { publisher, number, nanoseconds } = self;
        let [first, second, third] = DIGITS;
        // Writing to a vector cannot fail.
        let _ = write!(text, "{publisher:0first$}.{number:0second$}.{nanoseconds:0third$}");
    }

    /// Reads the stamp at the beginning of a text.
    pub(crate) fn read(text: &[u8]) -> Option<Self> {
        let (publisher, text) = number(text, DIGITS[0])?;
        let (count, text) = number(text.strip_prefix(b".")?, DIGITS[1])?;
        let (nanoseconds, _) = number(text.strip_prefix(b".")?, DIGITS[2])?;
        Some(Self {
            publisher: publisher.try_into().ok()?,
            number: count.try_into().ok()?,
            nanoseconds,
        })
    }
}

fn number(text: &[u8], digits: usize) -> Option<(u64, &[u8])> {
    let (number, rest) = text.split_at_checked(digits)?;
    let mut value = 0_u64;
    for digit in number {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        value = value.checked_mul(10)?.checked_add(digit.into())?;
    }
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_read_as_it_was_written() {
        for stamp in [
            Stamp { publisher: 0, number: 0, nanoseconds: 0 },
            Stamp { publisher: 9_999, number: u32::MAX, nanoseconds: u64::MAX },
        ] {
            let mut text = Vec::new();
            stamp.write(&mut text);
            assert_eq!(text.len(), LENGTH);
            text.extend(b"xxxx");
            assert_eq!(Stamp::read(&text), Some(stamp));
        }
    }

    #[test]
    fn other_texts_are_no_stamps() {
        let stamp = b"0001.0000000002.00000000000000000003";
        assert!(Stamp::read(stamp).is_some());
        assert_eq!(Stamp::read(&stamp[..LENGTH - 1]), None);
        assert_eq!(Stamp::read(b"0001-0000000002.00000000000000000003"), None);
        assert_eq!(Stamp::read(b"000a.0000000002.00000000000000000003"), None);
        assert_eq!(Stamp::read(b"0001.0000000002.99999999999999999999"), None);
        assert_eq!(Stamp::read(b""), None);
    }
}
