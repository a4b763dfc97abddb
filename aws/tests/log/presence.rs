//! Who is here, when processes die, freeze, or lose their calls half-way.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use cinnabar_aws::deployment::PLATFORM;
use cinnabar_aws::log::presence::Presence;
use cinnabar_aws::log::{Clock, LogError};
use cinnabar_core::{
    ActiveSubscription, Admission, Command, Config, List, Position, Request, Step, Subscriptions,
    admit,
};
use jsonwebtoken::{EncodingKey, Header, crypto::aws_lc, encode};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::clock::TestClock;
use crate::local::{DEADLINE, Table, read_through, update};
use crate::proxy::{Call, Fate, Proxy};

const KEY: &str = "a key of this test, of thirty-two bytes";
const EXACT: &str = "/.well-known/mercure/subscriptions/exact";
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

/// The question who is in a room.
pub(crate) fn question(room: &str, clock: &TestClock) -> List {
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
    let request = Request::new("GET", &format!("https://hub.example{EXACT}/{room}"), fields);
    match admit(&request, &config, clock.now().wall, &[7; 32]) {
        Step::Done(Admission::Forward(Command::List(list))) => list,
        other => panic!("no question: {other:?}"),
    }
}

/// The names of those who are in the room.
async fn here(presence: &Presence, clock: &TestClock) -> Vec<String> {
    let answer = presence.list(&question("room", clock)).await.unwrap().response;
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

/// Has a list end what was left behind. A look that a renewal began may be at it already: then whoever
/// lists leaves it to that.
async fn until_one_lease_is_left(table: &Table, lives: &Presence, clock: &TestClock) {
    let began = Instant::now();
    while table.partition("holders#hub").await.len() > 1 {
        assert!(began.elapsed() < DEADLINE, "the lease of a dead process is kept");
        assert_eq!(here(lives, clock).await, ["b"]);
    }
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
    until_one_lease_is_left(&table, &lives, &clock).await;
    assert_eq!(here(&lives, &clock).await, ["b"]);
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
    // It makes sure that nothing of it is left, and starts over.
    freezes.unregister(freezes.registered("").into()).await.unwrap();
    assert!(freezes.registered("").is_empty());
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
        let answer = presence.list(&question("room", &clock)).await.unwrap().response;
        let link = answer.headers()["link"].to_str().unwrap();
        let named = link.split_once("last-event-id=\"").unwrap().1;
        named.split('"').next().unwrap().to_owned()
    };
    assert_eq!(newest().await, "earliest");
    log.append(&update("first"), cinnabar_core::IdOrigin::Hub).await.unwrap();
    table.take_number().await;
    log.append(&update("third"), cinnabar_core::IdOrigin::Hub).await.unwrap();
    assert_eq!(newest().await, "first");
}

/// The first call of a kind, which waits until it is released.
struct Held {
    proxy: Proxy,
    arrived: Arc<Notify>,
    released: Arc<Notify>,
}

impl Held {
    async fn new(table: &Table, is_it: impl Fn(&Call) -> bool + Send + 'static) -> Self {
        let [arrived, released] = [(); 2].map(|()| Arc::new(Notify::new()));
        let mut notify = Some((Arc::clone(&arrived), Arc::clone(&released)));
        let proxy = Proxy::new(table.port, move |call| match notify.take_if(|_| is_it(call)) {
            None => Fate::Pass,
            Some((arrived, released)) => {
                arrived.notify_one();
                Fate::Hold(released)
            }
        });
        Self { proxy: proxy.await, arrived, released }
    }
}

fn closes(call: &Call) -> bool {
    call.body["UpdateExpression"].as_str().is_some_and(|update| update.contains("dead"))
}

fn marks(call: &Call) -> bool {
    call.body["UpdateExpression"].as_str().is_some_and(|update| update.contains("#by"))
}

fn notes(call: &Call) -> bool {
    call.operation == "PutItem" && call.body["Item"]["s"]["S"] == "here#hub"
}

/// Asks who is in the room, meanwhile.
fn asks(presence: &Presence, clock: &TestClock) -> JoinHandle<Vec<String>> {
    let (presence, clock) = (presence.clone(), clock.clone());
    tokio::spawn(async move { here(&presence, &clock).await })
}

/// Nobody is left out of a list who may yet go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_renews_while_others_look_is_listed() {
    let (table, clock) = (Table::create().await, TestClock::new());
    let held = Held::new(&table, closes).await;
    let freezes = Presence::new(&table.log(&clock));
    let other = Presence::new(&table.log_through(&held.proxy, &clock));
    freezes.register(member("a")).await.unwrap();
    clock.advance(Duration::from_secs(60));
    let list = asks(&other, &clock);
    held.arrived.notified().await;
    assert_eq!(freezes.renew().await, Ok(()));
    held.released.notify_one();
    assert_eq!(list.await.unwrap(), ["a"]);
    assert_eq!(told(&table, &clock).await, ["urn:a:begins"]);
}

/// Nor does anybody go on who is left out, not even where nothing can be written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_cannot_renew_finds_out_once_it_is_left_out() {
    let (table, clock) = (Table::create().await, TestClock::new());
    let proxy = Proxy::new(table.port, |_| Fate::Pass).await;
    let fails = Presence::new(&table.log_through(&proxy, &clock));
    let other = Presence::new(&table.log(&clock));
    fails.register(member("a")).await.unwrap();
    proxy.decide(|call| match call.operation.as_str() {
        "UpdateItem" => Fate::Throttle,
        _ => Fate::Pass,
    });
    clock.advance(Duration::from_secs(60));
    assert_eq!(fails.renew().await, Ok(()));
    assert_eq!(here(&other, &clock).await, [""; 0]);
    clock.advance(Duration::from_secs(2));
    assert_eq!(fails.renew().await, Err(LogError::TakenForDead));
}

