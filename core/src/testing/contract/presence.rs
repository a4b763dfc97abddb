//! The cases of who is here.

use std::collections::BTreeSet;

use serde_json::Value;

use super::given::{ensure, seen};
use super::log::Log;
use crate::command::list::List;
use crate::command::subscriptions::Subscriptions;
use crate::terms::generation::Generation;
use crate::terms::hub_url::HubUrl;
use crate::terms::subscription::{MatchType, Scope};
use crate::testing::update;
use crate::wire::cors::Cors;
use crate::{Located, Location, Position, Response, Update};

/// The subscriptions of a stream with these matchers.
pub(super) fn subscriptions(query: &str, number: u8) -> Result<Subscriptions, String> {
    Ok(Subscriptions::of(&seen(query, number)?))
}

fn question(scope: Scope, after: Option<&str>) -> Result<List, String> {
    let hub = HubUrl::parse("https://hub.example.com/.well-known/mercure");
    Ok(List {
        generation: scope.generation().unwrap_or(Generation::V1),
        scope,
        hub: hub.map_err(|error| error.to_string())?,
        after: after.map(str::to_owned),
        known: None,
        cors: Cors::none(),
    })
}

/// A question after all active subscriptions.
///
/// # Errors
///
/// Never.
pub fn everybody() -> Result<List, String> {
    question(Scope::All, None)
}

pub(super) async fn ask<L: Log>(log: &L, scope: Scope) -> Result<Response, String> {
    Ok(log.list(&question(scope, None)?).await?.response)
}

/// What is listed: the subscribers of a document.
pub(super) fn listed(response: &Response) -> Result<Vec<String>, String> {
    let document: Value =
        serde_json::from_slice(response.body()).map_err(|error| error.to_string())?;
    let all = document["subscriptions"].as_array().ok_or("not a collection")?;
    let mut all: Vec<String> = all.iter().map(|one| one["subscriber"].to_string()).collect();
    all.sort();
    Ok(all)
}

pub(super) fn subscribers(of: &[&Subscriptions]) -> Vec<String> {
    let all = of.iter().flat_map(|of| of.iter());
    let mut all: Vec<String> = all.map(|one| format!("{:?}", one.subscriber())).collect();
    all.sort();
    all
}

fn exact(text: &str) -> Scope {
    Scope::Matcher(MatchType::Exact, text.into())
}

pub(super) async fn what_has_begun_is_listed_until_it_ends<L: Log>(log: &L) -> Result<(), String> {
    if !log.notes_who_is_here() {
        return Ok(());
    }
    let nobody = ask(log, Scope::All).await?;
    ensure!(listed(&nobody)?.is_empty(), "an empty log lists {nobody:?}");
    let (one, other) = (subscriptions("match=a&match=b", 1)?, subscriptions("match=a&topic=a", 2)?);
    for begins in [&one, &other] {
        log.register(begins.clone()).await?;
    }
    let in_a = ask(log, exact("a")).await?;
    let first_of = |of: &Subscriptions| of.iter().find(|it| it.match_type == MatchType::Exact);
    let mut both: Vec<String> = [&one, &other]
        .into_iter()
        .filter_map(first_of)
        .map(|it| format!("{:?}", it.subscriber()))
        .collect();
    both.sort();
    ensure!(listed(&in_a)? == both, "{in_a:?} lists not {both:?}");
    ensure!(listed(&ask(log, Scope::All).await?)?.len() == 3, "all that is of draft-08");
    let of_v0 = ask(log, Scope::Matcher(MatchType::Selector, "a".into())).await?;
    ensure!(listed(&of_v0)?.len() == 1, "the selector is listed as {of_v0:?}");

    let first = first_of(&one).ok_or("no subscription")?;
    let document = Scope::One(MatchType::Exact, "a".into(), first.subscriber().into());
    let found = ask(log, document.clone()).await?;
    ensure!(found.status() == 200, "the document of one that is here: {found:?}");
    let newest = log.tail(Position::START).await?.pop().ok_or("no events")?;
    let cursor = format!("last-event-id=\"{}\"", newest.update.id());
    let link = found.headers()["link"].to_str().map_err(|error| error.to_string())?;
    ensure!(link.contains(&cursor), "{found:?}, and the newest is {cursor}");

    log.unregister(one.clone()).await?;
    let gone = ask(log, document).await?;
    ensure!(gone.status() == 404, "the document of one that is gone: {gone:?}");
    let (left, others) = (listed(&ask(log, exact("a")).await?)?, subscribers(&[&other]));
    ensure!(left == others[..1], "{left:?} are left, and not {others:?}");
    Ok(())
}

