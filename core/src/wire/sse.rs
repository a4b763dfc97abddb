//! Server-Sent Events: the only writer of a stream's bytes (HTML standard, section 9.2).
//!
//! What a publisher sends reaches these lines in two ways. Ids and event types hold no control
//! characters, so they fit on a line; data may hold anything, so it is split into lines here.

use std::time::Duration;

use bytes::Bytes;

use crate::terms::update::Update;

/// A comment: it shows that the stream is alive, and no reader takes it for anything. It is never
/// followed by a blank line, which some libraries mistake for an event.
pub(crate) const COMMENT: Bytes = Bytes::from_static(b":\n");

/// The event type of position events, which nobody listens to.
const POSITION_TYPE: &str = "cinnabar";

/// The frame of an update: `event`, `retry`, `data`, `id`, and a blank line. Its `retry` counts as
/// `least_retry` if it is less.
///
/// The id is behind the data, since two clients count it as seen when its line has arrived: an
/// update that is broken off on its way would be lost to them.
pub(crate) fn update(update: &Update, least_retry: Duration) -> Bytes {
    let mut frame = String::with_capacity(update.data.len() + 128);
    if let Some(event_type) = &update.event_type {
        field(&mut frame, "event: ", event_type.as_str());
    }
    if let Some(retry) = update.retry {
        let retry = Duration::from_millis(retry.into()).max(least_retry);
        field(&mut frame, "retry: ", &retry.as_millis().to_string());
    }
    // draft-08, "Publication": one `data` field a line, split at CR, LF or CRLF.
    for line in lines(&update.data) {
        field(&mut frame, "data: ", line);
    }
    field(&mut frame, "id: ", update.id.as_str());
    frame.push('\n');
    frame.into()
}

/// A position event: it sets a reader's last event ID and its reconnection time, and reaches no
/// listener. Browsers keep the id of an event with a `data` line only, if an empty one.
pub(crate) fn position(cursor: &str, retry: Duration) -> Bytes {
    format!("retry: {}\nevent: {POSITION_TYPE}\ndata:\nid: {cursor}\n\n", retry.as_millis()).into()
}

/// The last words to a reader that is told no position: when to come back. A `retry` counts once
/// its line has ended; with a blank line behind it, libraries would take it for an event. go-sse stops
/// for good where a comment was the last line of a stream, and so needs these words.
pub(crate) fn last_words(retry: Duration) -> Bytes {
    format!("retry: {}\n", retry.as_millis()).into()
}

/// Asks a reader to come back after a passing failure; `cursor` is for a native reader.
pub(crate) fn come_back(cursor: Option<&str>, retry: Duration) -> Bytes {
    match cursor {
        Some(cursor) => [COMMENT, position(cursor, retry)].concat().into(),
        None => [COMMENT, last_words(retry)].concat().into(),
    }
}

fn field(frame: &mut String, name: &str, value: &str) {
    frame.push_str(name);
    frame.push_str(value);
    frame.push('\n');
}

/// The lines of a text: there is at least one, and an ending at the end begins another.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = text.find(['\r', '\n']) else {
            rest = None;
            return Some(text);
        };
        let (line, ending) = text.split_at(end);
        rest = Some(ending.strip_prefix("\r\n").unwrap_or(&ending[1..]));
        Some(line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_three_ways() {
        let split = |text| lines(text).collect::<Vec<_>>();
        assert_eq!(split(""), [""]);
        assert_eq!(split("a\nb\rc\r\nd"), ["a", "b", "c", "d"]);
        assert_eq!(split("a\r\n"), ["a", ""]);
        assert_eq!(split("\n\r"), ["", "", ""]);
        // U+0085 and U+2028 end no line of an event stream.
        assert_eq!(split("a\u{85}b\u{2028}c"), ["a\u{85}b\u{2028}c"]);
    }

    #[test]
    fn a_position_event_is_silent() {
        assert_eq!(
            position("#abc", Duration::from_millis(2500)),
            "retry: 2500\nevent: cinnabar\ndata:\nid: #abc\n\n"
        );
    }

    #[test]
    fn a_reader_is_asked_to_come_back() {
        assert_eq!(come_back(None, Duration::from_secs(3)), ":\nretry: 3000\n");
        assert_eq!(
            come_back(Some("x"), Duration::from_secs(3)),
            ":\nretry: 3000\nevent: cinnabar\ndata:\nid: x\n\n"
        );
    }
}
