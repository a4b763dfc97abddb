//! Media types and ranges: what a body is, and what a client takes for an answer (RFC 9110, sections
//! 8.3.1 and 12.5.1).
//!
//! What cannot be read is `None` here, and never half of what it says: an `Accept` that cannot be
//! read states no preference, and a `Content-Type` that cannot be read names no type.

/// What the hub answers subscribers with.
const EVENT_STREAM: (&[u8], &[u8]) = (b"text", b"event-stream");

/// A media type, or a range of them where `*` stands for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MediaType<'a> {
    kind: &'a [u8],
    subtype: &'a [u8],
    /// Whether its weight is zero, which refuses it.
    refused: bool,
}

impl<'a> MediaType<'a> {
    /// Reads a whole `Content-Type`.
    pub(crate) fn parse(field: &'a [u8]) -> Option<Self> {
        let mut scanner = Scanner { rest: field };
        scanner.skip_spaces();
        let parsed = scanner.media_type()?;
        scanner.rest.is_empty().then_some(parsed)
    }

    /// How precisely this range names event streams; `None` if they are not in it. Its parameters do
    /// not count: event streams have none, and are UTF-8 whatever a client asks for.
    fn precision(&self) -> Option<u8> {
        let is = |range: &[u8], name: &[u8]| range.eq_ignore_ascii_case(name);
        let (kind, subtype) = EVENT_STREAM;
        match (self.kind, self.subtype) {
            (b"*", _) => Some(0),
            (range, b"*") if is(range, kind) => Some(1),
            (range, rest) if is(range, kind) && is(rest, subtype) => Some(2),
            _ => None,
        }
    }
}

/// Whether a client with this `Accept` takes event streams. Of the ranges that hold them the most
/// precise decides; a field that is absent, empty or unreadable refuses nothing.
pub(crate) fn accepts_event_streams<'a>(fields: impl Iterator<Item = &'a [u8]>) -> bool {
    let joined = fields.collect::<Vec<_>>().join(&b","[..]);
    match ranges(&joined) {
        Some(ranges) if !ranges.is_empty() => {
            let weighed =
                ranges.iter().filter_map(|range| Some((range.precision()?, !range.refused)));
            weighed.max().is_some_and(|(_, accepted)| accepted)
        }
        _ => true,
    }
}

/// Reads a list of ranges, whose items may be empty (RFC 9110, section 5.6.1.2).
fn ranges(field: &[u8]) -> Option<Vec<MediaType<'_>>> {
    let mut scanner = Scanner { rest: field };
    let mut ranges = Vec::new();
    loop {
        scanner.skip_spaces();
        if scanner.rest.is_empty() {
            return Some(ranges);
        }
        if scanner.take(b',') {
            continue;
        }
        let range = scanner.media_type()?;
        if range.kind == b"*" && range.subtype != b"*" {
            return None;
        }
        ranges.push(range);
        scanner.skip_spaces();
        if !scanner.rest.is_empty() && !scanner.take(b',') {
            return None;
        }
    }
}

/// A field, read from left to right.
struct Scanner<'a> {
    rest: &'a [u8],
}

