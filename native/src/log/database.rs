//! The database: its file, its tables, and how an update is a row.

use std::path::Path;
use std::time::Duration;

use cinnabar_core::{CursorKey, Position, StoredUpdate, Timestamp};
use rusqlite::config::DbConfig;
use rusqlite::types::{FromSql, ToSql};
use rusqlite::{Connection, OptionalExtension as _, Row};

use crate::log::error::LogError;

/// The version of the schema. A database of another version is not touched.
const SCHEMA: i64 = 1;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS updates (
    position INTEGER PRIMARY KEY,
    appended INTEGER NOT NULL, -- milliseconds since the Unix epoch
    id TEXT NOT NULL,
    topics TEXT NOT NULL, -- one a line
    targets TEXT NOT NULL, -- one a line; empty if there are none
    private INTEGER NOT NULL,
    event_type TEXT,
    retry INTEGER,
    data BLOB NOT NULL -- UTF-8, which may hold NULs
);
CREATE INDEX IF NOT EXISTS updates_by_id ON updates (id, position);
";

/// Who is here: see [`presence`](super::presence).
const SUBSCRIPTIONS: &str = "
CREATE TABLE IF NOT EXISTS subscriptions (
    position INTEGER PRIMARY KEY, -- of the event of its beginning
    topic TEXT NOT NULL,
    record TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS subscriptions_by_topic ON subscriptions (topic);
";

/// Which followers hold the subscriptions that this process does not hold itself; it is empty for those of
/// followers that are gone, which have to be ended. Versions without it leave it alone.
const HELD: &str = "
CREATE TABLE IF NOT EXISTS held (topic TEXT PRIMARY KEY, follower TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS held_by_follower ON held (follower);
DELETE FROM held WHERE topic NOT IN (SELECT topic FROM subscriptions);
";

/// How long to wait for another program that looks into the database.
const BUSY: Duration = Duration::from_secs(5);

/// A connection to the database. What it reads in one transaction is of one moment.
pub(crate) struct Database {
    pub(crate) connection: Connection,
}

impl Database {
    /// Opens the database in a file, and makes it durable: what is committed survives the machine's
    /// loss of power.
    pub(crate) fn open(path: &Path) -> Result<Self, LogError> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY)?;
        // Nothing of another program's is changed: closing would move what is in its WAL.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        require_ours(&connection)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // Every commit is synced. In WAL mode the default would leave that to checkpoints.
        connection.pragma_update(None, "synchronous", "FULL")?;
        // On macOS, nothing else reaches the disk itself.
        connection.pragma_update(None, "fullfsync", true)?;
        Ok(Self { connection })
    }

    /// A database in memory, which goes with the connection.
    pub(crate) fn in_memory() -> Result<Self, LogError> {
        Ok(Self { connection: Connection::open_in_memory()? })
    }

    /// Creates the tables, unless they are there.
    pub(crate) fn create_tables(&mut self) -> Result<(), LogError> {
        let transaction = self.connection.transaction()?;
        if version(&transaction)? == SCHEMA {
            // Earlier versions had no table of subscriptions, and do not mind it.
            transaction.execute_batch(SUBSCRIPTIONS)?;
            transaction.execute_batch(HELD)?;
            return Ok(transaction.commit()?);
        }
        transaction.execute_batch(TABLES)?;
        transaction.execute_batch(SUBSCRIPTIONS)?;
        transaction.execute_batch(HELD)?;
        transaction.pragma_update(None, "user_version", SCHEMA)?;
        Ok(transaction.commit()?)
    }

    /// The key of this log's cursors; `fresh` if it has none yet.
    pub(crate) fn cursor_key(&self, fresh: [u8; 16]) -> Result<CursorKey, LogError> {
        let bytes = match self.fact("cursor_key")? {
            Some(bytes) => bytes,
            None => {
                self.set_fact("cursor_key", fresh)?;
                fresh
            }
        };
        Ok(CursorKey::from_bytes(bytes))
    }

    /// The oldest update that is kept, or if none is, the position of the next one.
    pub(crate) fn oldest(&self) -> rusqlite::Result<Position> {
        match self.end_of("MIN")? {
            Some(oldest) => Ok(oldest),
            None => Ok(self.last_position()?.next()),
        }
    }

    /// The newest update that there ever was.
    pub(crate) fn newest(&self) -> rusqlite::Result<Position> {
        match self.end_of("MAX")? {
            Some(newest) => Ok(newest),
            None => self.last_position(),
        }
    }

    fn end_of(&self, function: &str) -> rusqlite::Result<Option<Position>> {
        let query = format!("SELECT {function}(position) FROM updates");
        let mut statement = self.connection.prepare_cached(&query)?;
        let end: Option<i64> = statement.query_row([], |row| row.get(0))?;
        Ok(end.map(position))
    }

    /// The last number that was used when the log became empty.
    fn last_position(&self) -> rusqlite::Result<Position> {
        Ok(self.fact("last_position")?.map_or(Position::START, position))
    }

    pub(crate) fn fact<T: FromSql>(&self, name: &str) -> rusqlite::Result<Option<T>> {
        let mut statement =
            self.connection.prepare_cached("SELECT value FROM facts WHERE name = ?")?;
        statement.query_row([name], |row| row.get(0)).optional()
    }

    pub(crate) fn set_fact(&self, name: &str, value: impl ToSql) -> rusqlite::Result<()> {
        let query = "INSERT OR REPLACE INTO facts VALUES (?, ?)";
        self.connection.prepare_cached(query)?.execute((name, value))?;
        Ok(())
    }
}

/// Fails unless a database is empty, or a log of this version.
fn require_ours(connection: &Connection) -> Result<(), LogError> {
    let version = version(connection)?;
    let count = |query| connection.query_row(query, [], |row| row.get::<_, i64>(0));
    let ours = "SELECT COUNT(*) FROM sqlite_schema WHERE name IN ('facts', 'updates')";
    // Any program may number its schemas.
    match version {
        0 if count("SELECT COUNT(*) FROM sqlite_schema")? == 0 => Ok(()),
        SCHEMA if count(ours)? == 2 => Ok(()),
        _ => Err(LogError::Unreadable(format!(
            "the database is not a log of this version of the hub (it has schema {version}, and this hub knows {SCHEMA}): run the version that made it, or choose another file"
        ))),
    }
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// The columns of an update without its data, which may be large and is read if it is wanted.
pub(crate) const COLUMNS: &str =
    "position, appended, id, topics, targets, private, event_type, retry, LENGTH(data)";

/// An update as the log keeps it, without its data.
pub(crate) struct Kept {
    pub(crate) position: Position,
    pub(crate) appended: Timestamp,
    pub(crate) stored: StoredUpdate,
    pub(crate) data_length: usize,
}

impl Kept {
    /// Reads a row of [`COLUMNS`].
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            position: position(row.get(0)?),
            appended: timestamp(row.get(1)?),
            stored: StoredUpdate {
                id: row.get(2)?,
                topics: row.get(3)?,
                targets: row.get(4)?,
                private: row.get(5)?,
                event_type: row.get(6)?,
                retry: row.get(7)?,
                data: String::new(),
            },
            data_length: usize::try_from(row.get::<_, i64>(8)?).unwrap_or(usize::MAX),
        })
    }
}

pub(crate) fn position(number: i64) -> Position {
    Position::new(number.unsigned_abs())
}

pub(crate) fn number(position: Position) -> i64 {
    i64::try_from(position.get()).unwrap_or(i64::MAX)
}

pub(crate) fn timestamp(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis.unsigned_abs())
}

pub(crate) fn millis(time: Timestamp) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
