//! The cases.

use std::sync::Arc;

use super::followers::{
    a_follower_may_ask_twice, what_a_follower_holds_ends_with_it,
    what_a_follower_holds_outlives_the_process,
};
use super::given::{
    LARGE, by_ids, ensure, everything, fetch, from_the_floor, granted, ids, last, replay, subscribe,
};
use super::log::{Log, Outcome};
use super::presence::{
    a_long_list_has_pages, each_beginning_and_each_end_is_an_event,
    what_has_begun_is_listed_until_it_ends, what_is_not_registered_whole_leaves_nothing,
    who_was_here_before_it_died_is_not_listed,
};
use crate::testing::{private_update, stored, update};
use crate::{Located, Location, PageLimit, Place, Position, StoredUpdate, Timestamp, Update};

/// Runs every case, each against a new log from `make`.
pub async fn check<L: Log>(make: impl AsyncFn() -> Result<L, String>) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    macro_rules! cases {
        ($($case:ident),+ $(,)?) => {$(
            let broken = match make().await {
                Ok(log) => $case(&log).await.err(),
                Err(error) => Some(error),
            };
            outcomes.push(Outcome { case: stringify!($case), broken });
        )+};
    }
    cases![
        updates_are_numbered_and_followed_in_order,
        an_update_comes_back_whole,
        an_id_is_found_at_its_first_update,
        of_several_ids_the_first_that_is_known_is_found,
        a_place_that_was_told_can_be_followed,
        the_newest_up_to_a_place_is_found,
        the_floor_is_found_or_the_oldest_is_told,
        a_page_holds_one_update_of_any_size_or_so_many_bytes,
        a_page_holds_so_many_updates,
        a_page_leaves_out_what_is_not_wanted,
        a_page_has_private_updates_for_whom_they_were_granted_to,
        a_page_ends_where_it_was_told_to,
        what_was_dropped_is_not_kept,
        a_page_of_what_was_dropped_meanwhile_is_whole_or_says_so,
        a_log_may_drop_everything,
        a_log_that_is_opened_again_goes_on,
        what_has_begun_is_listed_until_it_ends,
        each_beginning_and_each_end_is_an_event,
        what_is_not_registered_whole_leaves_nothing,
        who_was_here_before_it_died_is_not_listed,
        a_long_list_has_pages,
        a_follower_may_ask_twice,
        what_a_follower_holds_ends_with_it,
        what_a_follower_holds_outlives_the_process,
    ];
    outcomes
}

async fn updates_are_numbered_and_followed_in_order<L: Log>(log: &L) -> Result<(), String> {
    let mut positions = Vec::new();
    for number in 1..=20 {
        positions.push(log.append(update(&format!("urn:{number}"), "a", "")).await?);
    }
    ensure!(positions.is_sorted_by(|a, b| a < b), "positions do not rise: {positions:?}");
    for after in [Position::START, positions[0], positions[13], positions[19]] {
        let tail = log.tail(after).await?;
        let expected: Vec<Position> =
            positions.iter().copied().filter(|position| *position > after).collect();
        let followed: Vec<Position> = tail.iter().map(|appended| appended.position).collect();
        ensure!(followed == expected, "after {after:?}: {followed:?}, not {expected:?}");
        for appended in &tail {
            let number = 1 + positions.iter().position(|it| *it == appended.position).unwrap_or(0);
            let id = appended.update.id().as_str();
            ensure!(id == format!("urn:{number}"), "{id} is at {:?}", appended.position);
        }
    }
    Ok(())
}

