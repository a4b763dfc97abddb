//! The ways in which tools write bytes as text, read as loosely as they are written.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The text without its line breaks and spaces, and without line breaks that were written as the
/// characters `\r` and `\n`, once or several times over: what holds one line may hold no others, and
/// many tools write them so.
pub(super) fn on_one_line(text: &str) -> String {
    let text = text.replace("\\r", "").replace("\\n", "");
    text.chars().filter(|character| !character.is_whitespace() && *character != '\\').collect()
}

/// Base64 of either alphabet, with or without padding.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text.replace('-', "+").replace('_', "/")).ok()
}

/// Hexadecimal digits, perhaps after `0x` or with colons between bytes.
pub(super) fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x").unwrap_or(text).replace(':', "");
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let byte = |[high, low]: &[u8; 2]| {
        let digit = |digit: &u8| char::from(*digit).to_digit(16);
        u8::try_from(digit(high)? * 16 + digit(low)?).ok()
    };
    rest.is_empty().then(|| pairs.iter().map(byte).collect()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_breaks_are_left_out_however_they_are_written() {
        for text in
            ["a\nb", "a\r\nb", "a\rb", "a b", "a\\nb", "a\\r\\nb", "a\\\\nb", "a\\\\r\\\\nb"]
        {
            assert_eq!(on_one_line(text), "ab", "{text}");
        }
    }

    #[test]
    fn base64_is_read_in_all_its_forms() {
        for text in ["-_8=", "-_8", "+/8=", "+/8", "+/9"] {
            assert_eq!(base64(text), Some(vec![0xfb, 0xff]), "{text}");
        }
        assert_eq!(base64("a.b"), None);
    }

    #[test]
    fn hexadecimal_is_read_in_all_its_forms() {
        for text in ["30aF", "0x30af", "30:AF"] {
            assert_eq!(hexadecimal(text), Some(vec![0x30, 0xaf]), "{text}");
        }
        for text in ["30a", "3g", "é0"] {
            assert_eq!(hexadecimal(text), None, "{text}");
        }
    }
}
