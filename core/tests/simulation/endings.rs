//! Streams that poll, and streams that end because their platform or process does.

use std::time::Duration;

use cinnabar_core::{Place, Position};

use crate::world::{Ended, NATIVE, World};

const SECOND: Duration = Duration::from_secs(1);

/// The cursor of the position event that these chunks end with.
fn cursor(chunks: &[String]) -> String {
    let all = chunks.concat();
    let event = all.strip_suffix("\n\n").expect("a whole event");
    event.rsplit_once("\nevent: cinnabar\ndata:\nid: ").expect("a position event").1.to_owned()
}

#[test]
fn a_poll_replays_tells_its_position_and_ends() {
    let mut world = World::new(&[("STREAM_LIFETIME", "0")]);
    let first = world.subscribe("match=a", &NATIVE);
    let chunks = world.take_all(first);
    assert_eq!(chunks[0], ":\n");
    assert_eq!(chunks.len(), 2);
    let retry = chunks[1].strip_prefix("retry: ").unwrap().lines().next().unwrap();
    assert!((4_000..=6_000).contains(&retry.parse::<u32>().unwrap()), "{retry}");
    assert_eq!(world.connection(first).ended, Some(Ended::Cleanly));
    assert_eq!(world.holder.streams(), 0);

    for data in ["1", "2", "3"] {
        world.publish_and_sync(&format!("topic=a&data={data}"));
    }
    let cursor = cursor(&chunks);
    let fields: Vec<(&str, &str)> =
        NATIVE.into_iter().chain([("last-event-id", cursor.as_str())]).collect();
    let second = world.subscribe("match=a", &fields);
    let all = world.take_all(second).concat();
    assert_eq!(all.matches("data: ").count(), 3, "{all}");
    self::cursor(&[all]);
    assert_eq!(world.connection(second).ended, Some(Ended::Cleanly));
}

#[test]
fn a_poll_of_another_reader_says_when_to_come_back_and_ends() {
    let mut world = World::new(&[("STREAM_LIFETIME", "0")]);
    world.publish_and_sync("topic=a&data=1&id=urn:1");
    world.publish_and_sync("topic=a&data=2&id=urn:2");
    let stream = world.subscribe("match=a", &[("last-event-id", "urn:1")]);
    let chunks = world.take_all(stream);
    assert_eq!(chunks[..2], [":\n", "data: 2\nid: urn:2\n\n"]);
    let [last_words] = &chunks[2..] else { panic!("{chunks:?}") };
    let retry = last_words.strip_prefix("retry: ").and_then(|rest| rest.strip_suffix('\n'));
    assert!((4_000..=6_000).contains(&retry.unwrap().parse::<u32>().unwrap()), "{last_words:?}");
    assert_eq!(world.connection(stream).ended, Some(Ended::Cleanly));
}

#[test]
fn no_update_makes_readers_come_back_without_a_pause() {
    for (lifetime, least) in [("0", 4_000), ("1h", 1_000)] {
        let mut world = World::new(&[("STREAM_LIFETIME", lifetime)]);
        world.publish_and_sync("topic=a&id=urn:1");
        // Published all the same, and kept so.
        for (id, retry) in [("urn:2", 0), ("urn:3", least - 1), ("urn:4", least + 1)] {
            let update = world.try_publish(&format!("topic=a&id={id}&retry={retry}")).unwrap();
            assert_eq!(update.store().retry, Some(retry));
        }
        world.sync(3);
        for fields in [&[][..], &NATIVE] {
            let stream = world.subscribe("match=a&last_event_id=urn:1", fields);
            let all = world.take_all(stream).concat();
            let said = |id: &str| {
                let frame = all.split("\n\n").find(|event| event.ends_with(id)).unwrap();
                let (_, retry) = frame.rsplit_once("retry: ").unwrap();
                retry.lines().next().unwrap().parse::<u32>().unwrap()
            };
            let expected = [least, least, least + 1];
            assert_eq!(["id: urn:2", "id: urn:3", "id: urn:4"].map(said), expected, "{all}");
        }
    }
}

#[test]
fn a_live_update_is_held_to_the_same() {
    let mut world = World::new(&[]);
    let stream = world.subscribe("match=a", &[]);
    world.take_all(stream);
    world.publish_and_sync("topic=a&id=urn:1&retry=0");
    assert_eq!(world.take_all(stream), ["retry: 1000\ndata: \nid: urn:1\n\n"]);
}

#[test]
fn a_poll_does_not_wait_for_ever_for_a_slow_reader() {
    let mut world = World::new(&[("STREAM_LIFETIME", "0")]);
    let stream = world.subscribe("match=a", &[]);
    world.pass(9 * SECOND);
    assert_eq!(world.connection(stream).ended, None);
    world.pass(2 * SECOND);
    assert_eq!(world.connection(stream).ended, Some(Ended::Cut));
}

#[test]
fn a_stream_ends_before_its_deadline_with_its_position() {
    let mut world = World::new(&[("HEARTBEAT", "1h")]);
    let stream = world.subscribe("match=a", &NATIVE);
    world.holder.handle_deadline(stream, world.now.plus(60 * SECOND), world.now);
    world.take_all(stream);
    world.pass(57 * SECOND);
    assert!(world.take_all(stream).is_empty());
    world.pass(SECOND);
    cursor(&world.take_all(stream));
    assert_eq!(world.connection(stream).ended, Some(Ended::Cleanly));
}

#[test]
fn a_deadline_that_has_passed_is_not_believed() {
    let mut world = World::new(&[]);
    let stream = world.subscribe("match=a", &[]);
    world.holder.handle_deadline(stream, world.now, world.now);
    world.take_all(stream);
    world.pass(60 * SECOND);
    assert_eq!(world.connection(stream).ended, None);
}

#[test]
fn a_slow_reader_is_cut_before_the_deadline() {
    let mut world = World::new(&[]);
    let stream = world.subscribe("match=a", &[]);
    world.holder.handle_deadline(stream, world.now.plus(60 * SECOND), world.now);
    world.pass(59 * SECOND);
    assert_eq!(world.connection(stream).ended, Some(Ended::Cut));
}

#[test]
fn all_streams_end_with_their_process() {
    let mut world = World::new(&[]);
    let native = world.subscribe("match=a", &NATIVE);
    let other = world.subscribe("match=a", &[]);
    let locating = world.begin("match=a", &[("last-event-id", "urn:x")]);
    let _ = (world.take_all(native), world.take_all(other));
    let locating_too = world.begin("match=a", &[("last-event-id", "urn:x")]);
    world.shut_down();
    cursor(&world.take_all(native));
    assert!(world.take_all(other).concat().starts_with("retry: "));
    for stream in [native, other] {
        assert_eq!(world.connection(stream).ended, Some(Ended::Cleanly));
    }
    assert!(world.connection(locating).head.is_some());
    let answer = world.connection(locating_too).unavailable.as_ref().unwrap();
    assert_eq!(answer.status().as_u16(), 503);
    let _ = world.take_all(locating);
    assert_eq!(world.holder.streams(), 0);
}

#[test]
fn numbers_without_updates_move_the_position() {
    let mut world = World::new(&[]);
    let stream = world.subscribe("match=a", &NATIVE);
    world.take_all(stream);
    for number in [5, 4] {
        world.holder.handle_reached(Place { position: Position::new(number), since: world.now });
    }
    assert_eq!(world.holder.position(), Position::new(5));
    let newer = world.subscribe("match=a", &NATIVE);
    let told = cursor(&world.take_all(newer));
    world.shut_down();
    assert_eq!(cursor(&world.take_all(stream)), told);
}
