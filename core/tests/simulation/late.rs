//! Subscribers whose token expires on their way to the holder, or while the log is asked.

use std::time::Duration;

use serde_json::json;

use crate::world::{Ended, NATIVE, World, subscriber};

/// The cookie of a reader whose token is valid for ten seconds from now.
fn fields(world: &World) -> String {
    cookie(world, 10_000)
}

/// The cookie of a reader whose token is valid for a while from now.
fn cookie(world: &World, millis: u64) -> String {
    let expires = world.now.plus(Duration::from_millis(millis)).as_millis() as f64 / 1_000.0;
    let token = subscriber(&json!({"mercure": {"subscribe": ["*"]}, "exp": expires}));
    format!("mercureAuthorization={token}")
}

#[test]
fn nobody_is_greeted_after_the_token_has_expired() {
    let mut world = World::new(&[]);
    let cookie = fields(&world);
    let mut native = NATIVE.to_vec();
    native.push(("cookie", &cookie));
    let subscribe = world.subscription("match=a", &native);
    world.pass(Duration::from_secs(10));
    let stream = world.arrive(subscribe);
    let connection = world.connection(stream);
    assert!(connection.head.is_none() && connection.queue.is_empty());
    let answer = connection.unavailable.as_ref().expect("an answer instead of a stream");
    assert_eq!(answer.status(), 401);
    let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.starts_with(r#"Bearer error="invalid_token""#), "{challenge}");
    assert_eq!(world.holder.streams(), 0);

    // A moment earlier, the reader is greeted.
    let cookie = fields(&world);
    let mut native = NATIVE.to_vec();
    native.push(("cookie", &cookie));
    let subscribe = world.subscription("match=a", &native);
    world.pass(Duration::from_millis(9_999));
    let stream = world.arrive(subscribe);
    assert!(world.connection(stream).head.is_some());
}

#[test]
fn a_token_may_expire_while_the_log_is_asked() {
    let mut world = World::new(&[]);
    world.publish_and_sync("topic=a&id=urn:1");
    let cookie = fields(&world);
    let stream = world.begin("match=a", &[("cookie", &cookie), ("last-event-id", "urn:1")]);
    // The timer that should have answered a second earlier fires late.
    world.now = world.now.plus(Duration::from_secs(10));
    world.holder.handle_timeout(world.now);
    world.drain();
    let answer = world.connection(stream).unavailable.as_ref().expect("an answer");
    assert_eq!(answer.status(), 401);
    world.answer_all();
    assert!(world.connection(stream).head.is_none());
    assert_eq!(world.holder.streams(), 0);
}

#[test]
fn a_reader_with_a_cursor_and_a_moment_left_is_greeted_as_one_without() {
    let mut world = World::new(&[]);
    for number in 1..=2 {
        world.publish_and_sync(&format!("topic=a&id=urn:{number}&data={number}"));
    }
    for millis in [1, 300, 999] {
        for cursor in [None, Some(""), Some("urn:1"), Some("earliest"), Some("unknown")] {
            let cookie = cookie(&world, millis);
            let mut fields = NATIVE.to_vec();
            fields.push(("cookie", &cookie));
            fields.extend(cursor.map(|cursor| ("last-event-id", cursor)));
            let stream = world.subscribe("match=a", &fields);
            assert!(world.connection(stream).head.is_some(), "{cursor:?}, {millis} ms");
            let said = world.take_all(stream).concat();
            assert_eq!(said.matches("event: cinnabar").count(), 2, "{said}");
            assert_eq!(world.connection(stream).ended, Some(Ended::Cleanly));
        }
    }
    let cookie = cookie(&world, 500);
    let empty = world.subscribe("match=a", &[("cookie", &cookie), ("last-event-id", "")]);
    assert_eq!(world.field(empty, "mercure-last-event-id").unwrap(), "urn:2");
}

#[test]
fn the_log_has_until_the_token_expires() {
    let mut world = World::new(&[]);
    world.publish_and_sync("topic=a&id=urn:1");
    let cookie = cookie(&world, 900);
    let mut fields = NATIVE.to_vec();
    fields.extend([("cookie", cookie.as_str()), ("last-event-id", "urn:1")]);
    let slow = world.begin("match=a", &fields);
    world.pass(Duration::from_millis(899));
    let connection = world.connection(slow);
    assert!(connection.head.is_none() && connection.unavailable.is_none());
    world.pass(Duration::from_millis(1));
    let answer = world.connection(slow).unavailable.as_ref().expect("an answer");
    assert_eq!(answer.status(), 401);
    assert_eq!(world.holder.streams(), 0);
}

#[test]
fn an_answer_that_is_held_ends_before_the_token_expires() {
    let mut world = World::new(&[("MAX_STREAMS", "1")]);
    world.subscribe("match=a", &[]);
    for (millis, most) in [(500, 0), (1_000, 0), (2_500, 1_500), (60_000, 5_000)] {
        let cookie = cookie(&world, millis);
        let mut fields = NATIVE.to_vec();
        fields.push(("cookie", &cookie));
        let stream = world.begin("match=a", &fields);
        let connection = world.connection(stream);
        assert_eq!(connection.unavailable.as_ref().unwrap().status(), 200);
        let most = Duration::from_millis(most);
        assert!(connection.held <= most, "{millis} ms: {:?}", connection.held);
    }
}

#[test]
fn who_comes_back_with_an_empty_cursor_is_told_nothing_that_is_not_known() {
    let mut world = World::new(&[]);
    world.publish_and_sync("topic=a&id=urn:1");
    for (cursor, told) in [("", None), ("urn:1", Some("urn:1")), ("earliest", Some("earliest"))] {
        let mut fields = NATIVE.to_vec();
        fields.push(("last-event-id", cursor));
        let stream = world.begin("match=a", &fields);
        world.fail_one();
        let answer = world.connection(stream).unavailable.as_ref().unwrap();
        let field = answer.headers().get("mercure-last-event-id");
        assert_eq!(field.map(|value| value.to_str().unwrap()), told);
    }
}
