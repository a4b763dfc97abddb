//! Places in the log that readers are told, and the time in each.

use std::time::Duration;

use cinnabar_core::{Location, Place, Platform, Position, Timestamp};

use crate::world::{Ended, NATIVE, Question, World};

const MINUTE: Duration = Duration::from_secs(60);

/// The place that a reader resumes from, with the last id in these chunks.
fn told(world: &mut World, chunks: &[String]) -> Place {
    let all = chunks.concat();
    let (_, event) = all.rsplit_once("id: ").expect("an event with an id");
    let id = event.lines().next().unwrap().to_owned();
    let fields: Vec<(&str, &str)> =
        NATIVE.into_iter().chain([("last-event-id", id.as_str())]).collect();
    world.begin("match=a", &fields);
    match world.questions.pop_back() {
        Some(Question::Locate(_, Location::Told(place))) => place,
        other => panic!("not a place: {other:?}"),
    }
}

fn place(number: u64, since: Timestamp) -> Place {
    // A fragment has room for seconds.
    let since = Timestamp::from_millis(since.as_millis() / 1_000 * 1_000);
    Place { position: Position::new(number), since }
}

#[test]
fn a_position_is_as_old_as_the_look_that_showed_it() {
    let mut world = World::new(&[("STREAM_LIFETIME", "1h"), ("MAX_STREAMS", "1000")]);
    let stream = world.subscribe("match=a", &NATIVE);
    world.take_all(stream);
    let looked = world.now;
    let reached = Place { position: Position::new(5), since: looked };
    world.holder.handle_reached(reached);
    // From now on, polls fail.
    world.pass(10 * MINUTE);
    world.holder.handle_shutdown(world.now);
    world.drain();
    let chunks = world.take_all(stream);
    assert_eq!(told(&mut world, &chunks), place(5, looked));
    // A read that shows less than is known is an older one.
    world.holder.handle_reached(Place { position: Position::new(4), since: world.now });
    assert_eq!(world.holder.position(), Position::new(5));
}

#[test]
fn a_stream_that_replays_is_told_its_own_place() {
    let mut world = World::new(&[("STREAM_LIFETIME", "1h")]);
    for number in 1..=3 {
        world.publish_and_sync(&format!("topic=a&id=urn:{number}"));
        world.pass(MINUTE);
    }
    let published = world.now;
    let fields: Vec<(&str, &str)> =
        NATIVE.into_iter().chain([("last-event-id", "urn:1")]).collect();
    let stream = world.begin("match=a", &fields);
    world.answer_one();
    world.holder.handle_reached(Place { position: Position::new(9), since: world.now });
    let chunks: Vec<String> = std::iter::from_fn(|| world.take(stream))
        .map(|chunk| String::from_utf8(chunk.to_vec()).unwrap())
        .collect();
    // The first update was appended three minutes ago.
    assert_eq!(told(&mut world, &chunks), place(1, published.minus(3 * MINUTE)));
}

#[test]
fn a_stream_is_owed_what_had_not_expired_when_it_came() {
    let mut world =
        World::new(&[("OUTBOX_SIZE", "60"), ("STREAM_LIFETIME", "1h"), ("HEARTBEAT", "10m")]);
    world.publish_and_sync("topic=a&id=urn:1");
    world.publish_and_sync("topic=a&id=urn:2");
    let came = world.now;
    let stream = world.begin("match=a", &[("last-event-id", "urn:1")]);
    world.pass(Duration::from_secs(5));
    // The log answers late, but judged the id earlier.
    world.answer_one();
    world.take(stream);
    world.take(stream);
    let as_of = |world: &World| match world.questions.back() {
        Some(Question::Fetch(fetch)) => fetch.as_of,
        other => panic!("not a page: {other:?}"),
    };
    assert_eq!(as_of(&world), came);
}

#[test]
fn a_response_that_is_full_ends_with_its_position() {
    let platform = Platform { response_size: 500, ..Platform::new("a small platform") };
    let mut world = World::on(&platform, &[]);
    let stream = world.subscribe("match=a", &NATIVE);
    let mut written = world.take_all(stream).concat();
    for number in 1.. {
        let filled = format!("topic=a&id=urn:{number}&data={}", "x".repeat(100));
        world.publish_and_sync(&filled);
        written += &world.take_all(stream).concat();
        if world.connection(stream).ended == Some(Ended::Cleanly) {
            break;
        }
        assert!(number < 100, "it did not end");
    }
    assert!((500..1_000).contains(&written.len()), "{}", written.len());
    let (_, words) = written.rsplit_once("event: cinnabar\ndata:\nid: #").expect("a position");
    assert!(words.ends_with("\n\n"), "{written}");
}

#[test]
fn a_stream_that_falls_behind_is_owed_what_followed_the_last_look() {
    let mut world =
        World::new(&[("OUTBOX_SIZE", "60"), ("STREAM_LIFETIME", "2h"), ("HEARTBEAT", "1h")]);
    let stream = world.subscribe("match=a", &[]);
    while world.take(stream).is_some() {}
    let looked = world.now;
    world.holder.handle_reached(Place { position: world.holder.position(), since: looked });
    // Published a moment later; but the log cannot be followed for longer than it keeps updates.
    world.publish(&format!("topic=a&id=urn:1&data={}", "x".repeat(40)));
    world.publish(&format!("topic=a&id=urn:2&data={}", "x".repeat(40)));
    world.pass(15 * MINUTE);
    // Now both come. There is room for one, and the other has to be read again.
    world.sync(2);
    while world.take(stream).is_some() {}
    match world.questions.back() {
        Some(Question::Fetch(fetch)) => assert_eq!(fetch.as_of, looked),
        other => panic!("not a page: {other:?}"),
    }
}
