//! Who is here: what the log notes as active, beside its updates.
//!
//! An event and its note are written in one transaction. So a killed object leaves no note without a
//! beginning; but it leaves those of streams that were cut with it. They are older than the object that
//! comes after it, which lists none of them, and tells their ends. Streams that a follower holds live on,
//! and so do their notes, until the follower is gone: then they are nobody's.

use std::sync::Arc;

use cinnabar_core::feed::FollowerId;
use cinnabar_core::{
    ActiveSubscription, Appended, CursorKey, EventId, List, Listing, Position, Subscriptions,
    Timestamp, Update,
};
use worker::{Result, SqlStorageValue as Value, console_error};

use crate::log::{Log, number, position};

/// How many rows one query reads, at most. Every query is read to its end.
const BATCH: i64 = 250;

impl Log {
    /// Appends the events of the beginnings of these subscriptions, and notes that they are active: all
    /// of it or nothing.
    pub(crate) fn register(&self, all: &Subscriptions, now: Timestamp) -> Result<Vec<Appended>> {
        self.together(|| all.iter().map(|one| self.note(&one, None, now)).collect())
    }

    /// The same for a follower, which may ask twice: what is noted already stays as it is.
    pub(crate) fn register_for(
        &self,
        follower: FollowerId,
        all: &Subscriptions,
        now: Timestamp,
    ) -> Result<Vec<Appended>> {
        self.together(|| {
            let mut begun = Vec::new();
            for one in all.iter() {
                if !self.is_noted(&one)? {
                    begun.push(self.note(&one, Some(follower), now)?);
                }
            }
            Ok(begun)
        })
    }

    fn is_noted(&self, one: &ActiveSubscription) -> Result<bool> {
        let query = "SELECT position FROM subscriptions WHERE topic = ?";
        Ok(self.row(query, vec![one.topic().into()])?.is_some())
    }

    fn note(
        &self,
        one: &ActiveSubscription,
        follower: Option<FollowerId>,
        now: Timestamp,
    ) -> Result<Appended> {
        let begun = self.tell(one.beginning(), now)?;
        let follower = follower.map(|follower| follower.to_string());
        let row =
            vec![number(begun.position), one.topic().into(), one.record().into(), follower.into()];
        self.sql().exec("INSERT INTO subscriptions VALUES (?, ?, ?, ?)", row)?;
        Ok(begun)
    }

    /// The followers whose subscriptions are noted as active. It reads a row for each, however many it holds.
    pub(crate) fn followers(&self) -> Result<Vec<FollowerId>> {
        let query = "SELECT MIN(follower) FROM subscriptions WHERE follower > ?";
        let (mut followers, mut last) = (Vec::new(), String::new());
        while let Some(row) = self.row(query, vec![last.into()])?
            && let Ok([Value::String(next)]) = <[Value; 1]>::try_from(row)
        {
            followers.extend(FollowerId::restored(&next));
            last = next;
        }
        Ok(followers)
    }

    /// A follower does not come back: what it held, and began up to here, is nobody's.
    pub(crate) fn disown(&self, follower: FollowerId, through: Position) -> Result<()> {
        let query = "UPDATE subscriptions SET follower = '' WHERE follower = ? AND position <= ?";
        self.sql().exec(query, vec![follower.to_string().into(), number(through)])?;
        Ok(())
    }

    /// Appends the events of the ends of those that are noted as active, and notes them no longer: all
    /// of it or nothing.
    pub(crate) fn unregister(&self, all: &Subscriptions, now: Timestamp) -> Result<Vec<Appended>> {
        self.together(|| {
            let mut ended = Vec::new();
            for one in all.iter() {
                if self.strike(&one)? {
                    ended.push(self.tell(one.end(), now)?);
                }
            }
            Ok(ended)
        })
    }

    fn tell(&self, event: Update, now: Timestamp) -> Result<Appended> {
        let position = self.append(&event, now)?;
        Ok(Appended { position, update: Arc::new(event) })
    }

