//! Values of tokens in lines of the log.

use std::fmt;
use std::fmt::Write as _;

use serde_json::Value;

/// Most characters that are shown of a value.
const MOST: usize = 100;

/// Most values that are shown of a list.
const MOST_LISTED: usize = 3;

/// What a token says, as a line of the log may hold it. Whoever sent the token chose it, perhaps to
/// forge a line or to fill the log: so it is short, nothing in it is invisible or breaks a line, and
/// only it is in double quotes, by which the [`Sampler`](crate::Sampler) tells it from the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown(String);

impl Shown {
    pub(crate) fn text(text: &str) -> Self {
        let mut shown = String::new();
        for character in text.chars().take(MOST) {
            match character {
                '"' | '\'' => shown.push('\''),
                _ => shown.extend(character.escape_debug()),
            }
        }
        if text.chars().nth(MOST).is_some() {
            shown.push('…');
        }
        Self(shown)
    }

    /// A text as it is, and all else as JSON.
    pub(crate) fn value(value: &Value) -> Self {
        match value {
            Value::String(text) => Self::text(text),
            _ => Self::text(&value.to_string()),
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "\"{}\"", self.0)
    }
}

/// Some texts, and how many more there are.
pub(crate) fn listed<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut texts = texts.into_iter();
    let some: Vec<String> =
        texts.by_ref().take(MOST_LISTED).map(|text| Shown::text(text).to_string()).collect();
    let mut list = some.join(", ");
    match texts.count() {
        0 => {}
        more => _ = write!(list, " and {more} more"),
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_breaks_no_line_and_hides_nothing() {
        let shown = Shown::text("a\n\r\u{1b}[31m\u{202e}\u{200b}\u{2028}\u{0}`\"'\\é日");
        let expected = r#""a\n\r\u{1b}[31m\u{202e}\u{200b}\u{2028}\0`''\\é日""#;
        assert_eq!(shown.to_string(), expected);
        let list = serde_json::json!(["a", 1]);
        assert_eq!(Shown::value(&list).to_string(), r#""['a',1]""#);
    }

    #[test]
    fn a_value_is_short() {
        assert_eq!(Shown::text(&"x".repeat(100)).to_string().len(), 102);
        let cut = Shown::text(&"\u{0}".repeat(1_000_000)).to_string();
        assert!(cut.ends_with("…\"") && cut.len() < 1_000, "{cut}");
        let list = serde_json::json!(vec!["y"; 100_000]);
        assert!(Shown::value(&list).to_string().len() < 1_000);
    }

    #[test]
    fn a_list_is_short() {
        assert_eq!(listed(["a", "b", "c"]), r#""a", "b", "c""#);
        assert_eq!(listed(["a", "b", "c", "d", "e"]), r#""a", "b", "c" and 2 more"#);
    }
}
