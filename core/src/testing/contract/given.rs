//! What the cases begin with: subscribers, pages, and whole replays.

use std::sync::Arc;

use super::log::Log;
use crate::{
    Admission, Appended, Command, Config, Fetch, Located, Location, PageLimit, Platform, Position,
    Request, Step, StreamId, Subscribe, Timestamp, admit,
};

/// Ends a case if a condition does not hold.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err(format!($($message)+));
        }
    };
}

pub(super) use ensure;

/// A limit that nothing here reaches.
pub(super) const LARGE: PageLimit = PageLimit { updates: 500, bytes: 256 * 1024 };

pub(super) fn fetch<L: Log>(
    log: &L,
    after: Position,
    through: Position,
    limit: PageLimit,
) -> Fetch {
    Fetch { stream: StreamId::new(1), after, through, limit, as_of: log.now() }
}

/// Everything that is kept, as a stream that asks for all of it finds it. It begins where the log
/// says: no page holds what was dropped before that.
pub(super) async fn from_the_floor<L: Log>(
    log: &L,
    end: Position,
) -> Result<Vec<Appended>, String> {
    match log.locate(Location::Floor { floor: Position::START, end }).await? {
        Located::Oldest(oldest) => replay(log, oldest.back(1), end, &everything()?, LARGE).await,
        other => Err(format!("the floor: {other:?}")),
    }
}

/// Everything that is replayed, page by page.
pub(super) async fn replay<L: Log>(
    log: &L,
    mut after: Position,
    through: Position,
    subscribe: &Arc<Subscribe>,
    limit: PageLimit,
) -> Result<Vec<Appended>, String> {
    let mut all = Vec::new();
    while after < through {
        let page = log.page(fetch(log, after, through, limit), Arc::clone(subscribe)).await?;
        ensure!(page.reached > after, "a page that does not go on from {after:?}");
        ensure!(page.reached <= through, "a page that goes on to {:?}", page.reached);
        after = page.reached;
        all.extend(page.updates);
    }
    ensure!(all.is_sorted_by(|a, b| a.position < b.position), "out of order: {all:?}");
    Ok(all)
}

pub(super) fn by_ids(ids: &[&str], floor: Position) -> Location {
    Location::Ids { ids: ids.iter().copied().map(crate::EventId::restored).collect(), floor }
}

pub(super) fn ids(updates: &[Appended]) -> Vec<&str> {
    updates.iter().map(|appended| appended.update.id().as_str()).collect()
}

pub(super) fn last(updates: &[Appended]) -> Result<Position, String> {
    updates.last().map(|last| last.position).ok_or_else(|| "there is nothing".to_owned())
}

/// A subscriber without a token who asks for every topic.
pub(super) fn everything() -> Result<Arc<Subscribe>, String> {
    subscribe("match=*")
}

/// The same with the token of a 0.x client, which need not expire. It grants the topic `granted`
/// and the target `/users/1`.
pub(super) fn granted() -> Result<Arc<Subscribe>, String> {
    subscribe(
        "match=*&authorization=eyJhbGciOiJIUzI1NiJ9.eyJtZXJjdXJlIjp7InN1YnNjcmliZSI6WyJncmFudGVkIiwiL3VzZXJzLzEiXX19.YwSmvN1gEP3lK4kOMJZ1EHLzroKOc9siFkjg5piYk70",
    )
}

pub(super) fn subscribe(query: &str) -> Result<Arc<Subscribe>, String> {
    subscribe_with(query, [], 0)
}

/// A subscriber of whom others are told, like nobody with another number.
pub(super) fn seen(query: &str, number: u8) -> Result<Arc<Subscribe>, String> {
    subscribe_with(query, [("SUBSCRIPTIONS", "1")], number)
}

fn subscribe_with<const N: usize>(
    query: &str,
    more: [(&str, &str); N],
    number: u8,
) -> Result<Arc<Subscribe>, String> {
    let variables = [
        ("HUB_URL", "https://hub.example.com/.well-known/mercure"),
        ("MERCURE_PUBLISHER_JWT_KEY", "a publisher's key of thirty-two bytes"),
        ("MERCURE_SUBSCRIBER_JWT_KEY", "a subscribers' key of thirty-two bytes"),
        ("ANONYMOUS", "1"),
    ];
    let variables = variables.into_iter().chain(more);
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let config =
        Config::read(&Platform::new("a test"), variables).map_err(|error| error.to_string())?;
    let url = format!("https://hub.example.com/.well-known/mercure?{query}");
    let now = Timestamp::from_millis(1);
    match admit(&Request::new("GET", &url, []), &config, now, &[number; 32]) {
        Step::Done(Admission::Forward(Command::Subscribe(subscribe))) => Ok(subscribe.into()),
        other => Err(format!("not a subscription: {other:?}")),
    }
}
