//! One transaction: what it appends and notes, and what it drops so that the log keeps to its bounds.

use std::sync::Arc;
use std::time::Duration;

use cinnabar_core::feed::FollowerId;
use cinnabar_core::{Appended, Position, Subscriptions, Timestamp, Update};
use rusqlite::OptionalExtension as _;

use crate::log::database::{Database, millis, number, position};

/// How many updates a transaction drops at most, besides as many as it appends: so the log shrinks
/// after `HISTORY_SIZE` was lowered.
const SWEEP: u64 = 256;

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// How many updates.
    pub size: u64,
    /// How long each.
    pub age: Duration,
}

/// Which updates the log keeps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// The oldest, or if there is none, the position of the next one.
    pub(crate) oldest: Position,
    /// The newest that there ever was.
    pub(crate) newest: Position,
}

/// What is appended.
pub(crate) enum Entry {
    Update(Arc<Update>),
    /// The events of these beginnings, with a note that the subscriptions are active.
    Begin(Subscriptions),
    /// The same for those of a follower; nothing for what is noted already.
    BeginFor(FollowerId, Subscriptions),
    /// A note that what a follower holds is nobody's.
    Disown(FollowerId),
    /// The events of the ends of those that are noted as active.
    End(Subscriptions),
}

impl Entry {
    /// Whether it says that streams came or went.
    pub(crate) fn is_note(&self) -> bool {
        !matches!(self, Self::Update(_))
    }

    /// Roughly how many bytes it takes.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Update(update) => update.size(),
            Self::Begin(subscriptions)
            | Self::BeginFor(_, subscriptions)
            | Self::End(subscriptions) => subscriptions.size(),
            Self::Disown(_) => 0,
        }
    }
}

/// Appends entries and drops what need not be kept, all or nothing. Returns what is kept then, which
/// is durable, and the updates that were appended.
pub(crate) fn commit<'a>(
    database: &mut Database,
    before: Bounds,
    entries: impl Iterator<Item = &'a Entry>,
    retention: Retention,
    now: Timestamp,
) -> rusqlite::Result<(Bounds, Vec<Appended>)> {
    let transaction = database.connection.unchecked_transaction()?;
    let mut newest = before.newest;
    let mut updates = Vec::new();
    let mut append = |update: Arc<Update>| {
        newest = newest.next();
        insert(database, newest, &update, now)?;
        updates.push(Appended { position: newest, update });
        Ok::<_, rusqlite::Error>(newest)
    };
    for entry in entries {
        match entry {
            Entry::Update(update) => {
                append(Arc::clone(update))?;
            }
            Entry::Begin(subscriptions) => {
                for one in subscriptions.iter() {
                    let position = append(one.beginning().into())?;
                    database.note(position, &one)?;
                }
            }
            Entry::BeginFor(follower, subscriptions) => {
                for one in subscriptions.iter() {
                    if !database.is_noted(&one)? {
                        let position = append(one.beginning().into())?;
                        database.note(position, &one)?;
                        database.hold(*follower, &one)?;
                    }
                }
            }
            Entry::Disown(follower) => database.disown(*follower)?,
            Entry::End(subscriptions) => {
                for one in subscriptions.iter() {
                    if database.strike(&one)? {
                        append(one.end().into())?;
                    }
                }
            }
        }
    }
    let appended = newest.get() - before.newest.get();
    let most = Position::new(before.oldest.back(1).get() + appended + SWEEP).min(newest);
    let excess = newest.back(retention.size);
    let expired = expired(database, most, now.minus(retention.age))?;
    let last = excess.max(expired).min(most);
    let oldest = drop_through(database, last, Bounds { newest, ..before })?;
    transaction.commit()?;
    Ok((Bounds { oldest, newest }, updates))
}

fn insert(
    database: &Database,
    position: Position,
    update: &Update,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let query = "INSERT INTO updates VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let stored = update.store();
    database.connection.prepare_cached(query)?.execute((
        number(position),
        millis(now),
        stored.id,
        stored.topics,
        stored.targets,
        stored.private,
        stored.event_type,
        stored.retry,
        stored.data.as_bytes(),
    ))?;
    Ok(())
}

/// The last update of those up to `most` that was appended at a moment or before it.
fn expired(database: &Database, most: Position, by: Timestamp) -> rusqlite::Result<Position> {
    let query = "SELECT position FROM updates WHERE position <= ? AND appended > ? ORDER BY position LIMIT 1";
    let mut statement = database.connection.prepare_cached(query)?;
    let kept: Option<i64> =
        statement.query_row((number(most), millis(by)), |row| row.get(0)).optional()?;
    Ok(kept.map_or(most, |kept| position(kept).back(1)))
}

/// Drops everything up to `last`. Returns the oldest update that is left.
fn drop_through(database: &Database, last: Position, bounds: Bounds) -> rusqlite::Result<Position> {
    if last < bounds.oldest {
        return Ok(bounds.oldest);
    }
    if last == bounds.newest {
        // No row is left to tell which number was the last, and it must not be used again.
        database.set_fact("last_position", number(last))?;
    }
    let query = "DELETE FROM updates WHERE position <= ?";
    database.connection.prepare_cached(query)?.execute([number(last)])?;
    Ok(last.next())
}
