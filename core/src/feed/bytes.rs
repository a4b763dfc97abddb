//! Messages as bytes: a head, and after it the updates, if the message holds any.
//!
//! ```text
//!  length of the head   head                                          updates
//!  00 00 00 35          {"version":1,"message":{"Updates":{ … }}}     position, texts, position, …
//! ```
//!
//! The head is JSON with a version in front, as a [`Command`](crate::Command) is. Updates are most of
//! what a link carries, and their texts are sent as they are: in JSON, a line feed takes two bytes, and
//! some characters six.

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::feed::limits::MAX_MESSAGE_SIZE;
use crate::feed::message::{QuestionId, ToFollower, ToLeader};
use crate::feed::updates;
use crate::streams::history::{Appended, Fetch};

/// The version of the messages. While a new version is being deployed, the two sides of a link may
/// differ for a moment, and neither must misunderstand the other.
const VERSION: u32 = 1;

/// Bytes that are no message of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownMessage {
    /// The other side is of another version.
    #[error("the other side speaks version {0} of the feed, and this one version {VERSION}")]
    Version(u32),
    /// They are something else.
    #[error("not a message of the feed")]
    Bytes,
    /// There are too many.
    #[error("a message is longer than {MAX_MESSAGE_SIZE} bytes")]
    Length,
}

#[derive(Serialize)]
struct Outgoing<'a, M> {
    version: u32,
    message: &'a M,
}

#[derive(Deserialize)]
struct Incoming<M> {
    version: u32,
    message: M,
}

impl ToLeader {
    /// The message as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(self, &[])
    }

    /// Reads a message.
    ///
    /// # Errors
    ///
    /// Bytes of another version, or of something else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, UnknownMessage> {
        match decode(bytes)? {
            (message, []) => Ok(message),
            _ => Err(UnknownMessage::Bytes),
        }
    }
}

impl ToFollower {
    /// The message as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.with_updates(self.updates())
    }

    /// The message as bytes, with these updates in place of its own.
    pub(crate) fn with_updates(&self, updates: &[Appended]) -> Vec<u8> {
        encode(self, updates)
    }

    /// Reads a message.
    ///
    /// # Errors
    ///
    /// Bytes of another version, or of something else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, UnknownMessage> {
        let (mut message, rest): (Self, _) = decode(bytes)?;
        match message.updates_mut() {
            Some(updates) => *updates = updates::read(rest).ok_or(UnknownMessage::Bytes)?,
            None if rest.is_empty() => {}
            None => return Err(UnknownMessage::Bytes),
        }
        Ok(message)
    }
}

fn encode<M: Serialize>(message: &M, updates: &[Appended]) -> Vec<u8> {
    let mut bytes = vec![0; 4];
    // It cannot fail: strings and numbers always serialize. And if it did, the other side would refuse
    // an empty head.
    let _ = serde_json::to_writer(&mut bytes, &Outgoing { version: VERSION, message });
    let length = u32::try_from(bytes.len() - 4).unwrap_or(u32::MAX);
    bytes[..4].copy_from_slice(&length.to_be_bytes());
    updates::write(updates, &mut bytes);
    bytes
}

/// A question for a page: its number, the page, and the text of the stream's subscriber. `None` if it is
/// another message, or none.
pub(crate) fn page_question(bytes: &[u8]) -> Option<(QuestionId, Fetch, &str)> {
    #[derive(Deserialize)]
    enum Said<'a> {
        Ask(QuestionId, #[serde(borrow)] Asked<'a>),
    }
    #[derive(Deserialize)]
    enum Asked<'a> {
        Page(Fetch, #[serde(borrow)] &'a RawValue),
    }
    let (head, []) = split(bytes).ok()? else { return None };
    let Incoming { version: VERSION, message } = serde_json::from_slice(head).ok()? else {
        return None;
    };
    let Said::Ask(number, Asked::Page(fetch, subscriber)) = message;
    Some((number, fetch, subscriber.get()))
}

/// The head, and what follows.
fn split(bytes: &[u8]) -> Result<(&[u8], &[u8]), UnknownMessage> {
    if bytes.len() > MAX_MESSAGE_SIZE {
        return Err(UnknownMessage::Length);
    }
    let (length, rest) = bytes.split_first_chunk().ok_or(UnknownMessage::Bytes)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    rest.split_at_checked(length).ok_or(UnknownMessage::Bytes)
}

