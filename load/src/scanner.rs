//! The scanner of event streams: it finds the stamps of updates, and nothing else.
//!
//! A whole parser would cost more than a fast hub does. This one keeps to the standard ("Interpreting
//! an event stream" of HTML) where it matters here: an update counts at the blank line behind it, and
//! comments and fields other than `data` are passed over. A line may end with LF or CR LF, but not
//! with CR alone, which no hub writes.

use memchr::memchr;

use crate::stamp::{self, Stamp};

/// As much of a line as tells what it is.
const KEPT: usize = b"data: ".len() + stamp::LENGTH;

/// The state of a reader between two pieces of a stream.
#[derive(Debug, Default)]
pub(crate) struct Scanner {
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
    /// The stamp of an event whose end has not come.
    stamp: Option<Stamp>,
}

impl Scanner {
    /// Takes the next bytes, in pieces of any size, and reports each update that they end.
    pub(crate) fn push(&mut self, mut bytes: &[u8], mut found: impl FnMut(Stamp)) {
        while let Some(end) = memchr(b'\n', bytes) {
            let (line, rest) = bytes.split_at(end);
            bytes = &rest[1..];
            let ended = if self.line.is_empty() {
                self.handle_line(line)
            } else {
                self.keep(line);
                let mut line = std::mem::take(&mut self.line);
                let ended = self.handle_line(&line);
                line.clear();
                self.line = line;
                ended
            };
            if let Some(stamp) = ended {
                found(stamp);
            }
        }
        self.keep(bytes);
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = KEPT.saturating_sub(self.line.len());
        self.line.extend(&bytes[..room.min(bytes.len())]);
    }

    fn handle_line(&mut self, line: &[u8]) -> Option<Stamp> {
        if matches!(line, b"" | b"\r") {
            return self.stamp.take();
        }
        if let Some(value) = line.strip_prefix(b"data:") {
            let value = value.strip_prefix(b" ").unwrap_or(value);
            self.stamp = self.stamp.or_else(|| Stamp::read(value));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = ":\nretry: 3000\n\n\
        data: 0001.0000000007.00000000000000000042xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n\
        id: urn:uuid:1\n\n:\n\
        id: urn:uuid:2\r\nevent: a\r\n\
        data:0002.0000000008.00000000000000000043\r\ndata: more\r\n\r\n\
        data: no stamp\n\nid: 3\n\n\
        data: 0001.0000000009.00000000000000000044\n";

    fn numbers(pieces: &[&[u8]]) -> Vec<u32> {
        let mut scanner = Scanner::default();
        let mut numbers = Vec::new();
        for piece in pieces {
            scanner.push(piece, |stamp| numbers.push(stamp.number));
        }
        numbers
    }

    #[test]
    fn an_update_counts_once_it_is_whole() {
        // The last one lacks its blank line.
        assert_eq!(numbers(&[STREAM.as_bytes()]), [7, 8]);
        assert_eq!(numbers(&[STREAM.as_bytes(), b"\n"]), [7, 8, 9]);
    }

    #[test]
    fn pieces_may_begin_and_end_anywhere() {
        let stream = STREAM.as_bytes();
        for cut in 0..=stream.len() {
            let (before, after) = stream.split_at(cut);
            assert_eq!(numbers(&[before, after, b"\n"]), [7, 8, 9], "cut at {cut}");
        }
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(numbers(&bytes), [7, 8]);
    }

    #[test]
    fn a_long_line_is_not_kept_whole() {
        let mut scanner = Scanner::default();
        scanner.push(b"data: 0001.0000000007.00000000000000000042", |_| panic!("not whole"));
        for _ in 0..100 {
            scanner.push(&[b'x'; 1000], |_| panic!("not whole"));
        }
        assert_eq!(scanner.line.len(), KEPT);
        let mut found = Vec::new();
        scanner.push(b"\n\n", |stamp| found.push(stamp.number));
        assert_eq!(found, [7]);
    }
}
