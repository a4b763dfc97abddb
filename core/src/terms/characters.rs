//! Characters that names must not contain.
//!
//! Topics, matchers, ids and event types are shown to people, compared byte by byte, and end up in
//! lines of an event stream. So none may contain a character that is invisible or breaks a line.

use std::fmt;

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// A character that a name must not contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForbiddenCharacter(char);

impl fmt::Display for ForbiddenCharacter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "U+{:04X}, a control or format character", u32::from(self.0))
    }
}

/// Finds the first forbidden character in a name.
///
/// draft-08, "Terminology": no C0 or C1 control characters, no U+007F, and none of the Unicode
/// general category `Cf`.
pub(crate) fn check(name: &str) -> Result<(), ForbiddenCharacter> {
    let forbidden = |c: &char| c.is_control() || c.general_category() == GeneralCategory::Format;
    match name.chars().find(forbidden) {
        Some(character) => Err(ForbiddenCharacter(character)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_format_characters_are_found() {
        for forbidden in [
            '\0',
            '\n',
            '\r',
            '\u{1f}',
            '\u{7f}',
            '\u{80}',
            '\u{85}',
            '\u{9f}',
            '\u{ad}',
            '\u{200b}',
            '\u{202e}',
            '\u{2066}',
            '\u{feff}',
            '\u{e0001}',
        ] {
            let name = format!("a{forbidden}b");
            assert_eq!(check(&name), Err(ForbiddenCharacter(forbidden)), "{name:?}");
        }
    }

    #[test]
    fn one_that_cannot_be_seen_is_named_by_its_number() {
        let named = ForbiddenCharacter('\u{200b}').to_string();
        assert_eq!(named, "U+200B, a control or format character");
    }

    #[test]
    fn all_else_passes() {
        assert_eq!(check("https://example.com/é/日本/😀?a=b&c#d {id} %00"), Ok(()));
        // Line and paragraph separators are `Zl` and `Zp`, which draft-08 does not forbid.
        assert_eq!(check("\u{2028}\u{2029}"), Ok(()));
    }
}