/// Reads a head. Returns it, and what follows.
fn decode<M: DeserializeOwned>(bytes: &[u8]) -> Result<(M, &[u8]), UnknownMessage> {
    let (head, rest) = split(bytes)?;
    match serde_json::from_slice(head) {
        Ok(Incoming { version: VERSION, message }) => Ok((message, rest)),
        // A message of another version may look like one of this one, or like nothing that is known.
        _ => match serde_json::from_slice(head) {
            Ok(Incoming { version, message: IgnoredAny }) if version != VERSION => {
                Err(UnknownMessage::Version(version))
            }
            _ => Err(UnknownMessage::Bytes),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::message::{Answer, Question, QuestionId, Updates};
    use crate::streams::history::Page;
    use crate::terms::cursor::{Place, Position};
    use crate::terms::update::{StoredUpdate, Update};

    fn appended(position: u64, data: &str) -> Appended {
        let update = Update::restore(StoredUpdate {
            id: format!("urn:{position}"),
            topics: "a\né".into(),
            targets: "/users/1".into(),
            data: data.into(),
            private: position.is_multiple_of(2),
            event_type: position.is_multiple_of(3).then(|| "ping".into()),
            retry: position.is_multiple_of(5).then_some(0),
        });
        Appended { position: Position::new(position), update: update.into() }
    }

    #[test]
    fn updates_come_back_whole() {
        let updates: Vec<Appended> =
            (0..12).map(|position| appended(position, "\0\r\n\u{2028}")).collect();
        let reached = Place::undated(Position::new(11));
        let sent = Updates { after: Position::START, reached, updates: updates.clone() };
        match ToFollower::from_bytes(&ToFollower::Updates(sent.clone()).to_bytes()) {
            Ok(ToFollower::Updates(got)) => assert_eq!(got, sent),
            other => panic!("{other:?}"),
        }
        let page =
            Page { updates, reached: reached.position, since: None, oldest: Position::START };
        let answer = ToFollower::Answer(QuestionId(7), Some(Answer::Page(page.clone())));
        match ToFollower::from_bytes(&answer.to_bytes()) {
            Ok(ToFollower::Answer(QuestionId(7), Some(Answer::Page(got)))) => assert_eq!(got, page),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn texts_take_no_more_than_their_bytes() {
        let update = appended(1, &"\0".repeat(2 * 1024 * 1024));
        let reached = Place::undated(update.position);
        let updates = Updates { after: Position::START, reached, updates: vec![update] };
        let length = ToFollower::Updates(updates).to_bytes().len();
        assert!(length < 2 * 1024 * 1024 + 1024, "{length}");
    }

    #[test]
    fn other_versions_are_refused_in_words() {
        let bytes = ToLeader::Ask(QuestionId(1), Question::End).to_bytes();
        let text = String::from_utf8(bytes).unwrap();
        let other = text.replace("\"version\":1", "\"version\":2");
        let error = ToLeader::from_bytes(other.as_bytes()).unwrap_err();
        assert_eq!(error, UnknownMessage::Version(2));
        let words = "the other side speaks version 2 of the feed, and this one version 1";
        assert_eq!(error.to_string(), words);
        assert_eq!(ToFollower::from_bytes(text.as_bytes()).unwrap_err(), UnknownMessage::Bytes);
        let long = vec![0; MAX_MESSAGE_SIZE + 1];
        assert_eq!(ToLeader::from_bytes(&long).unwrap_err(), UnknownMessage::Length);
    }

    #[test]
    fn what_is_cut_off_or_too_long_is_refused() {
        let reached = Place::undated(Position::new(1));
        let updates = vec![appended(1, "x")];
        let sent = ToFollower::Updates(Updates { after: Position::START, reached, updates });
        let bytes = sent.to_bytes();
        let head = sent.with_updates(&[]).len();
        for length in (0..bytes.len()).filter(|length| *length != head) {
            assert!(ToFollower::from_bytes(&bytes[..length]).is_err(), "{length}");
        }
        let goodbye = [ToLeader::Goodbye.to_bytes(), vec![0]].concat();
        assert!(ToLeader::from_bytes(&goodbye).is_err());
    }
}
