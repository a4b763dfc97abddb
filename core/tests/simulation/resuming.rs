//! Where a replay begins, and what the answer says about it.

use cinnabar_core::{EventId, Location, Position};
use serde_json::json;

use crate::client::Client;
use crate::world::{NATIVE, Question, World, subscriber};

/// A hub with updates `1` to `count` of topic `a`, whose ids are `id-1` and so on.
fn with_history(count: usize, variables: &[(&str, &str)]) -> World {
    let mut world = World::new(variables);
    for number in 1..=count {
        world.publish_and_sync(&format!("topic=a&id=id-{number}&data={number}"));
    }
    world
}

/// Subscribes with a cursor. Returns the answer field, and the updates that follow.
fn resume(world: &mut World, cursor: &str) -> (String, Vec<String>) {
    let stream = world.subscribe("match=a", &[("last-event-id", cursor)]);
    let answer = world.field(stream, "mercure-last-event-id").unwrap();
    let mut client = Client::default();
    client.read(world.take_all(stream).concat().as_bytes());
    (answer, client.updates().into_iter().map(str::to_owned).collect())
}

fn expected(answer: &str, updates: &[&str]) -> (String, Vec<String>) {
    (answer.to_owned(), updates.iter().map(|update| (*update).to_owned()).collect())
}

#[test]
fn after_an_id_that_is_kept() {
    let mut world = with_history(4, &[]);
    assert_eq!(resume(&mut world, "id-2"), expected("id-2", &["3", "4"]));
    assert_eq!(resume(&mut world, "id-4"), expected("id-4", &[]));
}

#[test]
fn from_the_earliest() {
    let mut world = with_history(3, &[]);
    assert_eq!(resume(&mut world, "earliest"), expected("earliest", &["1", "2", "3"]));
    world.log.drop_through(Position::new(2));
    assert_eq!(resume(&mut world, "earliest"), expected("earliest", &["3"]));
    let mut empty = World::new(&[]);
    assert_eq!(resume(&mut empty, "earliest"), expected("earliest", &[]));
}

#[test]
fn after_an_id_that_is_not_kept() {
    let mut world = with_history(3, &[]);
    for unknown in ["id-9", "#forged", "a b", "é"] {
        assert_eq!(resume(&mut world, unknown), expected("earliest", &["1", "2", "3"]));
    }
    world.log.drop_through(Position::new(2));
    assert_eq!(resume(&mut world, "id-1"), expected("earliest", &["3"]));
    // Everything has expired: there is nothing to replay, and no id that precedes it.
    world.log.drop_through(Position::new(3));
    assert_eq!(resume(&mut world, "id-1"), expected("earliest", &[]));
}

#[test]
fn after_the_first_of_repeated_ids() {
    let mut world = with_history(1, &[]);
    world.publish_and_sync("topic=a&id=twice&data=2");
    world.publish_and_sync("topic=a&data=3");
    world.publish_and_sync("topic=a&id=twice&data=4");
    assert_eq!(resume(&mut world, "twice"), expected("twice", &["3", "4"]));
}

#[test]
fn after_the_last_of_a_list_that_is_known() {
    let mut world = with_history(4, &[]);
    for (list, answer, updates) in [
        ("id-1, id-3", "id-3", ["4"].as_slice()),
        ("id-1,id-3", "id-3", &["4"]),
        ("id-3 , id-1", "id-1", &["2", "3", "4"]),
        ("id-2, unknown", "id-2", &["3", "4"]),
        ("unknown,id-2,#AAAAAAAAAAAAAAAAAAAAAA, a b", "id-2", &["3", "4"]),
        ("id-3, earliest", "earliest", &["1", "2", "3", "4"]),
        ("earliest, id-3", "id-3", &["4"]),
        ("earliest, unknown", "earliest", &["1", "2", "3", "4"]),
        ("unknown, other", "earliest", &["1", "2", "3", "4"]),
        // Only so many items count.
        ("id-4,1,2,3,4,5,6,7", "id-4", &[]),
        ("id-4,1,2,3,4,5,6,7,8", "earliest", &["1", "2", "3", "4"]),
    ] {
        assert_eq!(resume(&mut world, list), expected(answer, updates), "{list}");
    }
    // A publisher's id may hold commas: it is one id, and comes before the items of a list.
    world.publish_and_sync("topic=a&id=id-1,+id-2&data=5");
    assert_eq!(resume(&mut world, "id-1, id-2"), expected("id-1, id-2", &[]));
    assert_eq!(resume(&mut world, "id-1,id-2"), expected("id-2", &["3", "4", "5"]));
}

