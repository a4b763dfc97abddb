//! `application/x-www-form-urlencoded`: query components and bodies.
//!
//! The usual crates turn invalid UTF-8 into U+FFFD. The specification wants it refused, so pairs
//! are decoded to bytes here, and callers that need text ask for it.

use std::borrow::Cow;
use std::str::Utf8Error;

use percent_encoding::percent_decode;

/// A name and a value, percent-decoded exactly once.
pub(crate) struct Pair {
    name: Vec<u8>,
    value: Vec<u8>,
}

impl Pair {
    /// The name, if it is UTF-8.
    pub(crate) fn name(&self) -> Result<&str, Utf8Error> {
        std::str::from_utf8(&self.name)
    }

    /// The name, with U+FFFD in place of whatever is not UTF-8.
    pub(crate) fn name_lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.name)
    }

    /// The value, if it is UTF-8.
    pub(crate) fn value(&self) -> Result<&str, Utf8Error> {
        std::str::from_utf8(&self.value)
    }

    /// The value, with U+FFFD in place of whatever is not UTF-8.
    pub(crate) fn value_lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.value)
    }
}

/// Splits and decodes pairs (the URL standard, "application/x-www-form-urlencoded parsing"): empty
/// ones are dropped, a name without `=` has an empty value, and a stray `%` stays.
pub(crate) fn pairs(encoded: &[u8]) -> impl Iterator<Item = Pair> {
    encoded.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
        let equals = pair.iter().position(|&byte| byte == b'=');
        let (name, value) = match equals {
            Some(at) => (&pair[..at], &pair[at + 1..]),
            None => (pair, &b""[..]),
        };
        Pair { name: decode(name), value: decode(value) }
    })
}

fn decode(encoded: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> =
        encoded.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }).collect();
    percent_decode(&spaced).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(encoded: &str) -> Vec<(String, String)> {
        pairs(encoded.as_bytes())
            .map(|pair| (pair.name().unwrap().into(), pair.value().unwrap().into()))
            .collect()
    }

    fn expected(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    #[test]
    fn as_the_url_standard_says() {
        assert_eq!(
            text("&topic=a+b%20c&&x=1=2&private&%74opic=%2B%C3%A9&"),
            expected(&[("topic", "a b c"), ("x", "1=2"), ("private", ""), ("topic", "+é")])
        );
        assert_eq!(
            text("a=%&b=%4&c=%zz;d=1"),
            expected(&[("a", "%"), ("b", "%4"), ("c", "%zz;d=1")])
        );
        assert_eq!(text(""), expected(&[]));
        // Decoded once: `%255C` is the text `%5C`.
        assert_eq!(text("t=%255C"), expected(&[("t", "%5C")]));
    }

    #[test]
    fn invalid_utf8_is_seen() {
        let pair = pairs(b"a=%FF").next().unwrap();
        assert!(pair.value().is_err());
        assert_eq!(pair.value_lossy(), "\u{fffd}");
    }
}
