//! As much of HTTP/1.1 as a client needs that writes the same request again and again.

use thiserror::Error;

/// The head of an answer.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) body: Body,
    /// Whether the connection ends with this answer.
    pub(crate) closes: bool,
    /// How many bytes it takes.
    pub(crate) length: usize,
}

/// How the end of a body is found, and how much of it is still to come.
#[derive(Debug)]
pub(crate) enum Body {
    Chunked(Chunk),
    Length(u64),
    UntilTheEnd,
}

/// Where in a chunked body its reader is (RFC 9112, section 7.1).
#[derive(Debug)]
pub(crate) enum Chunk {
    /// In the line with a chunk's size; `counts` until an extension begins.
    Size {
        size: u64,
        counts: bool,
    },
    Data(u64),
    /// In the line break behind the data.
    Break,
    /// In the trailer: `empty` if nothing has come of its current line.
    Trailer {
        empty: bool,
    },
    End,
}

/// An answer that is not HTTP.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("the hub's answer is not HTTP/1.1")]
pub struct Malformed;

const FIRST: Chunk = Chunk::Size { size: 0, counts: true };

impl Head {
    /// Reads the head at the beginning of these bytes, unless its end has yet to come.
    pub(crate) fn read(bytes: &[u8]) -> Result<Option<Self>, Malformed> {
        let mut fields = [httparse::EMPTY_HEADER; 64];
        let mut head = httparse::Response::new(&mut fields);
        let httparse::Status::Complete(length) = head.parse(bytes).map_err(|_| Malformed)? else {
            return Ok(None);
        };
        let status = head.code.ok_or(Malformed)?;
        let values = |name: &'static str| {
            let fields = head.headers.iter();
            fields
                .filter(move |field| field.name.eq_ignore_ascii_case(name))
                .map(|field| field.value)
        };
        let body = if values("transfer-encoding").next().is_some() {
            Body::Chunked(FIRST)
        } else if status == 204 {
            Body::Length(0)
        } else if let Some(length) = values("content-length").next() {
            let length = std::str::from_utf8(length).ok().and_then(|length| length.parse().ok());
            Body::Length(length.ok_or(Malformed)?)
        } else {
            Body::UntilTheEnd
        };
        let closes = matches!(body, Body::UntilTheEnd)
            || values("connection").any(|value| value.eq_ignore_ascii_case(b"close"));
        Ok(Some(Self { status, body, closes, length }))
    }
}

impl Body {
    /// Whether nothing more will come. What ends with its connection never says so.
    pub(crate) fn is_whole(&self) -> bool {
        matches!(self, Self::Chunked(Chunk::End) | Self::Length(0))
    }

    /// Takes the next bytes, and hands out those of the content.
    pub(crate) fn push(
        &mut self,
        bytes: &[u8],
        mut content: impl FnMut(&[u8]),
    ) -> Result<(), Malformed> {
        match self {
            Self::UntilTheEnd => content(bytes),
            Self::Length(remaining) => content(take(remaining, bytes).0),
            Self::Chunked(chunk) => return chunk.push(bytes, content),
        }
        Ok(())
    }
}

impl Chunk {
    fn push(&mut self, mut bytes: &[u8], mut content: impl FnMut(&[u8])) -> Result<(), Malformed> {
        loop {
            if let Self::Data(remaining) = self {
                let (data, rest) = take(remaining, bytes);
                content(data);
                bytes = rest;
                if *remaining == 0 {
                    *self = Self::Break;
                }
            }
            let Some((byte, rest)) = bytes.split_first() else { return Ok(()) };
            bytes = rest;
            self.handle_byte(*byte)?;
        }
    }

    /// Takes a byte that is not of the content.
    fn handle_byte(&mut self, byte: u8) -> Result<(), Malformed> {
        match (&mut *self, byte) {
            (Self::Size { size: 0, .. }, b'\n') => *self = Self::Trailer { empty: true },
            (Self::Size { size, .. }, b'\n') => *self = Self::Data(*size),
            (Self::Size { counts, .. }, b';' | b' ' | b'\t' | b'\r') => *counts = false,
            (Self::Size { counts: false, .. }, _) => {}
            (Self::Size { size, .. }, _) => {
                let digit = char::from(byte).to_digit(16).ok_or(Malformed)?;
                *size = size.checked_mul(16).ok_or(Malformed)? + u64::from(digit);
            }
            (Self::Break, b'\r') => {}
            (Self::Break, b'\n') => *self = FIRST,
            (Self::Trailer { empty: true }, b'\n') => *self = Self::End,
            (Self::Trailer { empty }, _) => *empty = byte == b'\n' || *empty && byte == b'\r',
            (Self::Data(_) | Self::Break | Self::End, _) => return Err(Malformed),
        }
        Ok(())
    }
}

/// The bytes that belong to a body of which so many remain, and those behind it.
fn take<'a>(remaining: &mut u64, bytes: &'a [u8]) -> (&'a [u8], &'a [u8]) {
    let count = usize::try_from(*remaining).unwrap_or(usize::MAX).min(bytes.len());
    *remaining -= count as u64;
    bytes.split_at(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(fields: &str) -> Head {
        let text = format!("HTTP/1.1 200 OK\r\n{fields}\r\nrest");
        let head = Head::read(text.as_bytes()).unwrap().unwrap();
        assert_eq!(&text[head.length..], "rest");
        head
    }

    #[test]
    fn a_head_says_where_its_body_ends() {
        assert!(matches!(head("content-length: 7\r\n").body, Body::Length(7)));
        assert!(matches!(head("Transfer-Encoding: chunked\r\n").body, Body::Chunked(_)));
        assert!(matches!(head("").body, Body::UntilTheEnd));
        assert!(head("").closes && head("Content-Length: 0\r\nConnection: Close\r\n").closes);
        assert!(!head("Content-Length: 0\r\n").closes);
        assert!(Head::read(b"HTTP/1.1 200 OK\r\nA: b\r\n").unwrap().is_none());
        assert_eq!(Head::read(b"SSH-2.0\r\n\r\n").unwrap_err(), Malformed);
    }

    const CHUNKED: &[u8] =
        b"5\r\nhello\r\n1A;a=b\r\n, abcdefghijklmnopqrstuvwx\r\n0\r\nA: b\r\n\r\n";

    #[test]
    fn chunks_may_be_cut_anywhere() {
        for cut in 0..=CHUNKED.len() {
            let mut body = Body::Chunked(FIRST);
            let mut text: Vec<u8> = Vec::new();
            for piece in [&CHUNKED[..cut], &CHUNKED[cut..]] {
                assert!(!body.is_whole() || piece.is_empty());
                body.push(piece, |content| text.extend(content)).unwrap();
            }
            assert_eq!(text, b"hello, abcdefghijklmnopqrstuvwx", "cut at {cut}");
            assert!(body.is_whole());
        }
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        for bytes in [&b"x\r\n"[..], b"3\r\nabcd", b"fffffffffffffffff\r\n"] {
            assert_eq!(Body::Chunked(FIRST).push(bytes, |_| {}), Err(Malformed));
        }
    }
}
