//! How many streams one client may have, and how often it may publish.

use std::time::Duration;

use cinnabar_core::{Buckets, StreamId};
use serde_json::json;

use crate::world::{Ended, NATIVE, SCRIPT, World, subscriber};

/// A world in which a token and an address may have this many streams.
fn world(per_token: &str, per_address: &str) -> World {
    World::new(&[
        ("MAX_STREAMS_PER_TOKEN", per_token),
        ("MAX_STREAMS_PER_ADDRESS", per_address),
        ("ADDRESS_HEADER", "X-Real-IP"),
    ])
}

fn cookie(claims: serde_json::Value) -> String {
    format!("mercureAuthorization={}", subscriber(&claims))
}

/// Whether the reader got a stream; if not, it got 429.
fn is_open(world: &mut World, stream: StreamId) -> bool {
    let connection = world.connection(stream);
    if let Some(answer) = &connection.unavailable {
        assert_eq!(answer.status(), 429);
        return false;
    }
    connection.head.is_some() && connection.ended.is_none()
}

/// Whether a reader at this address, with this cookie, gets a stream.
fn opens(world: &mut World, address: &str, cookie: &str) -> bool {
    let stream = world.subscribe("match=a", &[("x-real-ip", address), ("cookie", cookie)]);
    is_open(world, stream)
}

#[test]
fn without_limits_nobody_is_counted() {
    let mut world = World::new(&[]);
    let cookie = cookie(json!({"mercure": {}}));
    for _ in 0..100 {
        let fields = [("x-real-ip", "192.0.2.1"), ("cookie", cookie.as_str())];
        assert_eq!(world.subscription("match=a", &fields).quotas(), []);
        assert!(opens(&mut world, "192.0.2.1", &cookie));
    }
}

// draft-08, "Subscription": by source address
#[test]
fn an_address_has_so_many_streams_and_the_place_of_one_that_ends_is_free() {
    let mut world = world("", "2");
    let streams: Vec<StreamId> =
        (0..2).map(|_| world.subscribe("match=a", &[("x-real-ip", "192.0.2.1")])).collect();
    assert!(!opens(&mut world, "192.0.2.1", ""));
    assert!(!opens(&mut world, "::ffff:192.0.2.1", ""));
    // Whatever its token is.
    assert!(!opens(&mut world, "192.0.2.1", &cookie(json!({"mercure": {}}))));
    assert!(opens(&mut world, "192.0.2.2", ""));
    assert_eq!(world.holder.streams(), 3);

    world.leave(streams[0]);
    assert!(opens(&mut world, "192.0.2.1", ""));
    assert!(!opens(&mut world, "192.0.2.1", ""));
    // All of them end.
    world.pass(Duration::from_hours(2));
    assert_eq!(world.holder.streams(), 0);
    assert!(opens(&mut world, "192.0.2.1", ""));
}

#[test]
fn a_network_of_ipv6_is_one_address() {
    let mut world = world("", "2");
    assert!(opens(&mut world, "2001:db8:1:2::1", ""));
    assert!(opens(&mut world, "2001:db8:1:2:ffff:ffff:ffff:ffff", ""));
    assert!(!opens(&mut world, "2001:db8:1:2:3::", ""));
    assert!(opens(&mut world, "2001:db8:1:3::1", ""));
}

// draft-08, "Subscription": per token subject; "Authorization Details": under a single token
#[test]
fn a_subject_has_so_many_streams_whichever_token_it_shows() {
    let mut world = world("2", "");
    let token = |claims| cookie(claims);
    let alice = |number: u32| {
        token(json!({"mercure": {}, "iss": "https://a", "sub": "alice", "jti": number}))
    };
    assert!(opens(&mut world, "192.0.2.1", &alice(1)));
    assert!(opens(&mut world, "192.0.2.2", &alice(2)));
    assert!(!opens(&mut world, "192.0.2.3", &alice(3)));
    // Who has the same name elsewhere is somebody else, and so is who has none.
    for other in [
        json!({"mercure": {}, "iss": "https://b", "sub": "alice"}),
        json!({"mercure": {}, "sub": "alice"}),
        json!({"mercure": {}, "iss": "https://a", "sub": "bob"}),
        json!({"mercure": {}, "iss": "https://a"}),
    ] {
        assert!(opens(&mut world, "192.0.2.1", &token(other)));
    }
    // Nobody's streams are counted as those of a token.
    for _ in 0..3 {
        assert!(opens(&mut world, "192.0.2.1", ""));
    }
}

#[test]
fn without_a_subject_a_token_has_so_many_streams() {
    let mut world = world("1", "");
    let token = |number: u32| cookie(json!({"mercure": {}, "jti": number}));
    assert!(opens(&mut world, "192.0.2.1", &token(1)));
    assert!(!opens(&mut world, "192.0.2.1", &token(1)));
    assert!(opens(&mut world, "192.0.2.1", &token(2)));
}

