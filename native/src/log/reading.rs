//! How streams read the log: where something is, and what is in a stretch of it.

use cinnabar_core::{
    EventId, Fetch, Located, Location, Offer, Page, Pager, Place, Position, StoredUpdate,
    Subscribe, Update,
};
use rusqlite::{OptionalExtension as _, ToSql};

use crate::log::database::{COLUMNS, Database, Kept, number, position, timestamp};
use crate::log::error::LogError;

impl Database {
    /// Answers what a stream asks before it begins. Updates are dropped from the oldest on, so all
    /// that followed one that is kept is kept as well.
    pub(crate) fn locate(&self, location: &Location) -> Result<Located, LogError> {
        let _of_one_moment = self.connection.unchecked_transaction()?;
        let found = match location {
            Location::Told(place) if self.oldest()? <= place.position.next() => {
                return Ok(Located::Kept);
            }
            Location::Told(_) => None,
            Location::Ids { ids, floor } => self.find_first(ids, *floor)?,
            Location::Floor { floor, .. } => {
                let found = self.find("WHERE position = ?", number(*floor))?;
                return match found {
                    Some(found) => Ok(found),
                    None => Ok(Located::Oldest(self.oldest()?)),
                };
            }
            Location::Newest(newest) => {
                self.find("WHERE position <= ? ORDER BY position DESC LIMIT 1", number(*newest))?
            }
        };
        Ok(found.unwrap_or(Located::Unknown))
    }

    fn find_first(&self, ids: &[EventId], floor: Position) -> rusqlite::Result<Option<Located>> {
        for id in ids {
            match self.find("WHERE id = ? ORDER BY position LIMIT 1", id.as_str())? {
                Some(Located::Found(place, id)) if place.position >= floor => {
                    return Ok(Some(Located::Found(place, id)));
                }
                _ => {}
            }
        }
        Ok(None)
    }

    fn find(&self, which: &str, binding: impl ToSql) -> rusqlite::Result<Option<Located>> {
        let query = format!("SELECT position, id, appended FROM updates {which}");
        let mut statement = self.connection.prepare_cached(&query)?;
        let found = statement.query_row([binding], |row| {
            let place = Place { position: position(row.get(0)?), since: timestamp(row.get(2)?) };
            Ok(Located::Found(place, EventId::restored(&row.get::<_, String>(1)?)))
        });
        found.optional()
    }

    /// Reads a page for a subscriber, or of everything. The data of updates that are not wanted stays on
    /// disk.
    pub(crate) fn page(
        &self,
        fetch: &Fetch,
        subscription: Option<&Subscribe>,
    ) -> Result<Page, LogError> {
        let _of_one_moment = self.connection.unchecked_transaction()?;
        let oldest = self.oldest()?;
        let mut pager = Pager::of(fetch, subscription);
        let query = format!(
            "SELECT {COLUMNS} FROM updates WHERE position > ? AND position <= ? ORDER BY position"
        );
        let mut statement = self.connection.prepare_cached(&query)?;
        let mut rows = statement.query([number(fetch.after), number(fetch.through)])?;
        while let Some(row) = rows.next()? {
            let Kept { position, appended, stored, data_length } = Kept::read(row)?;
            match pager.offer(position, appended, &stored, data_length) {
                Offer::Take => {
                    let data = self.data(position)?;
                    pager.take(position, Update::restore(StoredUpdate { data, ..stored }));
                }
                Offer::Skip => {}
                Offer::Full => return Ok(pager.cut(oldest)),
            }
        }
        Ok(pager.complete(oldest))
    }

    /// Every update after a position.
    pub(crate) fn after(&self, after: Position) -> Result<Vec<(Position, Update)>, LogError> {
        let query = format!("SELECT {COLUMNS} FROM updates WHERE position > ? ORDER BY position");
        let mut statement = self.connection.prepare_cached(&query)?;
        let mut rows = statement.query([number(after)])?;
        let mut updates = Vec::new();
        while let Some(row) = rows.next()? {
            let Kept { position, stored, .. } = Kept::read(row)?;
            let data = self.data(position)?;
            updates.push((position, Update::restore(StoredUpdate { data, ..stored })));
        }
        Ok(updates)
    }

    /// Fails unless what a check of the log's health writes can be read.
    pub(crate) fn require_health(&self) -> Result<(), LogError> {
        let missing = || LogError::Unreadable("what was written cannot be read".to_owned());
        self.fact::<i64>("health")?.map(drop).ok_or_else(missing)
    }

    fn data(&self, position: Position) -> Result<String, LogError> {
        let query = "SELECT data FROM updates WHERE position = ?";
        let mut statement = self.connection.prepare_cached(query)?;
        let data: Vec<u8> = statement.query_row([number(position)], |row| row.get(0))?;
        String::from_utf8(data).map_err(|error| {
            LogError::Unreadable(format!("the data of update {position:?} is not UTF-8: {error}"))
        })
    }
}
