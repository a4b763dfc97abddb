//! Who is here, when processes die, freeze, or lose their calls half-way.

use std::time::Duration;

use cinnabar_aws::deployment::PLATFORM;
use cinnabar_aws::log::presence::Presence;
use cinnabar_aws::log::{Clock, LogError};
use cinnabar_core::{
    ActiveSubscription, Admission, Command, Config, List, Position, Request, Step, Subscriptions,
    admit,
};
use jsonwebtoken::{EncodingKey, Header, crypto::aws_lc, encode};
use serde_json::{Value, json};

use crate::clock::TestClock;
use crate::local::{Table, read_through, update};
use crate::proxy::{Fate, Proxy};

const KEY: &str = "a key of this test, of thirty-two bytes";
const ROOM: &str = "/.well-known/mercure/subscriptions/exact/room";

/// The subscription to a room of a subscriber.
fn member(name: &str) -> Subscriptions {
    let record = json!({
        "match_type": "exact",
        "match": "room",
        "subscriber": format!("urn:uuid:{name}"),
        "begun": format!("urn:{name}:begins"),
        "ended": format!("urn:{name}:ends"),
    });
    let topic = format!("{ROOM}/urn%3Auuid%3A{name}");
    vec![ActiveSubscription::restored(&topic, &record.to_string()).unwrap()].into()
}

/// The question who is in the room.
fn question(clock: &TestClock) -> List {
    let _ = aws_lc::DEFAULT_PROVIDER.install_default();
    let variables = [
        ("MERCURE_PUBLISHER_JWT_KEY", KEY),
        ("MERCURE_SUBSCRIBER_JWT_KEY", KEY),
        ("SUBSCRIPTIONS", "1"),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let config = Config::read(&PLATFORM, variables).unwrap();
    let claims = json!({"mercure": {"subscribe": ["*"]}});
    let token =
        encode(&Header::default(), &claims, &EncodingKey::from_secret(KEY.as_bytes())).unwrap();
    let authorization = format!("Bearer {token}");
    let fields = [("authorization", authorization.as_bytes())];
    let request = Request::new("GET", &format!("https://hub.example{ROOM}"), fields);
    match admit(&request, &config, clock.now().wall, &[7; 32]) {
        Step::Done(Admission::Forward(Command::List(list))) => list,
        other => panic!("no question: {other:?}"),
    }
}

/// The names of those who are in the room.
async fn here(presence: &Presence, clock: &TestClock) -> Vec<String> {
    let answer = presence.list(&question(clock)).await.unwrap().response;
    let document: Value = serde_json::from_slice(answer.body()).unwrap();
    let all = document["subscriptions"].as_array().unwrap();
    let mut names: Vec<String> = all
        .iter()
        .map(|one| one["subscriber"].as_str().unwrap().replace("urn:uuid:", ""))
        .collect();
    names.sort();
    names
}

/// What the log has told.
async fn told(table: &Table, clock: &TestClock) -> Vec<String> {
    let log = table.log(clock);
    let end = log.head().await.unwrap();
    read_through(&log, clock, Position::START, end).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_process_leaves_ends_once_its_lease_has_run_out() {
    let (table, clock) = (Table::create().await, TestClock::new());
    let [dies, lives] = [(); 2].map(|()| Presence::new(&table.log(&clock)));
    dies.register(member("a")).await.unwrap();
    lives.register(member("b")).await.unwrap();
    assert_eq!(here(&lives, &clock).await, ["a", "b"]);
    for _ in 0..4 {
        clock.advance(Duration::from_secs(12));
        lives.renew().await.unwrap();
    }
    for _ in 0..3 {
        assert_eq!(here(&lives, &clock).await, ["b"]);
    }
    assert_eq!(told(&table, &clock).await, ["urn:a:begins", "urn:b:begins", "urn:a:ends"]);
    lives.unregister(member("b")).await.unwrap();
    assert_eq!(here(&lives, &clock).await, [""; 0]);
}

/// Others have ended its subscriptions; its streams must not go on as if they were here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_was_frozen_finds_out() {
    let (table, clock) = (Table::create().await, TestClock::new());
    let [freezes, other] = [(); 2].map(|()| Presence::new(&table.log(&clock)));
    freezes.register(member("a")).await.unwrap();
    clock.advance(Duration::from_secs(25));
    freezes.renew().await.unwrap();
    // It is late, but nobody has looked.
    clock.advance(Duration::from_secs(60));
    freezes.renew().await.unwrap();
    assert_eq!(here(&other, &clock).await, ["a"]);
    clock.advance(Duration::from_secs(60));
    assert_eq!(here(&other, &clock).await, [""; 0]);
    assert_eq!(freezes.renew().await, Err(LogError::TakenForDead));
    assert!(freezes.registered("").is_empty());
    // It starts over.
    freezes.register(member("c")).await.unwrap();
    assert_eq!(here(&other, &clock).await, ["c"]);
    assert_eq!(told(&table, &clock).await, ["urn:a:begins", "urn:a:ends", "urn:c:begins"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_that_was_told_is_not_told_again_by_who_comes_next() {
    let (table, clock) = (Table::create().await, TestClock::new());
    // It dies before it deletes the row.
    let proxy = Proxy::new(table.port, |call| match call.operation.as_str() {
        "DeleteItem" => Fate::Drop,
        _ => Fate::Pass,
    })
    .await;
    let dies = Presence::new(&table.log_through(&proxy, &clock));
    dies.register(member("a")).await.unwrap();
    assert!(dies.unregister(member("a")).await.is_err());
    let lives = Presence::new(&table.log(&clock));
    // Marked, so not listed, though its lease still runs.
    assert_eq!(here(&lives, &clock).await, [""; 0]);
    clock.advance(Duration::from_secs(60));
    assert_eq!(here(&lives, &clock).await, [""; 0]);
    assert_eq!(told(&table, &clock).await, ["urn:a:begins", "urn:a:ends"]);
}

/// The same end by two at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_look_at_the_same_time_tell_an_end_once() {
    let (table, clock) = (Table::create().await, TestClock::new());
    let [dies, one, another] = [(); 3].map(|()| Presence::new(&table.log(&clock)));
    dies.register(member("a")).await.unwrap();
    clock.advance(Duration::from_secs(60));
    let lists = tokio::join!(here(&one, &clock), here(&another, &clock));
    assert_eq!(lists, (vec![], vec![]));
    assert_eq!(told(&table, &clock).await, ["urn:a:begins", "urn:a:ends"]);
}

/// Whoever follows from the id that a list names misses nothing, not even what is still on its way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_event_of_a_list_has_nothing_missing_before_it() {
    let (table, clock) = (Table::create().await, TestClock::new());
    let log = table.log(&clock);
    let presence = Presence::new(&log);
    let newest = async || {
        let answer = presence.list(&question(&clock)).await.unwrap().response;
        answer.headers().get("etag").map(|tag| tag.to_str().unwrap().replace('"', ""))
    };
    assert_eq!(newest().await.as_deref(), Some("earliest"));
    log.append(&update("first"), cinnabar_core::IdOrigin::Hub).await.unwrap();
    table.take_number().await;
    log.append(&update("third"), cinnabar_core::IdOrigin::Hub).await.unwrap();
    assert_eq!(newest().await.as_deref(), Some("first"));
}
