//! `application/x-www-form-urlencoded`, the way browsers' `encodeURIComponent` writes it.

use std::fmt::Write as _;

/// Percent-encodes all but unreserved characters.
pub(crate) fn encode(value: impl AsRef<[u8]>) -> String {
    let mut encoded = String::new();
    for byte in value.as_ref() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(*byte));
            }
            _ => write!(encoded, "%{byte:02X}").expect("a String takes all"),
        }
    }
    encoded
}

/// `name=value&name=value`, encoded.
pub(crate) fn pairs(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    pairs.join("&")
}
