//! Subscribers whose pages were asked for lately. A replay has many pages, and to compile the patterns of its
//! subscriber for each would take longer than to read most of them.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::command::subscribe::Subscribe;
use crate::feed::bytes::{UnknownMessage, page_question};
use crate::feed::limits::{READERS, READERS_SIZE};
use crate::feed::message::{Question, ToLeader};

/// Subscribers by their texts: the one that was asked for last comes last.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    known: VecDeque<(Box<str>, Arc<Subscribe>)>,
    /// Roughly how many bytes they keep.
    size: usize,
}

impl Readers {
    /// Reads a message.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Result<ToLeader, UnknownMessage> {
        let Some((number, fetch, text)) = page_question(bytes) else {
            return ToLeader::from_bytes(bytes);
        };
        let known = self.known.iter().position(|(known, _)| **known == *text);
        let (text, subscribe) = match known.and_then(|known| self.known.remove(known)) {
            Some(known) => known,
            None => {
                // As bytes, since commands are read from bytes: that code is there already.
                let subscribe = serde_json::from_slice(text.as_bytes());
                let subscribe = subscribe.map_err(|_| UnknownMessage::Bytes)?;
                let new = (text.into(), Arc::new(subscribe));
                self.size += size(&new);
                new
            }
        };
        self.known.push_back((text, Arc::clone(&subscribe)));
        while (self.known.len() > READERS || self.size > READERS_SIZE)
            && let Some(oldest) = self.known.pop_front()
        {
            self.size -= size(&oldest);
        }
        Ok(ToLeader::Ask(number, Question::Page(fetch, subscribe)))
    }
}

fn size((text, subscribe): &(Box<str>, Arc<Subscribe>)) -> usize {
    text.len() + subscribe.size()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::message::QuestionId;
    use crate::streams::history::{Fetch, PageLimit};
    use crate::streams::stream_id::StreamId;
    use crate::terms::cursor::Position;
    use crate::tests::config;
    use crate::time::Timestamp;
    use crate::{Admission, Command, Request, Step, admit};

    const NOW: Timestamp = Timestamp::from_millis(1);

    /// A question for a page of a subscriber to a pattern with this number.
    fn asked(number: usize) -> Vec<u8> {
        let config = config(&[("ANONYMOUS", "1")]);
        let url = format!(
            "https://hub.example/.well-known/mercure?match_urlpattern=https://a.example/{number}/:id"
        );
        let request = Request::new("GET", &url, []);
        let step = admit(&request, &config, NOW, &[7; 32]);
        let Step::Done(Admission::Forward(Command::Subscribe(subscribe))) = step else {
            panic!("{step:?}")
        };
        let fetch = Fetch {
            stream: StreamId::new(1),
            after: Position::START,
            through: Position::new(number as u64),
            limit: PageLimit { updates: 1, bytes: 1 },
            as_of: NOW,
        };
        ToLeader::Ask(QuestionId(1), Question::Page(fetch, subscribe.into())).to_bytes()
    }

    fn read(readers: &mut Readers, bytes: &[u8]) -> Arc<Subscribe> {
        match readers.read(bytes) {
            Ok(ToLeader::Ask(_, Question::Page(_, subscribe))) => subscribe,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_pages_of_a_replay_are_of_one_subscriber() {
        let (mut readers, one, other) = (Readers::default(), asked(1), asked(2));
        let first = read(&mut readers, &one);
        let second = read(&mut readers, &other);
        assert_ne!(first, second);
        assert!(Arc::ptr_eq(&first, &read(&mut readers, &one)));
        assert!(Arc::ptr_eq(&second, &read(&mut readers, &other)));
    }

    #[test]
    fn so_many_are_known() {
        let (mut readers, one) = (Readers::default(), asked(0));
        let first = read(&mut readers, &one);
        for number in 1..READERS {
            read(&mut readers, &asked(number));
        }
        assert!(Arc::ptr_eq(&first, &read(&mut readers, &one)));
        for number in 0..READERS {
            read(&mut readers, &asked(READERS + number));
        }
        assert_eq!(readers.known.len(), READERS);
        assert_eq!(readers.size, readers.known.iter().map(size).sum::<usize>());
        assert!(!Arc::ptr_eq(&first, &read(&mut readers, &one)));
    }

    #[test]
    fn other_messages_are_read_as_ever() {
        let mut readers = Readers::default();
        let taken = readers.read(&ToLeader::Taken(7).to_bytes());
        assert!(matches!(taken, Ok(ToLeader::Taken(7))), "{taken:?}");
        for (part, other, error) in [
            ("\"version\":1", "\"version\":2", UnknownMessage::Version(2)),
            ("\"matchers\"", "\"mutchers\"", UnknownMessage::Bytes),
        ] {
            let mut bytes = asked(1);
            let at = bytes.windows(part.len()).position(|window| window == part.as_bytes());
            bytes.splice(at.unwrap()..at.unwrap() + part.len(), other.bytes());
            assert_eq!(readers.read(&bytes).unwrap_err(), error);
        }
        let longer = [asked(1), vec![0]].concat();
        assert_eq!(readers.read(&longer).unwrap_err(), UnknownMessage::Bytes);
        assert!(readers.known.is_empty());
    }
}
