//! Who is here: what the log notes as active, beside its updates and in their transactions.
//!
//! A process that was killed leaves the notes of streams that were cut with it. They are older than the
//! log is open, and no list shows them; the streams' task finds them, and tells their ends.
//!
//! What a follower holds is noted as well, and whose it is. It may outlive this process.

use cinnabar_core::feed::FollowerId;
use cinnabar_core::{ActiveSubscription, CursorKey, EventId, List, Listing, Position};
use rusqlite::{OptionalExtension as _, Row};
use tracing::warn;

use crate::log::database::{Database, number, position};
use crate::log::error::LogError;

/// How many subscriptions are read at a time for what has ended.
const FOUND: usize = 500;

impl Database {
    /// Notes that a subscription is active, whose beginning is the event at this position.
    pub(crate) fn note(&self, at: Position, begun: &ActiveSubscription) -> rusqlite::Result<()> {
        let query = "INSERT INTO subscriptions VALUES (?, ?, ?)";
        let mut statement = self.connection.prepare_cached(query)?;
        statement.execute((number(at), begun.topic(), begun.record()))?;
        Ok(())
    }

    /// Whether a subscription is noted as active.
    pub(crate) fn is_noted(&self, one: &ActiveSubscription) -> rusqlite::Result<bool> {
        let query = "SELECT 1 FROM subscriptions WHERE topic = ?";
        self.connection.prepare_cached(query)?.exists([one.topic()])
    }

    /// Notes that a follower holds a subscription.
    pub(crate) fn hold(&self, by: FollowerId, one: &ActiveSubscription) -> rusqlite::Result<()> {
        let query = "INSERT OR REPLACE INTO held VALUES (?, ?)";
        self.connection.prepare_cached(query)?.execute((one.topic(), by.to_string()))?;
        Ok(())
    }

    /// Notes what a follower holds as nobody's.
    pub(crate) fn disown(&self, follower: FollowerId) -> rusqlite::Result<()> {
        let query = "UPDATE held SET follower = '' WHERE follower = ?";
        self.connection.prepare_cached(query)?.execute([follower.to_string()])?;
        Ok(())
    }

    /// Notes what followers hold as held by this process, which has none of it.
    pub(crate) fn disown_all(&self) -> rusqlite::Result<()> {
        self.connection.execute("DELETE FROM held", [])?;
        Ok(())
    }

    /// The followers that hold something.
    pub(crate) fn followers(&self) -> rusqlite::Result<Vec<FollowerId>> {
        let query = "SELECT DISTINCT follower FROM held WHERE follower <> ''";
        let mut statement = self.connection.prepare_cached(query)?;
        let names = statement.query_map([], |row| row.get::<_, String>(0))?;
        let names: rusqlite::Result<Vec<String>> = names.collect();
        Ok(names?.iter().filter_map(|name| FollowerId::restored(name)).collect())
    }

    /// Some of what is nobody's.
    pub(crate) fn nobodys(&self) -> Result<Vec<ActiveSubscription>, LogError> {
        let query = "SELECT position, topic, record FROM subscriptions JOIN held USING (topic) WHERE follower = ''";
        let mut statement = self.connection.prepare_cached(query)?;
        let mut rows = statement.query([])?;
        let mut found = Vec::new();
        while found.len() < FOUND
            && let Some(row) = rows.next()?
        {
            found.extend(read(row)?.1);
        }
        Ok(found)
    }

    /// Notes that a subscription is active no longer. Returns whether it was.
    pub(crate) fn strike(&self, ended: &ActiveSubscription) -> rusqlite::Result<bool> {
        let query = "DELETE FROM held WHERE topic = ?";
        self.connection.prepare_cached(query)?.execute([ended.topic()])?;
        let query = "DELETE FROM subscriptions WHERE topic = ?";
        Ok(self.connection.prepare_cached(query)?.execute([ended.topic()])? > 0)
    }

    /// Some of what is noted and no follower holds, in the order of topics and behind this one. What another version wrote is
    /// left alone, and what it says is nobody's business.
    pub(crate) fn noted(&self, after: &str) -> Result<Vec<ActiveSubscription>, LogError> {
        let query = "SELECT position, topic, record FROM subscriptions WHERE topic > ? AND topic NOT IN (SELECT topic FROM held) ORDER BY topic";
        let mut statement = self.connection.prepare_cached(query)?;
        let mut rows = statement.query([after])?;
        let mut found = Vec::new();
        while found.len() < FOUND
            && let Some(row) = rows.next()?
        {
            found.extend(read(row)?.1);
        }
        Ok(found)
    }

