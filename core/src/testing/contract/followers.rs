//! The cases of those that are here through a follower of the log.

use super::given::ensure;
use super::log::Log;
use super::presence::{ask, listed, subscribers, subscriptions};
use crate::feed::FollowerId;
use crate::terms::subscription::Scope;
use crate::{Position, Subscriptions};

const ONE: FollowerId = FollowerId::from_random([1; 16]);
const OTHER: FollowerId = FollowerId::from_random([2; 16]);

/// How many streams are more than a log ends in one step.
const MANY: u8 = 200;

/// How many events there are so far.
async fn events<L: Log>(log: &L) -> Result<usize, String> {
    Ok(log.tail(Position::START).await?.len())
}

async fn everybody<L: Log>(log: &L) -> Result<Vec<String>, String> {
    listed(&ask(log, Scope::All).await?)
}

/// A link may break before the answer has come.
pub(super) async fn a_follower_may_ask_twice<L: Log>(log: &L) -> Result<(), String> {
    let both = subscriptions("match=a&match=b", 1)?;
    if !log.register_for(ONE, subscriptions("match=a", 1)?).await? {
        return Ok(());
    }
    for _ in 0..2 {
        log.register_for(ONE, both.clone()).await?;
        ensure!(events(log).await? == 2, "{} events of two beginnings", events(log).await?);
    }
    ensure!(everybody(log).await? == subscribers(&[&both]), "not both of them are listed");
    for _ in 0..2 {
        log.unregister(both.clone()).await?;
        ensure!(events(log).await? == 4, "{} events, with two ends", events(log).await?);
    }
    ensure!(log.followers().await?.is_empty(), "a follower is noted that holds nothing");
    Ok(())
}

pub(super) async fn what_a_follower_holds_ends_with_it<L: Log>(log: &L) -> Result<(), String> {
    let (own, others) = (subscriptions("match=a", 201)?, subscriptions("match=a", 202)?);
    log.register_for(OTHER, others.clone()).await?;
    let mut held = Vec::new();
    for number in 0..MANY {
        let one = subscriptions("match=a&match=b", number)?;
        if !log.register_for(ONE, one.clone()).await? {
            return Ok(());
        }
        held.extend(one.iter());
    }
    log.register(own.clone()).await?;
    let mut followers = log.followers().await?;
    followers.sort();
    ensure!(followers == [ONE, OTHER], "{followers:?} are noted");

    let (before, held) = (events(log).await?, Subscriptions::from(held));
    log.end_all_of(ONE).await?;
    let told = log.tail(Position::START).await?;
    let mut ended: Vec<_> = told[before..].iter().map(|it| it.update.id()).collect();
    let ends: Vec<_> = held.iter().map(|one| one.end()).collect();
    let mut expected: Vec<_> = ends.iter().map(|end| end.id()).collect();
    ended.sort();
    expected.sort();
    ensure!(ended == expected, "{} of {} ends were told", ended.len(), expected.len());
    ensure!(everybody(log).await? == subscribers(&[&own, &others]), "not the others are left");
    let followers = log.followers().await?;
    ensure!(followers == [OTHER], "{followers:?} are left");
    Ok(())
}

pub(super) async fn what_a_follower_holds_outlives_the_process<L: Log>(
    log: &L,
) -> Result<(), String> {
    let (own, one) = (subscriptions("match=a", 1)?, subscriptions("match=a", 2)?);
    log.register(own.clone()).await?;
    if !log.register_for(ONE, one.clone()).await? || !log.reopen().await? {
        return Ok(());
    }
    ensure!(everybody(log).await? == subscribers(&[&one]), "not the follower's is left");
    ensure!(log.followers().await? == [ONE], "the follower is forgotten");
    // What an earlier process held ends as well.
    log.end_all_of(ONE).await?;
    ensure!(events(log).await? == 4, "{} events, and not four", events(log).await?);
    log.end_all_of(ONE).await?;
    ensure!(events(log).await? == 4, "an end was told twice");
    ensure!(everybody(log).await?.is_empty() && log.followers().await?.is_empty(), "who is left?");
    Ok(())
}
