//! Who is here: what the log notes as active, beside its updates and in their transactions.
//!
//! A process that was killed leaves the notes of streams that were cut with it. They are older than the
//! log is open, and no list shows them; the streams' task finds them, and tells their ends.
//!
//! What a follower holds is noted as well, and whose it is. It may outlive this process. Once the follower is
//! gone, it is nobody's: no list shows it, and its ends are told, some at a time.

use cinnabar_core::feed::FollowerId;
use cinnabar_core::{ActiveSubscription, CursorKey, EventId, List, Listing, Position};
use rusqlite::{OptionalExtension as _, Row};
use tracing::warn;

use crate::log::database::{Database, number, position};
use crate::log::error::LogError;

/// How many subscriptions are read at a time for what has ended.
const FOUND: usize = 500;

/// What is nobody's. The cross join has SQLite begin with that, and not with everything that is noted.
const NOBODYS: &str = "SELECT position, topic, record FROM held CROSS JOIN subscriptions USING (topic) WHERE follower = ''";

/// What no follower holds.
const NOTED: &str = "SELECT position, topic, record FROM subscriptions LEFT JOIN held USING (topic) WHERE topic > ? AND follower IS NULL ORDER BY topic";

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
        let mut statement = self.connection.prepare_cached(NOBODYS)?;
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
        let mut statement = self.connection.prepare_cached(NOTED)?;
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
        let mut statement = self.connection.prepare_cached(&listing_query(list))?;
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

/// What a list shows: what this process holds, whose beginning is later than the log was opened, and what
/// followers hold; nothing that is nobody's.
fn listing_query(list: &List) -> String {
    // A plus sign keeps SQLite from an index. Of one collection, it is to read the rows and sort them; of
    // everything, to read them in order, as far as a page goes.
    let (topic, by) = match list.collection() {
        Some(_) => ("topic", "+position"),
        None => ("+topic", "position"),
    };
    format!(
        "SELECT position, topic, record FROM subscriptions LEFT JOIN held USING (topic) WHERE {topic} >= ? AND {topic} < ? AND {by} > ? AND (follower <> '' OR (follower IS NULL AND {by} > ?)) ORDER BY {by}"
    )
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
        assert_eq!(listed(&log).await, ["b"], "it is nobody's, though its end is still to be told");
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

    #[tokio::test]
    async fn who_was_left_behind_is_listed_by_nobody_even_by_the_process_that_noted_it() {
        let log = Log::open_for(true, &Storage::Memory, WIDE, machine::now).unwrap();
        let follower = FollowerId::from_random([1; 16]);
        log.register(vec![member("own")].into()).await.unwrap();
        log.register_for(follower, vec![member("a")].into()).await.unwrap();
        assert_eq!(listed(&log).await, ["own", "a"]);
        log.disown(follower).await.unwrap();
        assert_eq!(listed(&log).await, ["own"]);
    }

    #[tokio::test]
    async fn what_is_asked_of_the_log_before_its_followers_counts() {
        let log = Log::open_for(true, &Storage::Memory, WIDE, machine::now).unwrap();
        let follower = FollowerId::from_random([1; 16]);
        // More than one transaction takes, and the last of it for the follower.
        let others = (0..200).map(|number| log.register(vec![member(&number.to_string())].into()));
        let last = log.register_for(follower, vec![member("a")].into());
        let (_, last, followers) =
            tokio::join!(futures_util::future::join_all(others), last, log.followers());
        last.unwrap();
        assert_eq!(followers.unwrap(), [follower]);
    }

    #[test]
    fn each_question_reads_the_rows_that_it_is_about_and_no_others() {
        let mut database = Database::in_memory().unwrap();
        database.create_tables().unwrap();
        let plan = |query: &str| {
            let mut statement =
                database.connection.prepare(&format!("EXPLAIN QUERY PLAN {query}")).unwrap();
            let rows = statement.raw_query().mapped(|row| row.get::<_, String>("detail"));
            rows.collect::<rusqlite::Result<Vec<_>>>().unwrap()
        };
        let held = "SEARCH held USING PRIMARY KEY (topic=?) LEFT-JOIN";
        let by_topic = "SEARCH subscriptions USING INDEX subscriptions_by_topic";
        assert_eq!(plan(NOTED), [&format!("{by_topic} (topic>?)"), held]);
        assert_eq!(
            plan(NOBODYS),
            [
                "SEARCH held USING COVERING INDEX held_by_follower (follower=?)",
                &format!("{by_topic} (topic=?)")
            ]
        );
        let everybody = contract::everybody().unwrap();
        assert_eq!(
            plan(&listing_query(&everybody)),
            ["SEARCH subscriptions USING INTEGER PRIMARY KEY (rowid>?)", held]
        );
    }
}
