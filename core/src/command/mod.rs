//! What an entry that has admitted a request sends to the holder of the log.

pub(crate) mod buckets;
pub(crate) mod health;
pub(crate) mod list;
pub(crate) mod presence;
pub(crate) mod publish;
pub(crate) mod quota;
pub(crate) mod subscribe;
pub(crate) mod subscriptions;

use serde::{Deserialize, Serialize};

use crate::command::health::CheckHealth;
use crate::command::list::List;
use crate::command::publish::Publish;
use crate::command::subscribe::Subscribe;
use crate::time::Timestamp;
use crate::wire::answer::Answer;

/// The version of the encoding. While a new version is being deployed, the entry's and the
/// holder's may differ for a moment, and neither must misunderstand the other.
const VERSION: u32 = 5;

/// An admitted request. A holder that does not carry out one of these is not a hub, so a new kind
/// of command is a breaking change on purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Append an update.
    Publish(Publish),
    /// Open a stream.
    Subscribe(Subscribe),
    /// List active subscriptions.
    List(List),
    /// Show that the log can be written and read.
    CheckHealth(CheckHealth),
}

/// Bytes that are not a command of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a command of version {VERSION}")]
pub struct UnknownCommand;

#[derive(Serialize)]
struct Outgoing<'a> {
    version: u32,
    command: &'a Command,
}

#[derive(Deserialize)]
struct Incoming {
    version: u32,
    command: Command,
}

impl Command {
    /// The command as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // It cannot fail: strings and numbers always serialize. And if it did, the holder would
        // refuse the empty command as an unknown one.
        serde_json::to_vec(&Outgoing { version: VERSION, command: self }).unwrap_or_default()
    }

    /// Reads a command.
    ///
    /// # Errors
    ///
    /// Bytes of another version, or of something else: a passing failure, while a new version is
    /// being deployed.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, UnknownCommand> {
        match serde_json::from_slice(bytes) {
            Ok(Incoming { version: VERSION, command }) => Ok(command),
            _ => Err(UnknownCommand),
        }
    }

    /// The answer when the holder cannot carry it out just now.
    #[must_use]
    pub fn unavailable(&self, now: Timestamp) -> Answer {
        match self {
            Self::Publish(publish) => publish.unavailable(),
            Self::Subscribe(subscribe) => subscribe.unavailable(now),
            Self::List(list) => list.unavailable(),
            Self::CheckHealth(check) => check.unavailable(),
        }
    }
}