async fn an_update_comes_back_whole<L: Log>(log: &L) -> Result<(), String> {
    let whole = Update::restore(StoredUpdate {
        topics: "https://example.com/é\n/books/%5C{id}\n*".into(),
        data: "one\r\ntwo\0\u{2028}\u{1f600}\n".into(),
        private: false,
        event_type: Some("ping é".into()),
        retry: Some(0),
        ..stored("urn:é:%23", "", "")
    });
    let bare = update("urn:bare", "a", "");
    let private = Update::restore(StoredUpdate {
        targets: "/users/1\n/users/é".into(),
        private: true,
        retry: Some(u32::MAX),
        ..stored("urn:private", "a", "x")
    });
    for update in [&whole, &bare, &private] {
        log.append(update.clone()).await?;
    }
    let tail = log.tail(Position::START).await?;
    ensure!(tail.len() == 3, "{} updates", tail.len());
    for (appended, update) in tail.iter().zip([&whole, &bare, &private]) {
        let (kept, published) = (appended.update.store(), update.store());
        ensure!(kept == published, "{published:?} came back as {kept:?}");
    }
    let replayed = replay(log, Position::START, last(&tail)?, &granted()?, LARGE).await?;
    ensure!(replayed == tail, "a page held {replayed:?}");
    Ok(())
}

async fn an_id_is_found_at_its_first_update<L: Log>(log: &L) -> Result<(), String> {
    let mut positions = Vec::new();
    for id in ["urn:1", "urn:twice", "urn:2", "urn:twice", "urn:3"] {
        positions.push(log.append(update(id, "a", "")).await?);
    }
    let first = positions[1];
    for (id, expected) in [("urn:1", positions[0]), ("urn:twice", first), ("urn:3", positions[4])] {
        match log.locate(by_ids(&[id], Position::START)).await? {
            Located::Found(place, found) => {
                ensure!(found.as_str() == id, "asked for {id}, got {found:?}");
                ensure!(place.position == expected, "{id} was found at {place:?}");
            }
            other => return Err(format!("{id}: {other:?}")),
        }
    }
    for unknown in ["urn:", "urn:11", "URN:1", "earliest"] {
        let located = log.locate(by_ids(&[unknown], Position::START)).await?;
        ensure!(located == Located::Unknown, "{unknown}: {located:?}");
    }
    let after = replay(log, first, positions[4], &everything()?, LARGE).await?;
    let ids = ids(&after);
    ensure!(ids == ["urn:2", "urn:twice", "urn:3"], "after the first came {ids:?}");
    Ok(())
}

async fn of_several_ids_the_first_that_is_known_is_found<L: Log>(log: &L) -> Result<(), String> {
    let mut positions = Vec::new();
    for id in ["urn:0", "urn:twice", "urn:2", "urn:twice", "urn:a, urn:b"] {
        positions.push(log.append(update(id, "a", "")).await?);
    }
    let start = Position::START;
    for (ids, floor, expected) in [
        (["urn:2", "urn:0", "urn:twice"], start, Some(("urn:2", positions[2]))),
        (["urn:0", "urn:2", "urn:twice"], start, Some(("urn:0", positions[0]))),
        (["urn:x", "urn:twice", "urn:2"], start, Some(("urn:twice", positions[1]))),
        (["urn:x", "urn:y", "urn:0"], start, Some(("urn:0", positions[0]))),
        (["urn:a, urn:b", "urn:0", "urn:2"], start, Some(("urn:a, urn:b", positions[4]))),
        (["urn:x", "urn:y", "urn:z"], start, None),
        // What cannot be replayed is as good as unknown, even if its id was used again since.
        (["urn:twice", "urn:0", "urn:2"], positions[2], Some(("urn:2", positions[2]))),
        (["urn:twice", "urn:0", "urn:x"], positions[2], None),
    ] {
        let found = match log.locate(by_ids(&ids, floor)).await? {
            Located::Found(place, id) => Some((id.as_str().to_owned(), place.position)),
            Located::Unknown => None,
            other => return Err(format!("{ids:?}: {other:?}")),
        };
        let expected = expected.map(|(id, position)| (id.to_owned(), position));
        ensure!(found == expected, "{ids:?} from {floor:?} on: {found:?}");
    }
    Ok(())
}

