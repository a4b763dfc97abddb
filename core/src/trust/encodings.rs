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

/// What the letters of Base64 in a text say, whatever stands around and between them: from each
/// place where a group of four may begin, since words in front may be of such letters, too.
pub(super) fn base64_within(text: &str) -> impl Iterator<Item = Vec<u8>> {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "+/-_".contains(letter);
    let letters: String = on_one_line(text).chars().filter(|letter| is_letter(*letter)).collect();
    (0..4).filter_map(move |from| {
        let letters = letters.get(from..)?;
        // One letter alone is no byte.
        let whole = letters.len() - usize::from(letters.len() % 4 == 1);
        base64(&letters[..whole])
    })
}

/// The same of hexadecimal digits: `0x30, 0x59`, `30:59`, `\x30\x59`.
pub(super) fn hexadecimal_within(text: &str) -> impl Iterator<Item = Vec<u8>> {
    let text = text.replace("\\x", "").replace("0x", "").replace("0X", "");
    let digit = |letter: char| u8::try_from(letter.to_digit(16)?).ok();
    let digits: Vec<u8> = text.chars().filter_map(digit).collect();
    (0..2).filter_map(move |from| {
        let (pairs, _) = digits.get(from..)?.as_chunks::<2>();
        Some(pairs.iter().map(|[high, low]| high * 16 + low).collect())
    })
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
    fn base64_is_found_within_other_text() {
        for text in ["K2VwAyEA", "KEY=K2VwAyEA==", "(K2Vw, AyEA)", "aK2VwAyEAb", "K2Vw\\nAyEA;x"] {
            let is_it = |bytes: Vec<u8>| bytes.windows(6).any(|six| six == b"+ep\x03!\0");
            assert!(base64_within(text).any(is_it), "{text}");
        }
    }

    #[test]
    fn hexadecimal_is_found_within_other_text() {
        for text in [
            "30aF59",
            "0x30af59",
            "0X30AF59",
            "30:AF:59",
            "30-af-59",
            "{0x30, 0xaf, 0x59}",
            "hex:30af59",
            "\\x30\\xaf\\x59",
            "30 AF\n59",
            "30af59c",
            "KEY=30af59",
        ] {
            let is_it = |bytes: Vec<u8>| bytes.windows(3).any(|three| three == [0x30, 0xaf, 0x59]);
            assert!(hexadecimal_within(text).any(is_it), "{text}");
        }
    }
}