impl<'a> Scanner<'a> {
    fn media_type(&mut self) -> Option<MediaType<'a>> {
        let kind = self.token()?;
        let subtype = self.take(b'/').then(|| self.token())??;
        let mut refused = false;
        self.skip_spaces();
        while self.take(b';') {
            self.skip_spaces();
            // A parameter may be empty (RFC 9110, section 5.6.6).
            if self.rest.first().is_none_or(|byte| b";,".contains(byte)) {
                continue;
            }
            let name = self.token()?;
            let value = self.take(b'=').then(|| self.value())??;
            if name.eq_ignore_ascii_case(b"q") {
                refused = is_zero(value)?;
            }
            self.skip_spaces();
        }
        Some(MediaType { kind, subtype, refused })
    }

    /// The value of a parameter; one in quotes as it is between them.
    fn value(&mut self) -> Option<&'a [u8]> {
        if !self.take(b'"') {
            return self.token();
        }
        let mut escaped = false;
        let end = self.rest.iter().position(|&byte| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        })?;
        let value = &self.rest[..end];
        self.rest = &self.rest[end + 1..];
        Some(value)
    }

    fn token(&mut self) -> Option<&'a [u8]> {
        let is_token =
            |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
        let end = self.rest.iter().position(|byte| !is_token(byte)).unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!token.is_empty()).then_some(token)
    }

    fn take(&mut self, byte: u8) -> bool {
        match self.rest.split_first() {
            Some((&first, rest)) if first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn skip_spaces(&mut self) {
        let end = self.rest.iter().position(|byte| !b" \t".contains(byte));
        self.rest = &self.rest[end.unwrap_or(self.rest.len())..];
    }
}

/// Whether a weight is zero; `None` if it is no weight (RFC 9110, section 12.4.2).
fn is_zero(weight: &[u8]) -> Option<bool> {
    let (whole, fraction) = match weight {
        [whole] => (whole, &b""[..]),
        [whole, b'.', fraction @ ..] if fraction.len() <= 3 => (whole, fraction),
        _ => return None,
    };
    let is_nothing = fraction.iter().all(|&digit| digit == b'0');
    match whole {
        b'0' if fraction.iter().all(u8::is_ascii_digit) => Some(is_nothing),
        b'1' if is_nothing => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(fields: &[&str]) -> bool {
        accepts_event_streams(fields.iter().map(|field| field.as_bytes()))
    }

    #[test]
    fn event_streams_are_accepted_by_whoever_does_not_refuse_them() {
        for field in [
            "text/event-stream",
            "Text/Event-Stream",
            "text/event-stream; charset=utf-8",
            "text/event-stream;q=0.001",
            "text/*",
            "*/*",
            "*/* ; q=0.1",
            "application/json, text/plain, */*",
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
            "application/json;p=\"a,b;q=0\\\"\", text/event-stream",
            "text/event-stream, */*;q=0",
            "text/*;q=0, text/event-stream",
            "text/event-stream;q=0, text/event-stream",
            ", ,text/event-stream,,",
        ] {
            assert!(accepts(&[field]), "{field}");
        }
        assert!(accepts(&["application/json", "text/*"]));
    }

    #[test]
    fn whoever_refuses_them_is_taken_at_their_word() {
        for field in [
            "application/json",
            "text/html",
            "image/*",
            "text/event-stream;q=0",
            "text/event-stream;Q=0.000",
            "text/event-stream;q=0, */*",
            "text/*;q=0, */*;q=1",
            "*/*;q=0",
            "text/event-streams",
            "application/json;p=\"text/event-stream, */*\"",
        ] {
            assert!(!accepts(&[field]), "{field}");
        }
        assert!(!accepts(&["application/json", "text/html"]));
    }

    #[test]
    fn what_is_absent_or_unreadable_refuses_nothing() {
        assert!(accepts(&[]));
        for field in [
            "",
            " , ",
            "json",
            "application/json, *; q=.2",
            "application/json;q=2",
            "application/json;q=0.1234",
            "application/json;q=1.5",
            "application/json;q=\"\"",
            "application/json;q",
            "application/json;p=\"a",
            "application/json text/html",
            "*/json",
            "application/",
            "application/é",
        ] {
            assert!(accepts(&[field]), "{field}");
        }
    }

    #[test]
    fn a_type_is_read_whole_or_not_at_all() {
        for readable in
            ["application/x-www-form-urlencoded", " a/b ; charset=utf-8;", "a/b;c=\"d;\\\"e\""]
        {
            assert!(MediaType::parse(readable.as_bytes()).is_some(), "{readable}");
        }
        for unreadable in
            ["", "a", "a/", "/b", "a/b, a/b", "a/b c", "a/b;c", "a/b;c=", "a/b;c=\"d", "a /b"]
        {
            assert_eq!(MediaType::parse(unreadable.as_bytes()), None, "{unreadable}");
        }
    }
}