async fn a_place_that_was_told_can_be_followed<L: Log>(log: &L) -> Result<(), String> {
    let told = Place { position: Position::START, since: log.now() };
    let located = log.locate(Location::Told(told)).await?;
    ensure!(located == Located::Kept, "at the start of an empty log: {located:?}");
    for number in 1..=3 {
        let position = log.append(update(&format!("urn:{number}"), "a", "")).await?;
        let told = Place { position, since: log.now() };
        let located = log.locate(Location::Told(told)).await?;
        ensure!(located == Located::Kept, "{told:?}: {located:?}");
    }
    Ok(())
}

async fn the_newest_up_to_a_place_is_found<L: Log>(log: &L) -> Result<(), String> {
    let located = log.locate(Location::Newest(Position::START)).await?;
    ensure!(located == Located::Unknown, "of an empty log: {located:?}");
    let mut positions = Vec::new();
    for number in 0..3 {
        positions.push(log.append(update(&format!("urn:{number}"), "a", "")).await?);
    }
    for (number, position) in positions.iter().enumerate() {
        match log.locate(Location::Newest(*position)).await? {
            Located::Found(place, id) => {
                let is_it = place.position == *position && id.as_str() == format!("urn:{number}");
                ensure!(is_it, "up to {position:?}: {place:?}, {id:?}");
            }
            other => return Err(format!("up to {position:?}: {other:?}")),
        }
    }
    Ok(())
}

async fn the_floor_is_found_or_the_oldest_is_told<L: Log>(log: &L) -> Result<(), String> {
    let start = Location::Floor { floor: Position::START, end: Position::START };
    let located = log.locate(start).await?;
    let first = Located::Oldest(Position::START.next());
    ensure!(located == first, "of an empty log: {located:?}");
    let mut positions = Vec::new();
    for number in 0..3 {
        positions.push(log.append(update(&format!("urn:{number}"), "a", "")).await?);
    }
    let end = positions[2];
    let located = log.locate(Location::Floor { floor: Position::START, end }).await?;
    ensure!(located == first, "at the start: {located:?}");
    match log.locate(Location::Floor { floor: positions[1], end }).await? {
        Located::Found(place, id) => {
            let is_it = place.position == positions[1] && id.as_str() == "urn:1";
            ensure!(is_it, "at the second: {place:?}, {id:?}");
        }
        other => return Err(format!("at the second: {other:?}")),
    }
    Ok(())
}

async fn a_page_holds_one_update_of_any_size_or_so_many_bytes<L: Log>(
    log: &L,
) -> Result<(), String> {
    const LIMIT: PageLimit = PageLimit { updates: 500, bytes: 1_000 };
    let lengths = [10, 400, 400, 400, 5_000, 10, 3_000, 900, 1];
    let mut end = Position::START;
    for (number, length) in lengths.into_iter().enumerate() {
        end = log.append(update(&format!("urn:{number}"), "a", &"x".repeat(length))).await?;
    }
    let subscribe = everything()?;
    let mut after = Position::START;
    let mut count = 0;
    while after < end {
        let fetch = fetch(log, after, end, LIMIT);
        let page = log.page(fetch, Arc::clone(&subscribe)).await?;
        let sizes: Vec<usize> =
            page.updates.iter().map(|appended| appended.update.store().size()).collect();
        let bytes: usize = sizes.iter().sum();
        ensure!(page.reached > after, "a page that does not go on from {after:?}");
        ensure!(bytes <= LIMIT.bytes || sizes.len() == 1, "a page of {sizes:?} bytes");
        ensure!(!sizes.is_empty(), "a page without updates");
        count += sizes.len();
        after = page.reached;
    }
    ensure!(count == lengths.len(), "{count} updates of {}", lengths.len());
    Ok(())
}