    /// What is noted of what was asked for since the log was `opened`, or is a follower's, in the order of its beginning;
    /// `None` for a page that this log has no mark for.
    pub(crate) fn list(
        &self,
        list: &List,
        key: &CursorKey,
        opened: Position,
    ) -> Result<Option<Listing>, LogError> {
        let after = match list.after() {
            None => Position::START,
            Some(mark) => match key.marked(mark) {
                Some(after) => after,
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
            "SELECT position, topic, record FROM subscriptions WHERE topic >= ? AND topic < ? AND {by} > ? AND ({by} > ? OR topic IN (SELECT topic FROM held WHERE follower <> '')) ORDER BY {by}"
        );
        let mut statement = self.connection.prepare_cached(&query)?;
        let [first, end] = list.topics();
        let mut rows = statement.query((first, end, number(after), number(opened)))?;
        while let Some(row) = rows.next()? {
            let (at, found) = read(row)?;
            if let Some(found) = found
                && !listing.offer(found, key.mark(at))
            {
                break;
            }
        }
        Ok(Some(listing))
    }
}

/// A row: where its subscription began, and the subscription, unless another version wrote it. Such a
/// row is left alone, and what it says is nobody's business.
fn read(row: &Row<'_>) -> rusqlite::Result<(Position, Option<ActiveSubscription>)> {
    let (at, topic, record): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let restored = ActiveSubscription::restored(&topic, &record);
    if restored.is_none() {
        warn!("the subscription that began at {at} cannot be read");
    }
    Ok((position(at), restored))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use cinnabar_core::testing::contract;
    use cinnabar_runtime::{Source as _, machine};

    use super::*;
    use crate::log::{Log, Retention, Storage};

    const WIDE: Retention = Retention { size: 10_000, age: Duration::from_secs(24 * 3600) };

    fn member(name: &str) -> ActiveSubscription {
        let record = format!(
            r#"{{"match_type":"exact","match":"room","subscriber":"urn:{name}","begun":"urn:{name}:begins","ended":"urn:{name}:ends"}}"#
        );
        let topic = format!("/.well-known/mercure/subscriptions/exact/room/{name}");
        ActiveSubscription::restored(&topic, &record).unwrap()
    }

    /// A file that goes with its test.
    struct File(PathBuf);

    impl File {
        fn new() -> Self {
            static FILES: AtomicU64 = AtomicU64::new(0);
            let number = FILES.fetch_add(1, Ordering::Relaxed);
            let name = format!("cinnabar-presence-{}-{number}", std::process::id());
            Self(std::env::temp_dir().join(name))
        }

        fn open(&self, followers: bool) -> Log {
            let storage = Storage::File(self.0.join("hub.db"));
            Log::open_for(followers, &storage, WIDE, machine::now).unwrap()
        }
    }

    impl Drop for File {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    async fn listed(log: &Log) -> Vec<&'static str> {
        let answer = log.list(contract::everybody().unwrap()).await.unwrap();
        let text = String::from_utf8(answer.response.into_body()).unwrap();
        ["own", "a", "b"].into_iter().filter(|name| text.contains(&format!("urn:{name}"))).collect()
    }

    #[tokio::test]
    async fn what_followers_hold_outlives_the_process_and_ends_with_them() {
        let file = File::new();
        let followers = [1, 2].map(|byte| FollowerId::from_random([byte; 16]));
        let log = file.open(true);
        log.register(vec![member("own")].into()).await.unwrap();
        log.register_for(followers[0], vec![member("a")].into()).await.unwrap();
        log.register_for(followers[1], vec![member("b")].into()).await.unwrap();
        let end = log.head().await.unwrap();
        log.register_for(followers[1], vec![member("b")].into()).await.unwrap();
        assert_eq!(log.head().await.unwrap(), end, "it was noted already");
        assert_eq!(listed(&log).await, ["own", "a", "b"]);
        log.close().await;

        let log = file.open(true);
        assert_eq!(listed(&log).await, ["a", "b"]);
        assert_eq!(log.registered(String::new()).await.unwrap(), [member("own")]);
        assert_eq!(log.followers().await.unwrap(), followers);
        log.disown(followers[0]).await.unwrap();
        assert_eq!(log.followers().await.unwrap(), followers[1..]);
        log.end_nobodys().await.unwrap();
        assert_eq!(log.head().await.unwrap(), end.next(), "one end was told");
        assert_eq!(listed(&log).await, ["b"]);
        log.close().await;

        // Nobody may follow it any more.
        let log = file.open(false);
        assert_eq!(listed(&log).await, [""; 0]);
        let left = log.registered(String::new()).await.unwrap();
        assert_eq!(left, [member("b"), member("own")]);
    }
}
