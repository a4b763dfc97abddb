//! Limits of one client: how many streams it may have, and how often it may publish.
//!
//! draft-08, "Subscription", asks for the former and leaves the rest open: who one client is, and
//! what a browser is answered, are decisions of the project.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::arguments::Capability;
use crate::case::{Case, case};
use crate::http::{DEADLINE, Head, Request, Response};
use crate::hub::{Hub, fresh};
use crate::launch::Variables;
use crate::stream::{End, Stream};

pub(crate) const CASES: &[Case] = &[
    case!(an_address_has_so_many_streams on BEHIND_A_PROXY),
    case!(a_network_of_ipv6_is_one_address on BEHIND_A_PROXY),
    case!(a_stream_that_ends_makes_room on BEHIND_A_PROXY).needing(&[Capability::Disconnects]),
    case!(a_browser_is_asked_to_come_back_later on BEHIND_A_PROXY),
    case!(the_platform_says_where_a_connection_is_from on BY_CONNECTION),
    case!(a_subject_has_so_many_streams on BY_TOKEN),
    case!(a_token_publishes_so_often on SLOW_PUBLISHERS),
    case!(without_limits_nobody_is_turned_away),
];

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const BEHIND_A_PROXY: Variables =
    &[("MAX_STREAMS_PER_ADDRESS", "2"), ("ADDRESS_HEADER", "X-Real-IP"), ("ORIGIN_SECRET", SECRET)];
const BY_CONNECTION: Variables = &[("MAX_STREAMS_PER_ADDRESS", "2")];
const BY_TOKEN: Variables = &[("MAX_STREAMS_PER_TOKEN", "2")];
const SLOW_PUBLISHERS: Variables = &[("MAX_PUBLICATIONS_PER_SECOND", "1")];

/// An address that no other case of this run has.
fn address() -> String {
    static ADDRESSES: AtomicU32 = AtomicU32::new(0);
    format!("198.18.0.{}", ADDRESSES.fetch_add(1, Ordering::Relaxed))
}

/// A subscription as the proxy passes it on.
fn from(hub: &Hub, address: &str) -> Request {
    hub.subscription(&[("match", "a")])
        .header("X-Origin-Verify", SECRET)
        .header("X-Real-IP", address)
}

/// A reader that is told the truth.
fn told(request: Request) -> Request {
    request.without_header("Accept").header("Accept", "*/*")
}

/// The answer must be 429, and say when to come back.
#[track_caller]
fn expect_refusal(response: Response) {
    let answer = response.expect_no_challenge(429);
    let seconds = answer.header("Retry-After").unwrap_or_default();
    assert!(seconds.parse::<u32>().is_ok_and(|seconds| seconds > 0), "{answer}");
    assert_eq!(answer.header("Content-Type").as_deref(), Some("application/problem+json"));
}

fn an_address_has_so_many_streams(hub: &Hub) {
    let (one, other) = (address(), address());
    let _streams = [from(hub, &one).open(), from(hub, &one).open()];
    expect_refusal(told(from(hub, &one)).send());
    // What the client itself may have sent stands before what the proxy appends.
    expect_refusal(told(from(hub, &format!("203.0.113.9, {one}"))).send());
    told(from(hub, &other)).open();
    // No stream, no limit.
    let probe = hub.request("HEAD", format!("{}?match=a", hub.path()));
    let probe = probe.header("X-Origin-Verify", SECRET).header("X-Real-IP", &one);
    probe.send().expect_status(200);
}

fn a_network_of_ipv6_is_one_address(hub: &Hub) {
    let _streams = [from(hub, "2001:db8:1:2::1").open(), from(hub, "2001:db8:1:2:ffff::1").open()];
    expect_refusal(told(from(hub, "2001:db8:1:2::3")).send());
    told(from(hub, "2001:db8:1:3::1")).open();
}

// Within two heartbeats, since a hub learns of it when it writes one.
fn a_stream_that_ends_makes_room(hub: &Hub) {
    let address = address();
    let first = from(hub, &address).open();
    let _second = from(hub, &address).open();
    expect_refusal(told(from(hub, &address)).send());
    drop(first);
    let deadline = Instant::now() + DEADLINE;
    let head = || -> Head { told(from(hub, &address)).start().expect("the hub answers").0 };
    while head().status != 200 {
        assert!(Instant::now() < deadline, "no stream was freed");
        thread::sleep(Duration::from_millis(100));
    }
}

