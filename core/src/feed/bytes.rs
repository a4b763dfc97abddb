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

use crate::feed::limits::MAX_MESSAGE_SIZE;
use crate::feed::message::{ToFollower, ToLeader};
use crate::feed::updates;
use crate::streams::history::Appended;

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

/// Reads a head. Returns it, and what follows.
fn decode<M: DeserializeOwned>(bytes: &[u8]) -> Result<(M, &[u8]), UnknownMessage> {
    if bytes.len() > MAX_MESSAGE_SIZE {
        return Err(UnknownMessage::Length);
    }
    let (length, rest) = bytes.split_first_chunk().ok_or(UnknownMessage::Bytes)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    let (head, rest) = rest.split_at_checked(length).ok_or(UnknownMessage::Bytes)?;
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