async fn a_page_holds_so_many_updates<L: Log>(log: &L) -> Result<(), String> {
    let mut end = Position::START;
    for number in 0..7 {
        end = log.append(update(&format!("urn:{number}"), "a", "")).await?;
    }
    let limit = PageLimit { updates: 3, ..LARGE };
    let page = log.page(fetch(log, Position::START, end, limit), everything()?).await?;
    ensure!(page.updates.len() == 3, "{} updates", page.updates.len());
    ensure!(page.reached == last(&page.updates)?, "it reached {:?}", page.reached);
    let all = replay(log, Position::START, end, &everything()?, limit).await?;
    ensure!(all.len() == 7, "{} updates in all pages", all.len());
    Ok(())
}

async fn a_page_leaves_out_what_is_not_wanted<L: Log>(log: &L) -> Result<(), String> {
    let mut end = Position::START;
    for number in 0..30 {
        let id = format!("urn:{number}");
        end = match number % 3 {
            0 => log.append(update(&id, "wanted", "")).await?,
            1 => log.append(update(&id, "other", "")).await?,
            _ => log.append(private_update(&id, "wanted", "")).await?,
        };
    }
    let wanted = subscribe("match=wanted")?;
    let replayed = replay(log, Position::START, end, &wanted, LARGE).await?;
    let ids = ids(&replayed);
    let expected: Vec<String> = (0..30).step_by(3).map(|number| format!("urn:{number}")).collect();
    ensure!(ids == expected, "{ids:?}");
    let nothing = subscribe("match=nothing")?;
    let page = log.page(fetch(log, Position::START, end, LARGE), nothing).await?;
    ensure!(page.updates.is_empty() && page.reached == end, "of nothing: {page:?}");
    Ok(())
}

async fn a_page_has_private_updates_for_whom_they_were_granted_to<L: Log>(
    log: &L,
) -> Result<(), String> {
    let mut end = Position::START;
    for (id, topics, targets) in [
        ("urn:topic", "granted", ""),
        ("urn:other-topic", "other", ""),
        ("urn:alternate-topic", "other\ngranted", ""),
        ("urn:target", "other", "/users/2\n/users/1"),
        ("urn:other-target", "granted", "/users/2"),
    ] {
        let (topics, targets) = (topics.to_owned(), targets.to_owned());
        let stored = StoredUpdate { topics, targets, private: true, ..stored(id, "", "") };
        end = log.append(Update::restore(stored)).await?;
    }
    let replayed = replay(log, Position::START, end, &granted()?, LARGE).await?;
    let ids = ids(&replayed);
    ensure!(ids == ["urn:topic", "urn:alternate-topic", "urn:target"], "with a token: {ids:?}");
    let replayed = replay(log, Position::START, end, &everything()?, LARGE).await?;
    ensure!(replayed.is_empty(), "without a token: {replayed:?}");
    Ok(())
}

async fn a_page_ends_where_it_was_told_to<L: Log>(log: &L) -> Result<(), String> {
    let mut positions = Vec::new();
    for number in 0..5 {
        positions.push(log.append(update(&format!("urn:{number}"), "a", "")).await?);
    }
    let (after, through) = (positions[0], positions[3]);
    let page = log.page(fetch(log, after, through, LARGE), everything()?).await?;
    let read: Vec<Position> = page.updates.iter().map(|appended| appended.position).collect();
    ensure!(read == positions[1..=3], "{read:?}");
    ensure!(page.reached == through, "it reached {:?}", page.reached);
    ensure!(page.oldest <= after.next(), "the oldest is {:?}", page.oldest);
    Ok(())
}

