//! The log of updates, in the object's SQLite database.
//!
//! Positions are numbered here: the object is the only writer, so the next one is known in memory.
//! None is ever used twice, even after all history has expired.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use cinnabar_core::{
    CursorKey, EventId, Fetch, Located, Location, Offer, Page, Pager, Place, Position,
    StoredUpdate, Subscribe, Timestamp, Update,
};
use worker::{Error, Result, SqlStorage, SqlStorageValue as Value};

use crate::object::Object;
use crate::platform;

/// The version of the schema. A database of another version is not touched.
const SCHEMA: i64 = 2;

const FACTS: &str = "CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value) WITHOUT ROWID";

const UPDATES: &str = "
CREATE TABLE IF NOT EXISTS updates (
    position INTEGER PRIMARY KEY,
    appended INTEGER NOT NULL, -- milliseconds since the Unix epoch
    id TEXT NOT NULL,
    topics TEXT NOT NULL, -- one a line
    targets TEXT NOT NULL, -- one per line; empty if there are none
    private INTEGER NOT NULL,
    event_type TEXT,
    retry INTEGER,
    data BLOB NOT NULL -- UTF-8, which may hold NULs
);
CREATE INDEX IF NOT EXISTS updates_by_id ON updates (id, position);
";

/// Who is here: see [`presence`](crate::presence). Schema 1 had no more than this, or not even that.
const SUBSCRIPTIONS: &str = "
CREATE TABLE IF NOT EXISTS subscriptions (
    position INTEGER PRIMARY KEY, -- of the event of its beginning
    topic TEXT NOT NULL,
    record TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS subscriptions_by_topic ON subscriptions (topic);
";

/// Which follower of the log holds it. None: this object. Empty: nobody. In the index, those of each are in
/// the order of their positions.
const FOLLOWERS: &str = "
ALTER TABLE subscriptions ADD COLUMN follower TEXT;
CREATE INDEX subscriptions_by_follower ON subscriptions (follower);
";

/// How many rows of a page one query reads, at most. Every query is read to its end: SQLite takes
/// nothing out of its write-ahead log while a query is open, and one that is left half-read stays
/// open until JavaScript's garbage is collected.
const BATCH: i64 = 16;

/// How many updates are dropped at most for each that is appended: more than one, so that the log
/// shrinks after `HISTORY_SIZE` was lowered.
const APPEND_SWEEP: u64 = 32;

/// How many updates an alarm drops before it lets others run.
const ALARM_SWEEP: u64 = 1_000;

pub(crate) struct Log {
    object: Rc<Object>,
    sql: SqlStorage,
    size: u64,
    age: Duration,
    newest: Cell<Position>,
    /// The newest update when it was opened.
    opened: Cell<Position>,
    /// The oldest update kept; if there is none, the position of the next one.
    oldest: Cell<Position>,
    /// The oldest update is not too old before this.
    expires: Cell<Timestamp>,
}

impl Log {
    /// Opens the log, and creates it if there is none.
    pub(crate) fn open(object: Rc<Object>, size: u64, age: Duration) -> Result<Self> {
        let sql = object.sql();
        sql.exec(FACTS, None)?;
        let log = Self {
            object,
            sql,
            size,
            age,
            newest: Cell::new(Position::START),
            opened: Cell::new(Position::START),
            oldest: Cell::new(Position::START),
            expires: Cell::default(),
        };
        match log.fact("schema")? {
            None | Some(Value::Integer(1)) => log.object.transaction(|| {
                log.sql.exec(SUBSCRIPTIONS, None)?;
                log.sql.exec(FOLLOWERS, None)?;
                log.set_fact("schema", Value::Integer(SCHEMA))
            })?,
            Some(Value::Integer(SCHEMA)) => {}
            Some(other) => {
                return Err(format!("the log has schema {other:?}, and this hub knows {SCHEMA}; deploy the version that made it, or a newer one").into());
            }
        }
        log.sql.exec(UPDATES, None)?;
        // In separate queries: SQLite can look up one of them, but would read all rows to find both.
        let row = log.row(
            "SELECT (SELECT MIN(position) FROM updates), (SELECT MAX(position) FROM updates)",
            vec![],
        )?;
        match row.as_deref() {
            Some([Value::Integer(oldest), Value::Integer(newest)]) => {
                log.oldest.set(position(*oldest));
                log.newest.set(position(*newest));
            }
            _ => {
                let last = match log.fact("last_position")? {
                    Some(Value::Integer(last)) => position(last),
                    _ => Position::START,
                };
                log.newest.set(last);
                log.oldest.set(last.next());
            }
        }
        log.opened.set(log.newest.get());
        Ok(log)
    }

    pub(crate) fn sql(&self) -> &SqlStorage {
        &self.sql
    }

    /// The newest update when it was opened.
    pub(crate) fn opened(&self) -> Position {
        self.opened.get()
    }

    /// The newest update, durable or not.
    pub(crate) fn newest(&self) -> Position {
        self.newest.get()
    }

    /// The key of this log's cursors, created with it.
    pub(crate) fn cursor_key(&self) -> Result<CursorKey> {
        let bytes = match self.fact("cursor_key")? {
            Some(Value::Blob(bytes)) => {
                bytes.try_into().map_err(|_| Error::from("the cursor key has the wrong length"))?
            }
            _ => {
                let bytes: [u8; 16] = platform::entropy()?;
                self.set_fact("cursor_key", Value::Blob(bytes.to_vec()))?;
                bytes
            }
        };
        Ok(CursorKey::from_bytes(bytes))
    }

    /// Appends an update, which is durable once storage has synced. If this fails, nothing was
    /// appended.
    pub(crate) fn append(&self, update: &Update, now: Timestamp) -> Result<Position> {
        let appended = self.newest.get().next();
        let stored = update.store();
        self.sql.exec(
            "INSERT INTO updates VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            vec![
                number(appended),
                millis(now),
                Value::String(stored.id),
                Value::String(stored.topics),
                Value::String(stored.targets),
                Value::Integer(stored.private.into()),
                stored.event_type.into(),
                stored.retry.map(i64::from).into(),
                Value::Blob(stored.data.into_bytes()),
            ],
        )?;
        self.newest.set(appended);
        Ok(appended)
    }

    /// Has something append several updates, and write what belongs to them: all of it, or if that
    /// fails, nothing.
    pub(crate) fn together<T>(&self, write: impl FnMut() -> Result<T>) -> Result<T> {
        let newest = self.newest.get();
        self.object.transaction(write).inspect_err(|_| self.newest.set(newest))
    }

    /// Drops some of what so many appended updates made superfluous: updates beyond the size of the
    /// history, and those that are too old.
    pub(crate) fn trim(&self, appended: u64, now: Timestamp) -> Result<()> {
        let most = appended * APPEND_SWEEP;
        let excess = self.newest.get().back(self.size);
        let bound = self.oldest.get().back(1).get() + most;
        self.drop_through(excess.min(Position::new(bound)))?;
        self.expire(now, most)
    }

    /// Drops updates that are too old, as many as one alarm may drop.
    pub(crate) fn sweep(&self, now: Timestamp) -> Result<()> {
        self.expire(now, ALARM_SWEEP)
    }

    /// Drops updates that are too old, oldest first and at most `most`. It reads those and one more:
    /// on Cloudflare, each row read costs money.
    fn expire(&self, now: Timestamp, most: u64) -> Result<()> {
        if now < self.expires.get() {
            return Ok(());
        }
        let last = Position::new(self.oldest.get().back(1).get() + most).min(self.newest.get());
        let kept = self.row(
            "SELECT position, appended FROM updates WHERE position <= ? AND appended > ? ORDER BY position LIMIT 1",
            vec![number(last), millis(now.minus(self.age))],
        )?;
        self.drop_through(match kept.as_deref() {
            Some([Value::Integer(kept), Value::Integer(appended)]) => {
                self.expires.set(timestamp(*appended).plus(self.age));
                position(*kept).back(1)
            }
            _ => last,
        })
    }

    fn drop_through(&self, last: Position) -> Result<()> {
        if last < self.oldest.get() {
            return Ok(());
        }
        if last == self.newest.get() {
            // No row is left to tell which number was the last, and it must not be used again.
            self.set_fact("last_position", number(last))?;
        }
        self.sql.exec("DELETE FROM updates WHERE position <= ?", vec![number(last)])?;
        self.oldest.set(last.next());
        Ok(())
    }

    /// How long until an alarm should sweep, if there is anything to sweep: until the oldest update
    /// is too old, and a little longer, so that the updates of a steady trickle share an alarm.
    pub(crate) fn next_sweep(&self, now: Timestamp) -> Result<Option<Duration>> {
        let oldest = self.row(
            "SELECT appended FROM updates WHERE position = ?",
            vec![number(self.oldest.get())],
        )?;
        let Some([Value::Integer(appended)]) = oldest.as_deref() else { return Ok(None) };
        let expires = timestamp(*appended).plus(self.age);
        let wait = expires.since(now);
        Ok(Some(if wait.is_zero() { wait } else { wait + self.age / 64 }))
    }

    /// Answers what a stream asks before it begins. Updates are dropped from the oldest on, so all
    /// that followed one that is kept is kept as well.
    pub(crate) fn locate(&self, location: Location) -> Result<Located> {
        let found = match location {
            Location::Told(place) if self.oldest.get() <= place.position.next() => {
                return Ok(Located::Kept);
            }
            Location::Told(_) => None,
            Location::Ids { ids, floor } => self.find_first(&ids, floor)?,
            Location::Floor { floor, .. } => {
                let found = self.find("WHERE position = ?", number(floor))?;
                return Ok(found.unwrap_or(Located::Oldest(self.oldest.get())));
            }
            Location::Newest(newest) => {
                self.find("WHERE position <= ? ORDER BY position DESC LIMIT 1", number(newest))?
            }
        };
        Ok(found.unwrap_or(Located::Unknown))
    }

    fn find_first(&self, ids: &[EventId], floor: Position) -> Result<Option<Located>> {
        for id in ids {
            let id = Value::String(id.as_str().to_owned());
            match self.find("WHERE id = ? ORDER BY position LIMIT 1", id)? {
                Some(Located::Found(place, id)) if place.position >= floor => {
                    return Ok(Some(Located::Found(place, id)));
                }
                _ => {}
            }
        }
        Ok(None)
    }

    fn find(&self, which: &str, binding: Value) -> Result<Option<Located>> {
        let query = format!("SELECT position, id, appended FROM updates {which}");
        Ok(match self.row(&query, vec![binding])?.as_deref() {
            Some([Value::Integer(at), Value::String(id), Value::Integer(appended)]) => {
                let place = Place { position: position(*at), since: timestamp(*appended) };
                Some(Located::Found(place, EventId::restored(id)))
            }
            _ => None,
        })
    }

    /// Reads a page, of all updates if there is no subscriber. The data of those that are not wanted
    /// stays on disk.
    pub(crate) fn page(&self, fetch: &Fetch, subscriber: Option<&Subscribe>) -> Result<Page> {
        let oldest = self.oldest.get();
        let mut pager = Pager::of(fetch, subscriber);
        while pager.reached() < fetch.through {
            let query = "SELECT position, appended, id, topics, targets, private, event_type, retry, LENGTH(data) FROM updates WHERE position > ? AND position <= ? ORDER BY position LIMIT ?";
            let (after, through) = (number(pager.reached()), number(fetch.through));
            let bindings = vec![after, through, Value::Integer(BATCH)];
            let mut rows = self.sql.exec(query, bindings)?.raw().peekable();
            if rows.peek().is_none() {
                break;
            }
            while let Some(row) = rows.next() {
                let Row { position, appended, stored, data_length } = Row::read(row?)?;
                match pager.offer(position, appended, &stored, data_length) {
                    Offer::Take => {
                        let data = self.data(position)?;
                        pager.take(position, Update::restore(StoredUpdate { data, ..stored }));
                    }
                    Offer::Skip => {}
                    Offer::Full => {
                        rows.for_each(drop);
                        return Ok(pager.cut(oldest));
                    }
                }
            }
        }
        Ok(pager.complete(oldest))
    }

    fn data(&self, position: Position) -> Result<String> {
        let query = "SELECT data FROM updates WHERE position = ?";
        match self.row(query, vec![number(position)])?.map(<[Value; 1]>::try_from) {
            Some(Ok([Value::Blob(data)])) => {
                String::from_utf8(data).map_err(|error| Error::from(error.to_string()))
            }
            _ => Err("an update without data".into()),
        }
    }

    /// Writes its own row, and reads it back.
    pub(crate) fn check_health(&self, now: Timestamp) -> Result<()> {
        self.set_fact("health", millis(now))?;
        match self.fact("health")? {
            Some(value) if value == millis(now) => Ok(()),
            other => Err(format!("wrote {now:?} and read {other:?}").into()),
        }
    }

    fn fact(&self, name: &str) -> Result<Option<Value>> {
        let row = self.row("SELECT value FROM facts WHERE name = ?", vec![name.into()])?;
        Ok(row.and_then(|row| row.into_iter().next()))
    }

    fn set_fact(&self, name: &str, value: Value) -> Result<()> {
        self.sql.exec("INSERT OR REPLACE INTO facts VALUES (?, ?)", vec![name.into(), value])?;
        Ok(())
    }

    pub(crate) fn row(&self, query: &str, bindings: Vec<Value>) -> Result<Option<Vec<Value>>> {
        self.sql.exec(query, bindings)?.raw().next().transpose()
    }
}