    /// Notes that a subscription is active no longer. Returns whether it was.
    fn strike(&self, ended: &ActiveSubscription) -> Result<bool> {
        let query = "DELETE FROM subscriptions WHERE topic = ? RETURNING position";
        let struck: Result<Vec<_>> =
            self.sql().exec(query, vec![ended.topic().into()])?.raw().collect();
        Ok(!struck?.is_empty())
    }

    /// Some of what is nobody's: what a follower held that is gone, or an earlier object. The oldest
    /// that began behind this position, and the position behind which it goes on. `None` if that is all.
    pub(crate) fn left_behind(
        &self,
        after: Position,
    ) -> Result<Option<(Vec<ActiveSubscription>, Position)>> {
        // Asked for both at once, SQLite would read all rows of both to find the first ones.
        let query = "
            SELECT * FROM (
                SELECT position, topic, record FROM subscriptions
                WHERE follower = '' AND position > ? ORDER BY position LIMIT ?
            ) UNION ALL SELECT * FROM (
                SELECT position, topic, record FROM subscriptions
                WHERE follower IS NULL AND position > ? AND position <= ? ORDER BY position LIMIT ?
            ) ORDER BY position LIMIT ?";
        let (after, batch) = (number(after), Value::Integer(BATCH));
        let bindings =
            vec![after.clone(), batch.clone(), after, number(self.opened()), batch.clone(), batch];
        let rows: Result<Vec<_>> =
            self.sql().exec(query, bindings)?.raw().map(|row| read(row?)).collect();
        let rows = rows?;
        let last = rows.last().map(|(at, _)| *at);
        Ok(last.map(|last| (rows.into_iter().filter_map(|(_, one)| one).collect(), last)))
    }

    /// What is noted of what was asked for, in the order of its beginning; `None` for a page that this
    /// log has no mark for.
    pub(crate) fn list(&self, list: &List, key: &CursorKey) -> Result<Option<Listing>> {
        let mut after = match list.after() {
            None => Position::START,
            Some(mark) => match key.marked(mark) {
                Some(after) => after,
                None => return Ok(None),
            },
        };
        let query = "SELECT id FROM updates ORDER BY position DESC LIMIT 1";
        let newest = match self.row(query, vec![])?.as_deref() {
            Some([Value::String(id)]) => Some(EventId::restored(id)),
            _ => None,
        };
        let mut listing = list.begin(newest);
        let [first, end] = list.topics();
        // For the sake of the order, SQLite would read all rows to find those of one collection. With
        // the plus sign it reads those, and sorts them.
        let by = if list.collection().is_some() { "+position" } else { "position" };
        let query = format!(
            "SELECT position, topic, record FROM subscriptions WHERE topic >= ? AND topic < ? AND {by} > ? AND (follower <> '' OR (follower IS NULL AND {by} > ?)) ORDER BY {by} LIMIT ?"
        );
        loop {
            let bindings = vec![
                first.as_str().into(),
                end.as_str().into(),
                number(after),
                number(self.opened()),
                Value::Integer(BATCH),
            ];
            let mut rows = self.sql().exec(&query, bindings)?.raw().peekable();
            if rows.peek().is_none() {
                return Ok(Some(listing));
            }
            while let Some(row) = rows.next() {
                let (at, found) = read(row?)?;
                if let Some(found) = found
                    && !listing.offer(found, key.mark(at))
                {
                    rows.for_each(drop);
                    return Ok(Some(listing));
                }
                after = at;
            }
        }
    }
}

/// A row: where its subscription began, and the subscription, unless another version wrote it. Such a
/// row is left alone, and what it says is nobody's business.
fn read(row: Vec<Value>) -> Result<(Position, Option<ActiveSubscription>)> {
    match row.as_slice() {
        [Value::Integer(at), Value::String(topic), Value::String(record)] => {
            let restored = ActiveSubscription::restored(topic, record);
            if restored.is_none() {
                console_error!("the subscription that began at {at} cannot be read");
            }
            Ok((position(*at), restored))
        }
        _ => Err("a subscription of another shape".into()),
    }
}