#[test]
fn several_fields_are_a_list() {
    let mut world = with_history(3, &[]);
    for (fields, answer) in [
        (["id-1", "id-2"], "id-2"),
        (["id-2", "id-1"], "id-1"),
        (["id-2", "unknown"], "id-2"),
        (["", "id-2"], "id-2"),
        (["id-2", ""], "id-2"),
        (["", ""], "id-3"),
    ] {
        let fields = fields.map(|field| ("last-event-id", field));
        let stream = world.subscribe("match=a&last_event_id=", &fields);
        assert_eq!(world.field(stream, "mercure-last-event-id").unwrap(), answer, "{fields:?}");
    }
}

#[test]
fn a_list_of_positions_and_ids_is_tried_from_its_end() {
    let mut world = with_history(2, &[]);
    let stream = world.subscribe("match=a", &NATIVE);
    let mut client = Client::default();
    client.read(world.take_all(stream).concat().as_bytes());
    let position = client.last_event_id.clone();
    for number in 3..=4 {
        world.publish_and_sync(&format!("topic=a&id=id-{number}&data={number}"));
    }
    let resumes_from = |world: &mut World, list: &str| resume(world, list).0;
    assert_eq!(resumes_from(&mut world, &format!("id-1, {position}")), position);
    assert_eq!(resumes_from(&mut world, &format!("{position},id-3")), "id-3");
    assert_eq!(resumes_from(&mut world, &format!("{position}, unknown")), position);
    let mixed = format!("id-4, unknown, {position}, other");
    assert_eq!(resumes_from(&mut world, &mixed), position);
    world.log.drop_through(Position::new(3));
    assert_eq!(resumes_from(&mut world, &mixed), "id-4");
}

#[test]
fn the_ids_of_a_list_are_one_question() {
    let mut world = with_history(1, &[]);
    world.begin("match=a", &[("last-event-id", "1, #AAAAAAAAAAAAAAAAAAAAAA, 2, id-1")]);
    let [Question::Locate(_, Location::Ids { ids, .. })] = world.questions.make_contiguous() else {
        panic!("{:?}", world.questions);
    };
    let asked: Vec<&str> = ids.iter().map(EventId::as_str).collect();
    assert_eq!(asked, ["1, #AAAAAAAAAAAAAAAAAAAAAA, 2, id-1", "id-1", "2", "1"]);
}

#[test]
fn a_list_whose_last_is_too_far_back_is_not_replayed_whole_each_time() {
    let mut world = with_history(6, &[("REPLAY_MAX", "2")]);
    // What the page was made with, behind what its reader received last.
    assert_eq!(resume(&mut world, "id-5, id-1"), expected("id-5", &["6"]));
    assert_eq!(resume(&mut world, "id-6, id-1"), expected("id-6", &[]));
    assert_eq!(resume(&mut world, "id-1, id-2"), expected("id-4", &["5", "6"]));
}

#[test]
fn after_an_id_that_is_not_known_to_be_durable_yet() {
    let mut world = with_history(1, &[]);
    world.publish("topic=a&id=id-2&data=2");
    world.publish("topic=a&data=3");
    let stream = world.subscribe("match=a", &[("last-event-id", "id-2")]);
    assert_eq!(world.field(stream, "mercure-last-event-id").unwrap(), "id-2");
    world.sync(2);
    let mut client = Client::default();
    client.read(world.take_all(stream).concat().as_bytes());
    assert_eq!(client.updates(), ["3"]);
}

#[test]
fn an_empty_cursor_replays_nothing_and_learns_the_newest_id() {
    let mut world = with_history(2, &[]);
    assert_eq!(resume(&mut world, ""), expected("id-2", &[]));
    let mut empty = World::new(&[]);
    assert_eq!(resume(&mut empty, ""), expected("earliest", &[]));
}

#[test]
fn an_empty_cursor_misses_nothing_that_comes_while_the_log_is_asked() {
    let mut world = with_history(1, &[]);
    let stream = world.begin("match=a", &[("last-event-id", "")]);
    world.publish_and_sync("topic=a&data=2");
    world.answer_all();
    assert!(world.take_all(stream).concat().contains("data: 2\n"));
}

