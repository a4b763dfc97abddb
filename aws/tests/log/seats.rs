//! Seats: how many streams an account has over all environments.

use std::time::Duration;

use cinnabar_aws::deployment::PLATFORM;
use cinnabar_aws::log::{Clock, Log, Seating, Seats};
use cinnabar_core::{
    Admission, Command, Config, Quota, Request, Step, Subscribe, Timestamp, admit,
};

use crate::clock::TestClock;
use crate::local::Table;
use crate::proxy::{Fate, Proxy};

/// How long these streams live.
const LIFE: Duration = Duration::from_mins(5);

/// What an address may have: three streams.
fn quotas(address: &str) -> Vec<Quota> {
    let variables = [
        ("MERCURE_PUBLISHER_JWT_KEY", "a publisher's key of thirty-two bytes"),
        ("ANONYMOUS", "1"),
        ("MAX_STREAMS_PER_ADDRESS", "3"),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let config = Config::read(&PLATFORM, variables).unwrap();
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
    for log in [&here, &there, &here] {
        assert!(take(log, &clock, &alice).await.is_some());
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
    for _ in 0..3 {
        assert!(take(&log, &clock, &alice).await.is_some());
    }
    // The clock runs on meanwhile.
    clock.advance(LIFE / 2);
    assert!(take(&log, &clock, &alice).await.is_none());
    clock.advance(LIFE);
    for _ in 0..3 {
        assert!(take(&log, &clock, &alice).await.is_some());
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
        assert!(take(&log, &clock, &other).await.is_some());
    }
    log.leave_seats(taken.pop().unwrap()).await;
    assert!(take(&log, &clock, &full).await.is_some());
    assert!(take(&log, &clock, &full).await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_that_come_at_once_no_more_get_a_seat() {
    let (table, clock) = (Table::create().await, TestClock::new());
    let alice = quotas("192.0.2.1");
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let (log, clock, alice) = (table.log(&clock), clock.clone(), alice.clone());
        tasks.spawn(async move { take(&log, &clock, &alice).await.is_some() });
    }
    let taken = tasks.join_all().await.into_iter().filter(|taken| *taken).count();
    assert!((1..=3).contains(&taken), "{taken}");
    let log = table.log(&clock);
    for _ in taken..3 {
        assert!(take(&log, &clock, &alice).await.is_some());
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
