//! Who is here: what the log notes as active, beside its updates and in their transactions.
//!
//! A process that was killed leaves the notes of streams that were cut with it. They are older than the
//! log is open, and no list shows them; the streams' task finds them, and tells their ends.

use cinnabar_core::{ActiveSubscription, CursorKey, EventId, List, Listing, Position};
use rusqlite::OptionalExtension as _;

use crate::log::database::{Database, number, position};
use crate::log::error::LogError;

/// How many subscriptions are read at a time for what has ended.
const FOUND: i64 = 500;

impl Database {
    /// Notes that a subscription is active, whose beginning is the event at this position.
    pub(crate) fn note(&self, at: Position, begun: &ActiveSubscription) -> rusqlite::Result<()> {
        let query = "INSERT INTO subscriptions VALUES (?, ?, ?)";
        let mut statement = self.connection.prepare_cached(query)?;
        statement.execute((number(at), begun.topic(), begun.record()))?;
        Ok(())
    }

    /// Notes that a subscription is active no longer. Returns whether it was.
    pub(crate) fn strike(&self, ended: &ActiveSubscription) -> rusqlite::Result<bool> {
        let query = "DELETE FROM subscriptions WHERE topic = ?";
        Ok(self.connection.prepare_cached(query)?.execute([ended.topic()])? > 0)
    }

    /// Some of what is noted, in the order of topics and behind this one.
    pub(crate) fn noted(&self, after: &str) -> Result<Vec<ActiveSubscription>, LogError> {
        let query =
            "SELECT topic, record FROM subscriptions WHERE topic > ? ORDER BY topic LIMIT ?";
        let mut statement = self.connection.prepare_cached(query)?;
        let rows = statement.query_map((after, FOUND), |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?;
        rows.map(|row| {
            let (topic, record) = row?;
            restored(&topic, &record)
        })
        .collect()
    }

    /// What is noted of what was asked for since the log was `opened`, in the order of its beginning;
    /// `None` for a page that this log has no mark for.
    pub(crate) fn list(
        &self,
        list: &List,
        key: &CursorKey,
        opened: Position,
    ) -> Result<Option<Listing>, LogError> {
        let after = match list.after() {
            None => opened,
            Some(mark) => match key.marked(mark) {
                Some(after) => after.max(opened),
                None => return Ok(None),
            },
        };
        let _of_one_moment = self.connection.unchecked_transaction()?;
        let query = "SELECT id FROM updates ORDER BY position DESC LIMIT 1";
        let newest: Option<String> =
            self.connection.prepare_cached(query)?.query_row([], |row| row.get(0)).optional()?;
        let mut listing = list.begin(newest.map(|id| EventId::restored(&id)));
        // For the sake of the order, SQLite would read all rows to find those of one collection. With
        // the plus sign it reads those, and sorts them.
        let by = if list.collection().is_some() { "+position" } else { "position" };
        let query = format!(
            "SELECT position, topic, record FROM subscriptions WHERE topic >= ? AND topic < ? AND {by} > ? ORDER BY {by}"
        );
        let mut statement = self.connection.prepare_cached(&query)?;
        let [first, end] = list.topics();
        let mut rows = statement.query((first, end, number(after)))?;
        while let Some(row) = rows.next()? {
            let (at, topic, record): (i64, String, String) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            if !listing.offer(restored(&topic, &record)?, key.mark(position(at))) {
                break;
            }
        }
        Ok(Some(listing))
    }
}

fn restored(topic: &str, record: &str) -> Result<ActiveSubscription, LogError> {
    let unreadable = || LogError::Unreadable(format!("the subscription {topic}: {record}"));
    ActiveSubscription::restored(topic, record).ok_or_else(unreadable)
}

#[cfg(test)]
mod tests {
    use cinnabar_core::testing::contract;

    use super::*;

    #[test]
    fn a_note_that_cannot_be_read_is_not_passed_over() {
        let mut database = Database::in_memory().unwrap();
        database.create_tables().unwrap();
        let list = contract::everybody().unwrap();
        let key = CursorKey::from_bytes([7; 16]);
        let topic = "/.well-known/mercure/subscriptions/exact/a/urn%3Auuid%3Ab";
        let query = "INSERT INTO subscriptions VALUES (1, ?, 'x')";
        database.connection.execute(query, [topic]).unwrap();
        let listed = database.list(&list, &key, Position::START);
        assert!(matches!(listed, Err(LogError::Unreadable(_))), "{listed:?}");
        // One that was left behind is not read.
        assert!(database.list(&list, &key, Position::new(1)).unwrap().is_some());
    }
}
