//! The parser of event streams, as browsers have it.
//!
//! It follows the HTML standard, "Interpreting an event stream", and nothing else: a case sees what
//! a page would see.

/// An event that a page would get.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Event {
    /// `message` if the stream names none.
    pub(crate) event_type: String,
    pub(crate) data: String,
    /// The last event ID when it was dispatched.
    pub(crate) id: String,
}

/// An item of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Event(Event),
    /// A comment line, without its colon.
    Comment(String),
}

/// The state of a reader between two pieces of a stream.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    started: bool,
    line: Vec<u8>,
    after_cr: bool,
    event_type: String,
    data: String,
    id: String,
    /// The ID that the reader would resume from.
    pub(crate) last_event_id: String,
    /// How long the reader would wait before it reconnects, in milliseconds, if the stream has
    /// said.
    pub(crate) retry: Option<u64>,
}

impl Parser {
    /// Takes the next bytes, in pieces of any size.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Vec<Item> {
        let mut items = Vec::new();
        for &byte in bytes {
            let after_cr = std::mem::replace(&mut self.after_cr, byte == b'\r');
            match byte {
                b'\n' if after_cr => {}
                b'\r' | b'\n' => {
                    let line = std::mem::take(&mut self.line);
                    items.extend(self.handle_line(&line));
                }
                _ => self.line.push(byte),
            }
        }
        items
    }

    fn handle_line(&mut self, line: &[u8]) -> Option<Item> {
        let line = String::from_utf8_lossy(line);
        let line = match std::mem::replace(&mut self.started, true) {
            false => line.strip_prefix('\u{FEFF}').unwrap_or(&line),
            true => &line,
        };
        if line.is_empty() {
            return self.dispatch().map(Item::Event);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        if field.is_empty() {
            return Some(Item::Comment(value.to_owned()));
        }
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event_type),
            "data" => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            "id" if !value.contains('\0') => value.clone_into(&mut self.id),
            "retry" if value.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.retry = value.parse().ok().or(self.retry);
            }
            _ => {}
        }
        None
    }

    fn dispatch(&mut self) -> Option<Event> {
        self.last_event_id.clone_from(&self.id);
        let event_type = std::mem::take(&mut self.event_type);
        let mut data = std::mem::take(&mut self.data);
        // An empty `data` field leaves a line break here; no `data` field at all leaves nothing.
        data.pop()?;
        Some(Event {
            event_type: if event_type.is_empty() { "message".to_owned() } else { event_type },
            data,
            id: self.last_event_id.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(parser: &mut Parser, stream: &str) -> Vec<(String, String, String)> {
        parser
            .push(stream.as_bytes())
            .into_iter()
            .filter_map(|item| match item {
                Item::Event(event) => Some((event.event_type, event.data, event.id)),
                Item::Comment(_) => None,
            })
            .collect()
    }

    fn event(event_type: &str, data: &str, id: &str) -> (String, String, String) {
        (event_type.to_owned(), data.to_owned(), id.to_owned())
    }

    #[test]
    fn fields_lines_and_line_breaks() {
        let mut parser = Parser::default();
        let stream = "\u{FEFF}event: a\r\nretry: 10\rid: 1\ndata: x\r\ndata:  y\r\n\r\ndata\n\n";
        let expected = [event("a", "x\n y", "1"), event("message", "", "1")];
        assert_eq!(events(&mut parser, stream), expected);
        assert_eq!(parser.retry, Some(10));

        // The same, a byte at a time.
        let mut parser = Parser::default();
        let pieces: Vec<_> =
            stream.as_bytes().iter().flat_map(|byte| parser.push(&[*byte])).collect();
        assert_eq!(pieces.len(), 2);
    }

    #[test]
    fn an_event_without_data_sets_the_id_alone() {
        let mut parser = Parser::default();
        assert_eq!(
            events(&mut parser, "id: 7\nevent: x\n\ndata: a\n\n"),
            [event("message", "a", "7")]
        );
        assert_eq!(parser.last_event_id, "7");
    }

    #[test]
    fn an_id_counts_only_once_its_event_is_whole() {
        let mut parser = Parser::default();
        events(&mut parser, "id: 1\ndata: a\n\nid: 2\ndata: b\n");
        assert_eq!(parser.last_event_id, "1");
    }

    #[test]
    fn comments_unknown_fields_and_bad_values() {
        let mut parser = Parser::default();
        let items = parser.push(b":\n: hello\nfoo: bar\nretry: 1x\nid: a\0b\ndata: a\n\n");
        assert_eq!(items[0], Item::Comment(String::new()));
        assert_eq!(items[1], Item::Comment(" hello".to_owned()));
        assert_eq!(items.len(), 3);
        assert_eq!((parser.retry, parser.last_event_id.as_str()), (None, ""));
    }
}