#[test]
fn who_is_turned_away_takes_no_place() {
    let mut world = world("1", "1");
    let token = |sub: &str| cookie(json!({"mercure": {}, "sub": sub}));
    assert!(opens(&mut world, "192.0.2.1", &token("alice")));
    // Its address is full; then its token is.
    assert!(!opens(&mut world, "192.0.2.1", &token("bob")));
    assert!(!opens(&mut world, "192.0.2.2", &token("alice")));
    assert!(opens(&mut world, "192.0.2.2", &token("bob")));
}

#[test]
fn a_stream_that_fails_to_begin_takes_no_place() {
    let mut world = world("", "1");
    world.publish_and_sync("topic=a");
    let fields = [("x-real-ip", "192.0.2.1")];
    world.begin("match=a&last_event_id=earliest", &fields);
    world.fail_one();
    assert_eq!(world.holder.streams(), 0);
    assert!(opens(&mut world, "192.0.2.1", ""));
}

#[test]
fn an_event_source_is_asked_to_come_back_later_than_usual() {
    let mut world = world("", "1");
    let with_address = |fields: &[(&'static str, &'static str)]| {
        let mut fields = fields.to_vec();
        fields.push(("x-real-ip", "192.0.2.1"));
        fields
    };
    world.subscribe("match=a", &with_address(&NATIVE));
    let mut native = with_address(&NATIVE);
    native.push(("last-event-id", "urn:1"));
    let refused = world.subscribe("match=a", &native);
    let connection = world.connection(refused);
    let answer = connection.unavailable.take().expect("an answer instead of a stream");
    // A browser gives up after a 429.
    assert_eq!((answer.status().as_u16(), connection.ended), (200, Some(Ended::Cleanly)));
    assert!(connection.held >= Duration::from_secs(2));
    assert_eq!(answer.headers()["mercure-last-event-id"], "urn:1");
    let body = String::from_utf8(answer.into_body()).unwrap();
    let retry = body.strip_prefix(":\nretry: ").and_then(|rest| rest.split_once('\n'));
    let (retry, rest) = retry.expect("a retry");
    assert!((16_000..=64_000).contains(&retry.parse::<u64>().unwrap()), "{retry}");
    assert_eq!(rest, "event: cinnabar\ndata:\nid: urn:1\n\n");

    // A script is told the truth, and when to come back.
    let refused = world.subscribe("match=a", &with_address(&SCRIPT));
    let answer = world.connection(refused).unavailable.take().expect("an answer");
    assert_eq!(answer.status(), 429);
    assert!(answer.headers().get("www-authenticate").is_none());
    let seconds: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((16..=64).contains(&seconds), "{seconds}");
    assert!(String::from_utf8(answer.into_body()).unwrap().contains("your address"));
}

#[test]
fn a_subject_publishes_so_often_whichever_token_it_shows() {
    let mut world = World::new(&[("MAX_PUBLICATIONS_PER_SECOND", "2")]);
    let mut buckets = Buckets::default();
    let mut publish = |world: &mut World, subject: &str, number: u32| {
        let claims = json!({"mercure": {"publish": ["*"]}, "sub": subject, "jti": number});
        let publication = world.publication("topic=a", &claims).expect("a publication");
        publication.exceeds(&mut buckets, world.now)
    };
    for number in 0..2 {
        assert!(publish(&mut world, "alice", number).is_none());
    }
    let answer = publish(&mut world, "alice", 2).expect("an answer instead of an update");
    assert_eq!(answer.response.status(), 429);
    // Half a second, in whole seconds.
    assert_eq!(answer.response.headers()["retry-after"], "1");
    assert_eq!(answer.response.headers()["content-type"], "application/problem+json");
    let line = answer.log.expect("a line for the hub's owner");
    assert!(line.contains("MAX_PUBLICATIONS_PER_SECOND") && !line.contains("alice"), "{line}");
    assert!(publish(&mut world, "bob", 0).is_none());
    world.pass(Duration::from_millis(500));
    assert!(publish(&mut world, "alice", 3).is_none());
    assert!(publish(&mut world, "alice", 4).is_some());
}

#[test]
fn without_a_limit_nobody_publishes_too_often() {
    let mut world = World::new(&[]);
    let mut buckets = Buckets::default();
    for _ in 0..1_000 {
        let claims = json!({"mercure": {"publish": ["*"]}});
        let publication = world.publication("topic=a", &claims).expect("a publication");
        assert!(publication.exceeds(&mut buckets, world.now).is_none());
    }
}
