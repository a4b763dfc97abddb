//! What an entry that has admitted a request sends to the holder of the log.

pub(crate) mod publish;
pub(crate) mod subscribe;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

use crate::command::publish::Publish;
use crate::command::subscribe::Subscribe;
use crate::wire::answer::{Response, respond};
use crate::wire::cors::Cors;
use crate::wire::unavailable::Unavailable;

/// The version of the encoding. While a new version is deployed, entry and holder may differ for
/// a moment; they must not misunderstand each other.
const VERSION: u32 = 2;

/// An admitted request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Append an update.
    Publish(Publish),
    /// Open a stream.
    Subscribe(Subscribe),
    /// Show that the log can be written and read.
    CheckHealth(CheckHealth),
}

/// Bytes that are no command of this version.
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
        // Strings and numbers always serialize; an empty command would be refused as unknown.
        serde_json::to_vec(&Outgoing { version: VERSION, command: self }).unwrap_or_default()
    }

    /// Reads a command.
    ///
    /// # Errors
    ///
    /// Bytes of another version, or no command at all: answer as for a passing failure.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, UnknownCommand> {
        match serde_json::from_slice(bytes) {
            Ok(Incoming { version: VERSION, command }) => Ok(command),
            _ => Err(UnknownCommand),
        }
    }

    /// The answer when the holder cannot carry it out just now.
    #[must_use]
    pub fn unavailable(&self) -> Unavailable {
        match self {
            Self::Publish(publish) => Unavailable::refused(&publish.cors),
            Self::Subscribe(subscribe) => subscribe.unavailable(),
            Self::CheckHealth(check) => Unavailable::refused(&check.cors),
        }
    }
}

/// A question after the hub's health.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckHealth {
    pub(crate) cors: Cors,
}

impl CheckHealth {
    /// The answer when a row could be written and read.
    #[must_use]
    pub fn healthy(&self) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        respond(StatusCode::OK, headers, b"ok\n".to_vec(), &self.cors)
    }
}
