//! An open event stream.
//!
//! Nothing is read ahead: a stream that no case waits on is a reader that does not read. Waiting
//! ends at a generous deadline, so that no case depends on the speed of the hub.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::time::{Duration, Instant};

use crate::http::{Body, DEADLINE, Head};
use crate::sse::{Event, Item, Parser};

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The hub ended it, and said so.
    Clean,
    /// The connection broke.
    Cut,
}

/// A subscriber's stream.
pub(crate) struct Stream {
    pub(crate) head: Head,
    body: Body,
    parser: Parser,
    items: VecDeque<Item>,
    end: Option<End>,
    patience: Duration,
}

impl Stream {
    #[track_caller]
    pub(crate) fn new(head: Head, mut body: Body) -> Self {
        let event_stream = head
            .header("Content-Type")
            .is_some_and(|media_type| media_type.starts_with("text/event-stream"));
        if head.status != 200 || !event_stream {
            let text = body.chunk(Instant::now() + DEADLINE).ok().flatten();
            let text = String::from_utf8_lossy(&text.unwrap_or_default()).into_owned();
            panic!("no event stream: {} {:?} {text}", head.status, head.headers);
        }
        Self {
            head,
            body,
            parser: Parser::default(),
            items: VecDeque::new(),
            end: None,
            patience: DEADLINE,
        }
    }

    /// Waits this long for anything, instead of the usual deadline.
    pub(crate) fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The next transport chunk as it was written, or `None` when the stream has ended.
    #[track_caller]
    pub(crate) fn chunk(&mut self) -> Option<Vec<u8>> {
        self.chunk_before(Instant::now() + self.patience)
    }

    #[track_caller]
    fn chunk_before(&mut self, deadline: Instant) -> Option<Vec<u8>> {
        if self.end.is_some() {
            return None;
        }
        match self.body.chunk(deadline) {
            Ok(Some(chunk)) => {
                self.items.extend(self.parser.push(&chunk));
                Some(chunk)
            }
            Ok(None) => {
                self.end = Some(End::Clean);
                None
            }
            Err(error) if error.kind() == ErrorKind::TimedOut => panic!("{error}"),
            Err(_) => {
                self.end = Some(End::Cut);
                None
            }
        }
    }

    /// The next transport chunk as text; there must be one.
    #[track_caller]
    pub(crate) fn text_chunk(&mut self) -> String {
        let Some(chunk) = self.chunk() else {
            panic!("the stream ended ({:?})", self.end);
        };
        String::from_utf8(chunk).expect("event streams are UTF-8")
    }

    /// The next event or comment, or `None` when the stream has ended.
    #[track_caller]
    pub(crate) fn item(&mut self) -> Option<Item> {
        self.item_before(Instant::now() + self.patience)
    }

    #[track_caller]
    fn item_before(&mut self, deadline: Instant) -> Option<Item> {
        loop {
            if let Some(item) = self.items.pop_front() {
                return Some(item);
            }
            self.chunk_before(deadline)?;
        }
    }

    /// The next event, or `None` when the stream has ended; comments are passed over.
    #[track_caller]
    pub(crate) fn next(&mut self) -> Option<Event> {
        // One deadline for all items: heartbeats must not keep a case waiting forever.
        let deadline = Instant::now() + self.patience;
        loop {
            if let Item::Event(event) = self.item_before(deadline)? {
                return Some(event);
            }
        }
    }

    /// The next event; there must be one.
    #[track_caller]
    pub(crate) fn event(&mut self) -> Event {
        match self.next() {
            Some(event) => event,
            None => panic!("the stream ended ({:?})", self.end),
        }
    }

    /// The next event must have this data; its id is returned.
    #[track_caller]
    pub(crate) fn expect_data(&mut self, data: &str) -> String {
        let event = self.event();
        assert_eq!(event.data, data, "{event:?}");
        event.id
    }

    /// All events until the stream ends, and how it does.
    #[track_caller]
    pub(crate) fn rest(&mut self) -> (Vec<Event>, End) {
        let mut events = Vec::new();
        while let Some(event) = self.next() {
            events.push(event);
        }
        (events, self.end.unwrap_or(End::Clean))
    }

    /// The ID that a browser would resume from.
    pub(crate) fn last_event_id(&self) -> &str {
        &self.parser.last_event_id
    }

    /// How long a browser would wait before it reconnects, in milliseconds, if the stream has said.
    pub(crate) fn retry(&self) -> Option<u64> {
        self.parser.retry
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.head.header(name)
    }
}