#[test]
fn no_more_than_the_newest_are_replayed_and_the_answer_says_so() {
    let mut world = with_history(6, &[("REPLAY_MAX", "2")]);
    for cursor in ["earliest", "unknown", "id-1", "id-4"] {
        assert_eq!(resume(&mut world, cursor), expected("id-4", &["5", "6"]), "{cursor}");
    }
    assert_eq!(resume(&mut world, "id-5"), expected("id-5", &["6"]));
    // If less is kept than may be replayed, all of it is replayed.
    world.log.drop_through(Position::new(4));
    assert_eq!(resume(&mut world, "earliest"), expected("earliest", &["5", "6"]));
}

#[test]
fn a_reader_of_0x_hubs_gets_their_answer_field_too() {
    let mut world = with_history(1, &[]);
    let legacy = world.subscribe("topic=a&Last-Event-ID=id-1", &[]);
    assert_eq!(world.field(legacy, "last-event-id").unwrap(), "id-1");
    assert_eq!(world.field(legacy, "mercure-last-event-id").unwrap(), "id-1");
    let modern = world.subscribe("match=a&last_event_id=id-1", &[]);
    assert_eq!(world.field(modern, "last-event-id"), None);
    let fresh = world.subscribe("topic=a", &[]);
    assert_eq!(world.field(fresh, "last-event-id"), None);
}

#[test]
fn a_native_reader_that_received_nothing_resumes_from_its_position() {
    let mut world = with_history(2, &[]);
    let stream = world.subscribe("match=a", &NATIVE);
    let mut client = Client::default();
    client.read(world.take_all(stream).concat().as_bytes());
    world.leave(stream);
    world.publish_and_sync("topic=a&data=gap");

    let position = client.last_event_id.clone();
    assert_eq!(resume(&mut world, &position), expected(&position, &["gap"]));
    // A position whose next update is no longer kept is no better than an unknown one.
    world.log.drop_through(Position::new(3));
    assert_eq!(resume(&mut world, &position), expected("earliest", &[]));
}

#[test]
fn private_updates_are_replayed_to_those_who_may_read_them_now() {
    let mut world = World::new(&[]);
    world.publish_and_sync("topic=a&data=public");
    world.publish_and_sync("topic=a&private&data=secret");
    world.publish_and_sync("topic=a&topic=b&private=false&data=shared");

    let read = |world: &mut World, grants: Option<&[&str]>| {
        let token = grants.map(|grants| subscriber(&json!({"mercure": {"subscribe": grants}})));
        let authorization = token.map(|token| format!("Bearer {token}"));
        let fields: Vec<(&str, &str)> =
            authorization.iter().map(|value| ("authorization", value.as_str())).collect();
        let stream = world.subscribe("match=a&last_event_id=earliest", &fields);
        let mut client = Client::default();
        client.read(world.take_all(stream).concat().as_bytes());
        client.updates().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(read(&mut world, None), ["public"]);
    assert_eq!(read(&mut world, Some(&[])), ["public"]);
    assert_eq!(read(&mut world, Some(&["b"])), ["public", "shared"]);
    assert_eq!(read(&mut world, Some(&["a"])), ["public", "secret", "shared"]);
    assert_eq!(read(&mut world, Some(&["*"])), ["public", "secret", "shared"]);
}

#[test]
fn who_comes_to_a_holder_that_is_behind_begins_at_the_end_of_the_log() {
    let mut world = World::new(&[]);
    let early = world.subscribe("match=a", &[]);
    world.take_all(early);
    world.publish("topic=a&id=urn:1");
    world.publish("topic=a&id=urn:2");
    // They are acknowledged, but the holder has yet to hear of them.
    world.end = Position::new(2);
    let native = world.subscribe("match=a", &NATIVE);
    let told = world.take_all(native).concat();
    let cursor = told.split("id: ").nth(1).unwrap().lines().next().unwrap().to_owned();
    let empty = world.subscribe("match=a", &[("last-event-id", "")]);
    assert_eq!(world.field(empty, "mercure-last-event-id").unwrap(), "urn:2");
    let fields: Vec<(&str, &str)> =
        NATIVE.into_iter().chain([("last-event-id", cursor.as_str())]).collect();
    let resumed = world.subscribe("match=a", &fields);
    assert_eq!(world.field(resumed, "mercure-last-event-id").unwrap(), cursor);
    let _ = (world.take_all(empty), world.take_all(resumed));

    world.sync(usize::MAX);
    world.publish_and_sync("topic=a&id=urn:3");
    let heard = |chunks: Vec<String>| chunks.concat().matches("id: urn:").count();
    assert_eq!(heard(world.take_all(early)), 3);
    for stream in [native, empty, resumed] {
        assert_eq!(heard(world.take_all(stream)), 1);
    }
}
