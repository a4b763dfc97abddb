//! The truth after the death of a hub, or of the processes that serve it: nobody is listed who is
//! gone, and everybody hears of it.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::asking::{active, announced, pattern, wait_at_most, watching};
use super::crowd::Crowd;
use crate::arguments::Capability;
use crate::case::{Case, Suite, case};
use crate::endurance::kill_children;
use crate::http::Request;
use crate::hub::{Hub, fresh};
use crate::stream::Stream;
use crate::token::Generation;

pub(super) const CASES: &[Case] = &[
    case!(a_killed_hub_leaves_nobody_behind launching),
    case!(killed_environments_leave_nobody_behind launching).needing(&[Capability::Environments]),
    case!(a_hub_that_is_asked_to_end_says_who_goes launching).needing(&[Capability::GracefulEnd]),
    case!(after_many_kills_those_are_listed_who_are_here launching)
        .needing(&[Capability::Disconnects]),
];

/// How soon the truth is told again.
const SOON: Duration = Duration::from_secs(60);

/// How many clients come and go.
const CLIENTS: usize = 50;

const ENDURING: &[(&str, &str)] = &[
    ("SUBSCRIPTIONS", "1"),
    ("HEARTBEAT", "500ms"),
    // No event may leave the history, however often the hub is killed.
    ("HISTORY_SIZE", "10000000"),
    ("REPLAY_MAX", "10000000"),
];

/// The identifiers in documents.
fn subscribers(documents: &[Value]) -> BTreeSet<String> {
    documents.iter().map(|document| document["subscriber"].to_string()).collect()
}

/// Everything that the log says of a matcher: how often each subscriber came and went.
fn told(hub: &Hub, matcher: &str) -> BTreeMap<String, (usize, usize)> {
    let marker = fresh("marker");
    let pattern = pattern(hub, matcher);
    let parameters =
        [("match_urlpattern", pattern.as_str()), ("match", &marker), ("last_event_id", "earliest")];
    let token = hub.subscriber(Generation::V1, &["*"]);
    let mut stream = hub.subscription(&parameters).bearer(&token).open().patience(SOON);
    hub.publish(&[("topic", &marker)]);
    let mut told = BTreeMap::<String, (usize, usize)>::new();
    loop {
        let event = stream.event();
        if event.event_type != "mercure" {
            return told;
        }
        let document = super::asking::document(&event);
        let times = told.entry(document["subscriber"].to_string()).or_default();
        match document["active"] == true {
            true => times.0 += 1,
            false => times.1 += 1,
        }
    }
}

/// Every subscriber that ever came has gone, once, but for those that are listed.
#[track_caller]
fn expect_told_of_all(hub: &Hub, matcher: &str) {
    let wrong = || -> Vec<(String, (usize, usize))> {
        let listed = subscribers(&active(hub, "exact", matcher));
        let expected = |who: &String| if listed.contains(who) { (1, 0) } else { (1, 1) };
        told(hub, matcher).into_iter().filter(|(who, times)| *times != expected(who)).collect()
    };
    // Who is not listed any more may be about to be told of.
    wait_at_most(SOON, "everybody who left was told of", || wrong().is_empty());
}

fn a_killed_hub_leaves_nobody_behind(suite: &Suite) {
    leaves_nobody_behind(suite, |hub| {
        hub.kill();
        hub.restart();
    });
}

fn killed_environments_leave_nobody_behind(suite: &Suite) {
    leaves_nobody_behind(suite, |hub| {
        assert!(kill_children(hub.process_id()) > 0, "it serves in no process but its own");
    });
}

fn leaves_nobody_behind(suite: &Suite, accident: fn(&Hub)) {
    let hub = suite.launch(ENDURING);
    let topic = fresh("room");
    let before = [hub.subscribe(&topic), hub.subscribe(&topic), hub.subscribe(&topic)];
    assert_eq!(active(&hub, "exact", &topic).len(), before.len());
    accident(&hub);
    // Where one process holds all streams, the first list is the truth, whatever is still to be told.
    if !hub.has(Capability::Environments) {
        assert_eq!(active(&hub, "exact", &topic), Vec::<Value>::new());
    }
    // Somebody hears of it, who came after the accident.
    let mut watcher = open_again(&watching(&hub, &topic)).patience(SOON);
    let after = open_again(&hub.subscription(&[("match", &topic)]));
    wait_at_most(SOON, "only who came afterwards is here", || {
        active(&hub, "exact", &topic).len() == 1
    });
    let mut last = announced(&mut watcher);
    while last["active"] == false {
        last = announced(&mut watcher);
    }
    assert_eq!(active(&hub, "exact", &topic), [last]);
    expect_told_of_all(&hub, &topic);
    drop((before, after));
}

/// Opens a stream as soon as the platform has replaced what was killed.
#[track_caller]
fn open_again(request: &Request) -> Stream {
    let deadline = Instant::now() + SOON;
    loop {
        match request.start() {
            Ok((head, body)) if head.status == 200 => return Stream::new(head, body),
            answer => {
                assert!(Instant::now() < deadline, "{:?} in answer to {request}", answer.err())
            }
        }
        thread::sleep(Duration::from_millis(100));
    }
}

fn a_hub_that_is_asked_to_end_says_who_goes(suite: &Suite) {
    let hub = suite.launch(ENDURING);
    let topic = fresh("room");
    let mut stream = hub.subscribe(&topic);
    assert_eq!(active(&hub, "exact", &topic).len(), 1);
    hub.ask_to_end();
    stream.rest();
    hub.kill();
    hub.restart();
    wait_at_most(SOON, "nobody is here", || active(&hub, "exact", &topic).is_empty());
    expect_told_of_all(&hub, &topic);
}

fn after_many_kills_those_are_listed_who_are_here(suite: &Suite) {
    let hub = suite.launch(ENDURING);
    let crowd = Crowd::start(&hub, &fresh("room"), CLIENTS);
    for _ in 0..suite.arguments.kills {
        crowd.wait_for_arrivals(CLIENTS);
        hub.kill();
        hub.restart();
    }
    crowd.wait_for_arrivals(CLIENTS);
    let topic = crowd.topic().to_owned();
    let here = crowd.settle();
    assert!(!here.is_empty());
    let names: BTreeSet<&str> = here.iter().map(|member| member.name()).collect();
    let listed = || {
        let own = format!("{topic}/");
        let all = super::asking::all(&hub);
        let names = all.iter().filter_map(|document| document["match"].as_str());
        names.filter(|name| name.starts_with(&own)).map(str::to_owned).collect::<Vec<_>>()
    };
    wait_at_most(SOON, "the collection is who is connected", || {
        let listed = listed();
        listed.len() == names.len() && listed.iter().all(|name| names.contains(name.as_str()))
    });
    assert_eq!(active(&hub, "exact", &topic).len(), names.len());
    expect_told_of_all(&hub, &topic);
    drop(here);
}
