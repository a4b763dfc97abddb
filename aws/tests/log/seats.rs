//! Seats: how many streams an account has over all environments.

use std::time::{Duration, Instant};

use cinnabar_aws::answer::Answer;
use cinnabar_aws::deployment::PLATFORM;
use cinnabar_aws::event::Event;
use cinnabar_aws::hub::Hub;
use cinnabar_aws::log::{Clock, Log, Seating, Seats};
use cinnabar_core::{
    Admission, Command, Config, Quota, Request, Step, Subscribe, Timestamp, admit,
};
use cinnabar_runtime::machine;
use serde_json::json;

use crate::clock::TestClock;
use crate::local::{DEADLINE, Table};
use crate::proxy::{Fate, Proxy};

/// How long these streams live.
const LIFE: Duration = Duration::from_mins(5);

/// A hub where an address may have so many streams.
fn config(most: &str) -> Config {
    let variables = [
        ("MERCURE_PUBLISHER_JWT_KEY", "a publisher's key of thirty-two bytes"),
        ("ANONYMOUS", "1"),
        ("MAX_STREAMS_PER_ADDRESS", most),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Config::read(&PLATFORM, variables).unwrap()
}

/// What an address may have: three streams.
fn quotas(address: &str) -> Vec<Quota> {
    let config = config("3");
    let request = Request::new("GET", "https://hub.example/.well-known/mercure?match=a", []);
    let request = request.sent_from(address);
    match admit(&request, &config, Timestamp::default(), &[7; 32]) {
        Step::Done(Admission::Forward(Command::Subscribe(subscribe))) => {
            Subscribe::quotas(&subscribe).to_vec()
        }
        other => panic!("not a subscription: {other:?}"),
    }
}

/// The seats that are taken for a stream, if there are any left.
async fn take(log: &Log, clock: &TestClock, quotas: &[Quota]) -> Option<Seats> {
    match log.take_seats(quotas, clock.now().wall.plus(LIFE)).await.unwrap() {
        Seating::Taken(seats) => Some(seats),
        Seating::Full(account) => {
            assert!(quotas.iter().any(|quota| quota.account() == account));
            None
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_has_so_many_streams_over_all_environments() {
    let (table, clock) = (Table::create().await, TestClock::new());
    let (here, there) = (table.log(&clock), table.log(&clock));
    let alice = quotas("192.0.2.1");
    let mut taken = Vec::new();
    for log in [&here, &there, &here] {
        taken.push(take(log, &clock, &alice).await.unwrap());
    }
    for log in [&here, &there] {
        assert!(take(log, &clock, &alice).await.is_none());
    }
    assert!(take(&there, &clock, &quotas("192.0.2.2")).await.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_seat_is_free_once_its_stream_has_ended() {
    let (table, clock) = (Table::create().await, TestClock::new());
    let (log, alice) = (table.log(&clock), quotas("192.0.2.1"));
    let mut first = Vec::new();
    for _ in 0..3 {
        first.push(take(&log, &clock, &alice).await.unwrap());
    }
    // The clock runs on meanwhile.
    clock.advance(LIFE / 2);
    assert!(take(&log, &clock, &alice).await.is_none());
    clock.advance(LIFE);
    let mut second = Vec::new();
    for _ in 0..3 {
        second.push(take(&log, &clock, &alice).await.unwrap());
    }
    // Whoever leaves late leaves nobody else's.
    for seats in first {
        seats.leave().await;
    }
    assert!(take(&log, &clock, &alice).await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_does_not_begin_leaves_its_seats_and_takes_none_if_one_is_missing() {
    let (table, clock) = (Table::create().await, TestClock::new());
    let log = table.log(&clock);
    let (full, other) = (quotas("192.0.2.1"), quotas("192.0.2.2"));
    let mut taken = Vec::new();
    for _ in 0..3 {
        taken.push(take(&log, &clock, &full).await.unwrap());
    }
    // It has a seat on the first account, and gets none on the second.
    let both = [&other[..], &full].concat();
    for _ in 0..4 {
        assert!(take(&log, &clock, &both).await.is_none());
    }
    for _ in 0..3 {
        taken.push(take(&log, &clock, &other).await.unwrap());
    }
    taken.remove(0).leave().await;
    taken.push(take(&log, &clock, &full).await.unwrap());
    assert!(take(&log, &clock, &full).await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_that_come_at_once_no_more_get_a_seat() {
    let (table, clock) = (Table::create().await, TestClock::new());
    let alice = quotas("192.0.2.1");
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let (log, clock, alice) = (table.log(&clock), clock.clone(), alice.clone());
        tasks.spawn(async move { take(&log, &clock, &alice).await });
    }
    let mut taken: Vec<Seats> = tasks.join_all().await.into_iter().flatten().collect();
    assert!((1..=3).contains(&taken.len()), "{taken:?}");
    let log = table.log(&clock);
    while taken.len() < 3 {
        taken.push(take(&log, &clock, &alice).await.unwrap());
    }
    assert!(take(&log, &clock, &alice).await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_does_not_answer_is_no_limit_that_is_reached() {
    let (table, clock) = (Table::create().await, TestClock::new());
    let proxy = Proxy::new(table.port, |_| Fate::Fail).await;
    let log = table.log_through(&proxy, &clock);
    let until = clock.now().wall.plus(LIFE);
    assert!(log.take_seats(&quotas("192.0.2.1"), until).await.is_err());
    // Without a limit, nobody asks.
    assert!(log.take_seats(&[], until).await.is_ok());
}

/// A subscriber of one address comes.
async fn comes(hub: &Hub) -> Answer {
    let event: Event = serde_json::from_value(json!({
        "rawPath": "/.well-known/mercure",
        "rawQueryString": "match=a",
        "requestContext": {
            "domainName": "hub.example",
            "http": {"method": "GET", "sourceIp": "192.0.2.1"},
        },
    }))
    .unwrap();
    hub.respond(event, machine::now().plus(Duration::from_mins(10))).await.unwrap()
}

fn is_stream(answer: &Answer) -> bool {
    answer.metadata_prelude.status_code == 200
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_the_hub_ends_early_leaves_its_seat_before_its_response_ends() {
    let (table, clock) = (Table::create().await, TestClock::new());
    let [ends, stays] = [(); 2].map(|()| Hub::new(config("1"), table.log(&clock)));
    let mut answer = comes(&ends).await;
    assert!(is_stream(&answer));
    assert!(!is_stream(&comes(&stays).await));
    let read = async { while answer.stream.next().await.is_some() {} };
    tokio::join!(ends.shut_down(), read);
    assert!(is_stream(&comes(&stays).await));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_whose_response_breaks_off_leaves_its_seat() {
    let (table, clock) = (Table::create().await, TestClock::new());
    let hub = Hub::new(config("1"), table.log(&clock));
    let answer = comes(&hub).await;
    assert!(is_stream(&answer));
    drop(answer);
    let began = Instant::now();
    while !is_stream(&comes(&hub).await) {
        assert!(began.elapsed() < DEADLINE, "its seat is taken");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
