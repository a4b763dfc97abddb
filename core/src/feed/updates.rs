//! Updates as bytes, one after another:
//!
//! ```text
//!  position   flags   id, topics, targets, data         event type    retry
//!  8 bytes    1       each: 4 bytes of length, UTF-8    likewise      4 bytes
//! ```
//!
//! The last two are there if a flag says so. Numbers are big-endian.

use std::sync::Arc;

use crate::streams::history::Appended;
use crate::terms::cursor::Position;
use crate::terms::update::{StoredUpdate, Update};

const PRIVATE: u8 = 1;
const EVENT_TYPE: u8 = 2;
const RETRY: u8 = 4;

/// Writes these updates.
pub(crate) fn write(updates: &[Appended], bytes: &mut Vec<u8>) {
    for Appended { position, update } in updates {
        let stored = update.store();
        let flags = if stored.private { PRIVATE } else { 0 }
            | if stored.event_type.is_some() { EVENT_TYPE } else { 0 }
            | if stored.retry.is_some() { RETRY } else { 0 };
        bytes.extend(position.get().to_be_bytes());
        bytes.push(flags);
        let texts = [&stored.id, &stored.topics, &stored.targets, &stored.data];
        for text in texts.into_iter().chain(&stored.event_type) {
            // A message is far shorter.
            bytes.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
            bytes.extend(text.as_bytes());
        }
        bytes.extend(stored.retry.iter().flat_map(|retry| retry.to_be_bytes()));
    }
}

/// Reads updates until there are no bytes left; `None` if they are something else.
pub(crate) fn read(bytes: &[u8]) -> Option<Vec<Appended>> {
    let mut rest = Rest(bytes);
    let mut updates = Vec::new();
    while !rest.0.is_empty() {
        updates.push(rest.update()?);
    }
    Some(updates)
}

/// What is still to be read.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn update(&mut self) -> Option<Appended> {
        let position = Position::new(u64::from_be_bytes(self.take()?));
        let [flags] = self.take()?;
        if flags & !(PRIVATE | EVENT_TYPE | RETRY) != 0 {
            return None;
        }
        let stored = StoredUpdate {
            id: self.text()?,
            topics: self.text()?,
            targets: self.text()?,
            data: self.text()?,
            private: flags & PRIVATE != 0,
            event_type: if flags & EVENT_TYPE == 0 { None } else { Some(self.text()?) },
            retry: if flags & RETRY == 0 { None } else { Some(u32::from_be_bytes(self.take()?)) },
        };
        // Every update has one.
        stored.each_topic().next()?;
        Some(Appended { position, update: Arc::new(Update::restore(stored)) })
    }

    fn text(&mut self) -> Option<String> {
        let length = usize::try_from(u32::from_be_bytes(self.take()?)).ok()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        String::from_utf8(text.to_vec()).ok()
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }
}