/// An update as the log keeps it, without its data.
struct Row {
    position: Position,
    appended: Timestamp,
    stored: StoredUpdate,
    data_length: usize,
}

impl Row {
    fn read(row: Vec<Value>) -> Result<Self> {
        let row: [Value; 9] = row.try_into().map_err(|_| Error::from("a row of another shape"))?;
        let [
            Value::Integer(at),
            Value::Integer(appended),
            Value::String(id),
            Value::String(topics),
            Value::String(targets),
            Value::Integer(private),
            event_type,
            retry,
            Value::Integer(data_length),
        ] = row
        else {
            return Err("a row of other types".into());
        };
        let stored = StoredUpdate {
            id,
            topics,
            targets,
            data: String::new(),
            private: private != 0,
            event_type: match event_type {
                Value::String(name) => Some(name),
                _ => None,
            },
            retry: match retry {
                Value::Integer(retry) => u32::try_from(retry).ok(),
                _ => None,
            },
        };
        let data_length = usize::try_from(data_length).unwrap_or(usize::MAX);
        Ok(Self { position: position(at), appended: timestamp(appended), stored, data_length })
    }
}

pub(crate) fn position(number: i64) -> Position {
    Position::new(number.unsigned_abs())
}

/// Positions and times stay far below 2^53, up to which JavaScript counts exactly.
pub(crate) fn number(position: Position) -> Value {
    Value::Integer(i64::try_from(position.get()).unwrap_or(i64::MAX))
}

fn timestamp(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis.unsigned_abs())
}

fn millis(time: Timestamp) -> Value {
    Value::Integer(i64::try_from(time.as_millis()).unwrap_or(i64::MAX))
}
