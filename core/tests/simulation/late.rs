//! Subscribers whose token expires on their way to the holder, or while the log is asked.

use std::time::Duration;

use serde_json::json;

use crate::world::{NATIVE, World, subscriber};

/// The fields of a reader whose token is valid for ten seconds from now.
fn fields(world: &World) -> String {
    let expires = world.now.plus(Duration::from_secs(10)).as_millis() / 1_000;
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
    assert_eq!(answer.headers()["www-authenticate"], r#"Bearer error="invalid_token""#);
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