/// A list that cannot be told whether somebody is dead is no list.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whose_lease_cannot_be_closed_is_neither_listed_nor_left_out() {
    let (table, clock) = (Table::create().await, TestClock::new());
    let proxy = Proxy::new(table.port, |call| match call.operation.as_str() {
        "UpdateItem" => Fate::Throttle,
        _ => Fate::Pass,
    })
    .await;
    let dies = Presence::new(&table.log(&clock));
    let other = Presence::new(&table.log_through(&proxy, &clock));
    dies.register(member("a")).await.unwrap();
    clock.advance(Duration::from_secs(60));
    let list = other.list(&question("room", &clock)).await;
    assert!(matches!(list, Err(LogError::Unavailable(_))), "{list:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_gives_up_in_a_sweep_leaves_it_to_the_next() {
    let (table, clock) = (Table::create().await, TestClock::new());
    let held = Held::new(&table, marks).await;
    let dies = Presence::new(&table.log(&clock));
    let lives = Presence::new(&table.log_through(&held.proxy, &clock));
    dies.register(member("a")).await.unwrap();
    clock.advance(Duration::from_secs(60));
    let list = asks(&lives, &clock);
    held.arrived.notified().await;
    list.abort();
    assert!(list.await.unwrap_err().is_cancelled());
    assert_eq!(here(&lives, &clock).await, [""; 0]);
    assert_eq!(told(&table, &clock).await, ["urn:a:begins", "urn:a:ends"]);
}

/// Has a process write a row when its lease is gone: its subscription has not begun, and the process is
/// not heard of again.
async fn leave_a_row_without_a_lease(table: &Table, clock: &TestClock) {
    let held = Held::new(table, notes).await;
    let thaws = Presence::new(&table.log_through(&held.proxy, clock));
    let other = Presence::new(&table.log(clock));
    let registered = tokio::spawn({
        let thaws = thaws.clone();
        async move { thaws.register(member("a")).await }
    });
    held.arrived.notified().await;
    clock.advance(Duration::from_secs(60));
    assert_eq!(here(&other, clock).await, [""; 0]);
    assert!(table.partition("holders#hub").await.is_empty());
    held.released.notify_one();
    // Nobody would list it, so it does not begin.
    assert!(registered.await.unwrap().is_err());
    assert_eq!(thaws.registered("").len(), 1);
    assert_eq!(table.partition("here#hub").await.len(), 1);
    assert_eq!(told(table, clock).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_without_a_lease_ends_when_somebody_lists() {
    let (table, clock) = (Table::create().await, TestClock::new());
    leave_a_row_without_a_lease(&table, &clock).await;
    let other = Presence::new(&table.log(&clock));
    assert_eq!(here(&other, &clock).await, [""; 0]);
    assert!(table.partition("here#hub").await.is_empty());
    assert_eq!(told(&table, &clock).await, ["urn:a:ends"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_without_a_lease_ends_even_if_nobody_lists() {
    let (table, clock) = (Table::create().await, TestClock::new());
    leave_a_row_without_a_lease(&table, &clock).await;
    let other = Presence::new(&table.log(&clock));
    other.register(member("b")).await.unwrap();
    let began = Instant::now();
    while table.partition("here#hub").await.len() > 1 {
        assert!(began.elapsed() < DEADLINE, "it does not end");
        clock.advance(Duration::from_secs(10));
        other.renew().await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(told(&table, &clock).await, ["urn:b:begins", "urn:a:ends"]);
}

/// What a test writes to its log.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn rows_that_cannot_be_read_keep_nobody_from_the_others_and_are_not_shown() {
    let written = Written::default();
    let writer = written.clone();
    let log = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(log);
    let (table, clock) = (Table::create().await, TestClock::new());
    let [dies, lives] = [(); 2].map(|()| Presence::new(&table.log(&clock)));
    dies.register(member("a")).await.unwrap();
    let holder = table.partition("holders#hub").await.pop().unwrap().remove("n").unwrap();
    lives.register(member("b")).await.unwrap();
    // In front of the others, and behind them in the same collection.
    let key = |row: &std::collections::HashMap<String, AttributeValue>| -> u128 {
        row["n"].as_n().unwrap().parse().unwrap()
    };
    let last = table.partition("here#hub").await.iter().map(key).max().unwrap();
    let text = |text: &str| AttributeValue::S(text.into());
    for (key, attribute) in [(7, "e"), (8, "d"), (last - 1, "d"), (last + 1, "e")] {
        let row = [
            ("s", text("here#hub")),
            ("n", AttributeValue::N(key.to_string())),
            ("t", text(&format!("{ROOM}/secret"))),
            ("h", holder.clone()),
            (attribute, text("a secret of another version")),
        ];
        table.put(row.map(|(name, value)| (name.to_owned(), value)).into()).await;
    }
    assert_eq!(here(&lives, &clock).await, ["a", "b"]);
    for _ in 0..4 {
        clock.advance(Duration::from_secs(12));
        lives.renew().await.unwrap();
    }
    until_one_lease_is_left(&table, &lives, &clock).await;
    assert_eq!(here(&lives, &clock).await, ["b"]);
    assert_eq!(told(&table, &clock).await, ["urn:a:begins", "urn:b:begins", "urn:a:ends"]);
    let written = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    assert!(written.contains(&format!("key={}", last + 1)), "{written}");
    assert!(!written.contains("secret") && !written.contains("subscriptions/"), "{written}");
}