// "Passing failure of a subscription": `EventSource` gives up for good at a 429.
fn a_browser_is_asked_to_come_back_later(hub: &Hub) {
    let address = address();
    let _streams = [from(hub, &address).open(), from(hub, &address).open()];
    let usual = 8_000;
    let expect_retry = |stream: &Stream| {
        let retry = stream.retry().expect("it is told when to come back");
        assert!((usual + 1..=60 * usual).contains(&retry), "{retry}");
    };

    let mut stream = from(hub, &address).native().header("Last-Event-ID", "my-cursor").open();
    let (events, end) = stream.rest();
    assert_eq!((events.len(), end), (1, End::Clean));
    assert_eq!((events[0].event_type.as_str(), stream.last_event_id()), ("cinnabar", "my-cursor"));
    expect_retry(&stream);

    // Over plain http, browsers send no `Sec-Fetch-Mode`.
    let mut stream = from(hub, &address).open();
    let (events, end) = stream.rest();
    assert_eq!((events.len(), end), (0, End::Clean));
    expect_retry(&stream);
}

// Cloudflare says it in this field, which clients cannot set there. Elsewhere it means nothing.
fn the_platform_says_where_a_connection_is_from(hub: &Hub) {
    let request = || hub.subscription(&[("match", "a")]).header("CF-Connecting-IP", "198.18.1.1");
    let _streams = [request().open(), request().open()];
    expect_refusal(told(request()).send());
    let forged =
        request().header("X-Forwarded-For", "203.0.113.9").header("X-Real-IP", "203.0.113.9");
    expect_refusal(told(forged).send());
}

fn a_subject_has_so_many_streams(hub: &Hub) {
    let subject = fresh("user");
    let with = |token: &str| told(hub.subscription(&[("match", "a")])).bearer(token);
    let token = |name: &str| {
        hub.subscriber_v0(
            json!({"mercure": {}, "sub": subject, "iss": hub.keys.issuer, "jti": name}),
        )
    };
    let mut claims = hub.claims_v1(json!([]));
    claims["sub"] = json!(subject);
    let token_v1 = crate::token::sign(&crate::token::header_v1(), &claims, &hub.keys.subscriber);
    // One subject, whichever generation its tokens are of.
    let _streams = [with(&token("1")).open(), with(&token_v1).open()];
    expect_refusal(with(&token("2")).send());
    expect_refusal(with(&token_v1).send());

    // Who says nothing of a subject is known by the token.
    let nameless =
        |name: &str| hub.subscriber_v0(json!({"mercure": {}, "jti": format!("{subject}{name}")}));
    let _streams = [with(&nameless("1")).open(), with(&nameless("1")).open()];
    expect_refusal(with(&nameless("1")).send());
    with(&nameless("2")).open();
    // Nobody is counted without one.
    let anonymous = || told(hub.subscription(&[("match", "a")]));
    let _streams = [anonymous().open(), anonymous().open(), anonymous().open()];
}

fn a_token_publishes_so_often(hub: &Hub) {
    let topic = fresh("a");
    let publish = |subject: &str| {
        let claims = json!({"mercure": {"publish": ["*"]}, "sub": format!("{topic}{subject}")});
        hub.publication(&[("topic", &topic)]).bearer(&hub.publisher_v0(claims)).send()
    };
    let mut stream = hub.subscribe(&topic);
    let deadline = Instant::now() + DEADLINE;
    let mut accepted = vec![publish("one").expect_status(200).text()];
    // On a very slow machine, a second may have passed before the next one.
    loop {
        let answer = publish("one");
        if answer.status == 429 {
            expect_refusal(answer);
            break;
        }
        accepted.push(answer.expect_status(200).text());
        assert!(Instant::now() < deadline, "never too many");
    }
    accepted.push(publish("other").expect_status(200).text());
    // It may publish again, a second later.
    loop {
        let answer = publish("one");
        if answer.status == 200 {
            accepted.push(answer.text());
            break;
        }
        expect_refusal(answer);
        assert!(Instant::now() < deadline, "never again");
        thread::sleep(Duration::from_millis(50));
    }
    // What was refused reaches nobody.
    for id in accepted {
        assert_eq!(stream.event().id, id);
    }
}

fn without_limits_nobody_is_turned_away(hub: &Hub) {
    let token = hub.subscriber_v0(json!({"mercure": {}, "sub": "one"}));
    let request = || told(hub.subscription(&[("match", "a")])).bearer(&token);
    let _streams: Vec<Stream> = (0..8).map(|_| request().open()).collect();
    let publisher = hub.publisher_v0(json!({"mercure": {"publish": ["*"]}, "sub": "one"}));
    for _ in 0..8 {
        hub.publication(&[("topic", "a")]).bearer(&publisher).send().expect_status(200);
    }
}