async fn what_was_dropped_is_not_kept<L: Log>(log: &L) -> Result<(), String> {
    let mut positions = Vec::new();
    for number in 0..6 {
        positions.push(log.append(update(&format!("urn:{number}"), "a", "")).await?);
    }
    let (dropped, end) = (positions[3], positions[5]);
    if !log.drop_through(dropped).await? {
        return Ok(());
    }
    let located = log.locate(by_ids(&["urn:3"], Position::START)).await?;
    ensure!(located == Located::Unknown, "a dropped id: {located:?}");
    let kept = from_the_floor(log, end).await?;
    ensure!(ids(&kept) == ["urn:4", "urn:5"], "from the floor on: {kept:?}");
    let told = Place { position: positions[1], since: Timestamp::default() };
    let located = log.locate(Location::Told(told)).await?;
    ensure!(located == Located::Unknown, "a place before what was dropped: {located:?}");
    let all = replay(log, dropped, end, &everything()?, LARGE).await?;
    ensure!(all.len() == 2, "{} updates are left", all.len());
    let position = log.append(update("urn:6", "a", "")).await?;
    ensure!(position > end, "a number was used again: {position:?}");
    Ok(())
}

async fn a_page_of_what_was_dropped_meanwhile_is_whole_or_says_so<L: Log>(
    log: &L,
) -> Result<(), String> {
    let mut positions = Vec::new();
    for number in 0..6 {
        positions.push(log.append(update(&format!("urn:{number}"), "a", "")).await?);
    }
    let (after, end) = (positions[1], positions[5]);
    let promised = fetch(log, after, end, LARGE);
    if !log.drop_through(positions[3]).await? {
        return Ok(());
    }
    let page = log.page(promised, everything()?).await?;
    let is_whole = ids(&page.updates) == ["urn:2", "urn:3", "urn:4", "urn:5"];
    let says_so = page.oldest > after.next();
    ensure!(is_whole || says_so, "a stream would not notice what {page:?} lacks");
    // Nothing is missing from where the log now begins.
    let page = log.page(fetch(log, positions[3], end, LARGE), everything()?).await?;
    let oldest = page.oldest;
    ensure!(oldest <= positions[4], "a stream would be cut for nothing: {oldest:?}");
    Ok(())
}

async fn a_log_may_drop_everything<L: Log>(log: &L) -> Result<(), String> {
    let mut end = Position::START;
    for number in 0..3 {
        end = log.append(update(&format!("urn:{number}"), "a", "")).await?;
    }
    if !log.drop_through(end).await? {
        return Ok(());
    }
    for round in ["at once", "opened again"] {
        let located = log.locate(Location::Newest(end)).await?;
        ensure!(located == Located::Unknown, "{round}, the newest: {located:?}");
        let located = log.locate(by_ids(&["urn:2"], Position::START)).await?;
        ensure!(located == Located::Unknown, "{round}, the last id: {located:?}");
        let kept = from_the_floor(log, end).await?;
        ensure!(kept.is_empty(), "{round}, from the floor on: {kept:?}");
        let told = Place { position: end, since: log.now() };
        let located = log.locate(Location::Told(told)).await?;
        ensure!(located == Located::Kept, "{round}, its end: {located:?}");
        log.reopen().await?;
    }
    let position = log.append(update("urn:3", "a", "")).await?;
    ensure!(position > end, "a number was used again: {position:?}");
    let replayed = replay(log, end, position, &everything()?, LARGE).await?;
    ensure!(ids(&replayed) == ["urn:3"], "after its end came {replayed:?}");
    Ok(())
}

async fn a_log_that_is_opened_again_goes_on<L: Log>(log: &L) -> Result<(), String> {
    let mut positions = Vec::new();
    for number in 0..3 {
        positions.push(log.append(update(&format!("urn:{number}"), "a", "")).await?);
        log.reopen().await?;
    }
    ensure!(positions.is_sorted_by(|a, b| a < b), "positions do not rise: {positions:?}");
    let replayed = replay(log, Position::START, positions[2], &everything()?, LARGE).await?;
    ensure!(ids(&replayed) == ["urn:0", "urn:1", "urn:2"], "it kept {replayed:?}");
    Ok(())
}