pub(super) async fn each_beginning_and_each_end_is_an_event<L: Log>(log: &L) -> Result<(), String> {
    if !log.notes_who_is_here() {
        return Ok(());
    }
    let (one, other) = (subscriptions("match=a&match=b", 1)?, subscriptions("match=a", 2)?);
    // What never began has no end.
    log.unregister(other.clone()).await?;
    log.register(one.clone()).await?;
    log.append(update("urn:between", "a", "")).await?;
    log.unregister(one.clone()).await?;
    log.unregister(one.clone()).await?;
    let appended = log.tail(Position::START).await?;
    // Those of one stream in any order: they begin together, and end together.
    let id = |update: &Update| update.id().to_string();
    let ids: Vec<String> = appended.iter().map(|it| id(&it.update)).collect();
    let [first, second, between, third, fourth] = &ids[..] else {
        return Err(format!("{} events, and not five: {ids:?}", ids.len()));
    };
    let begun: BTreeSet<String> = one.iter().map(|it| id(&it.beginning())).collect();
    let ended: BTreeSet<String> = one.iter().map(|it| id(&it.end())).collect();
    let is_in = |events: &BTreeSet<String>, a: &String, b: &String| {
        a != b && events.contains(a) && events.contains(b)
    };
    ensure!(is_in(&begun, first, second) && between == "urn:between", "{ids:?}, not {begun:?}");
    ensure!(is_in(&ended, third, fourth), "{ids:?}, not {ended:?}");
    for begun in one.iter().map(|it| it.beginning()) {
        let came = appended.iter().find(|it| it.update.id() == begun.id());
        ensure!(came.is_some_and(|it| *it.update == begun), "{begun:?} came back changed");
    }
    Ok(())
}

/// A stream is registered once, so a log may take what it has already, or refuse all of it.
pub(super) async fn what_is_not_registered_whole_leaves_nothing<L: Log>(
    log: &L,
) -> Result<(), String> {
    if !log.notes_who_is_here() {
        return Ok(());
    }
    let (one, more) = (subscriptions("match=b", 1)?, subscriptions("match=a&match=b", 1)?);
    log.register(one.clone()).await?;
    if log.register(more).await.is_ok() {
        return Ok(());
    }
    let events = log.tail(Position::START).await?;
    ensure!(events.len() == 1, "of what was refused there are events: {events:?}");
    let newest = log.append(update("urn:next", "a", "")).await?;
    let found = log.locate(Location::Newest(newest)).await?;
    ensure!(matches!(found, Located::Found(..)), "what is appended next: {found:?}");
    log.register(subscriptions("match=a", 2)?).await?;
    let all = log.tail(Position::START).await?;
    ensure!(all.is_sorted_by(|a, b| a.position < b.position) && all.len() == 3, "it has {all:?}");
    let (in_a, in_b) = (ask(log, exact("a")).await?, ask(log, exact("b")).await?);
    ensure!(
        listed(&in_a)?.len() == 1 && listed(&in_b)? == subscribers(&[&one]),
        "{in_a:?}, {in_b:?}"
    );
    Ok(())
}

pub(super) async fn who_was_here_before_it_died_is_not_listed<L: Log>(
    log: &L,
) -> Result<(), String> {
    if !log.notes_who_is_here() {
        return Ok(());
    }
    let (one, other) = (subscriptions("match=a", 1)?, subscriptions("match=a", 2)?);
    log.register(one.clone()).await?;
    let before = ask(log, Scope::All).await?;
    if !log.reopen().await? {
        return Ok(());
    }
    let after = ask(log, Scope::All).await?;
    ensure!(listed(&after)?.is_empty(), "nobody can be here, and it lists {after:?}");
    let tags = [&before, &after].map(|response| &response.headers()["etag"]);
    ensure!(tags[0] != tags[1], "two documents have the tag {tags:?}");
    log.register(other.clone()).await?;
    ensure!(listed(&ask(log, exact("a")).await?)? == subscribers(&[&other]), "who came since");
    // Its end is still to be told.
    log.unregister(one.clone()).await?;
    let told = log.tail(Position::START).await?;
    let ended = one.iter().next().map(|one| one.end());
    ensure!(told.last().map(|it| &*it.update) == ended.as_ref(), "the end is not told: {told:?}");
    Ok(())
}

pub(super) async fn a_long_list_has_pages<L: Log>(log: &L) -> Result<(), String> {
    if !log.notes_who_is_here() {
        return Ok(());
    }
    // Their texts are encoded, so that 70 of them are more than a page.
    let long = "/".repeat(4_000);
    let query: String = (0..8).map(|number| format!("match={number}{long}&")).collect();
    let mut all = Vec::new();
    for number in 0..9 {
        let begins = subscriptions(&query, number)?;
        all.extend(subscribers(&[&begins]));
        log.register(begins).await?;
    }
    let mut after = None;
    let mut pages = Vec::new();
    let mut found = Vec::new();
    loop {
        let question = question(Scope::All, after.as_deref())?;
        let response = log.list(&question).await?.response;
        let page = listed(&response)?;
        pages.push(page.len());
        found.extend(page);
        let mut links =
            response.headers().get_all("link").iter().filter_map(|link| link.to_str().ok());
        let next = links.rfind(|link| link.ends_with("rel=\"next\""));
        let Some(next) = next.and_then(|link| link.split(['=', '>']).nth(1)) else { break };
        ensure!(pages.len() < 100, "pages without end");
        after = Some(next.to_owned());
    }
    all.sort();
    found.sort();
    ensure!(pages.len() > 1, "it has no pages");
    ensure!(found == all, "{} of {} were listed, on pages of {pages:?}", found.len(), all.len());
    let unknown = log.list(&question(Scope::All, Some("x"))?).await?.response;
    ensure!(matches!(unknown.status().as_u16(), 200 | 400), "a mark of nobody: {unknown:?}");
    Ok(())
}
