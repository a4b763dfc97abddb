//! Slow readers, large updates, and how much may wait.

use std::time::Duration;

use cinnabar_core::Position;
use serde_json::json;

use crate::client::Client;
use crate::world::{Ended, NATIVE, World, access_token};

#[test]
fn an_empty_outbox_takes_an_update_of_any_size() {
    let mut world = World::new(&[("OUTBOX_SIZE", "100")]);
    let stream = world.subscribe("match=a", &[]);
    world.take_all(stream);
    world.publish_and_sync(&format!("topic=a&data={}", "x".repeat(1_000_000)));
    assert_eq!(
        world.take_all(stream)[0].len(),
        1_000_000 + "id: urn:uuid:".len() + 36 + "\ndata: \n\n".len()
    );
}

#[test]
fn a_stream_that_falls_behind_replays_what_it_missed() {
    let mut world = World::new(&[("OUTBOX_SIZE", "1000")]);
    let stream = world.subscribe("match=a", &[]);
    let mut client = Client::default();
    for number in 0..100 {
        world.publish_and_sync(&format!("topic=a&data={number}"));
        let waiting: usize = world.connection(stream).queue.iter().map(bytes::Bytes::len).sum();
        assert!(waiting <= 1_000, "{waiting} bytes wait");
    }
    assert_eq!(world.pages, 0, "a page is asked for only once nothing waits");
    client.read(world.take_all(stream).concat().as_bytes());
    assert!(world.pages >= 1);
    world.publish_and_sync("topic=a&data=100");
    client.read(world.take_all(stream).concat().as_bytes());
    let expected: Vec<String> = (0..=100).map(|number| number.to_string()).collect();
    assert_eq!(client.updates(), expected);
    assert_eq!(world.connection(stream).ended, None);
}

/// To remember a chunk takes room for each reader, which no size counts.
#[test]
fn few_chunks_wait_for_a_reader_however_small_they_are() {
    let mut world = World::new(&[]);
    let stream = world.subscribe("match=a", &[]);
    let mut client = Client::default();
    for number in 0..2_000 {
        world.publish_and_sync(&format!("topic=a&data={number}"));
    }
    let waiting = world.connection(stream).queue.len();
    assert!((100..=512).contains(&waiting), "{waiting} chunks wait");
    client.read(world.take_all(stream).concat().as_bytes());
    let expected: Vec<String> = (0..2_000).map(|number| number.to_string()).collect();
    assert_eq!(client.updates(), expected);
    assert_eq!(world.connection(stream).ended, None);
}

#[test]
fn what_fits_is_taken_live_and_no_more() {
    let mut world = World::new(&[("OUTBOX_SIZE", "1000")]);
    let stream = world.subscribe("match=a", &[]);
    world.take_all(stream);
    for number in 0..10 {
        world.publish(&format!("topic=a&id={number}&data={}", "x".repeat(236)));
    }
    // Each frame has 250 bytes: four fit, whether they come together or not.
    world.sync(2);
    world.sync(8);
    let waiting: Vec<usize> =
        world.connection(stream).queue.iter().map(bytes::Bytes::len).collect();
    assert_eq!(waiting, [500, 500], "updates that come together are one chunk");
    assert_eq!(world.pages, 0);
    // What did not fit is replayed, and a page is one chunk.
    assert_eq!(world.take_all(stream).len(), 2 + 2);
}

#[test]
fn a_stream_whose_missed_updates_are_no_longer_kept_is_cut() {
    let mut world = World::new(&[("OUTBOX_SIZE", "300")]);
    let stream = world.subscribe("match=a", &[]);
    for number in 0..10 {
        world.publish_and_sync(&format!("topic=a&data={number}"));
    }
    world.log.drop_through(Position::new(8));
    world.take_all(stream);
    assert_eq!(world.connection(stream).ended, Some(Ended::Cut));
}

#[test]
fn what_waits_for_all_is_bounded_and_who_waits_longest_is_cut() {
    let sizes = [("OUTBOX_SIZE", "1000"), ("MAX_UPDATE_SIZE", "1000"), ("OUTBOXES_SIZE", "3000")];
    let mut world = World::new(&sizes);
    let stalled: Vec<_> =
        (0..5).map(|number| world.subscribe(&format!("match={number}"), &[])).collect();
    for number in 0..5 {
        world.pass(Duration::from_millis(10));
        world.publish_and_sync(&format!("topic={number}&data={}", "x".repeat(600)));
    }
    let ended: Vec<_> = stalled.iter().map(|stream| world.connection(*stream).ended).collect();
    assert_eq!(ended, [Some(Ended::Cut), None, None, None, None]);
}

#[test]
fn the_same_bytes_wait_once_for_many() {
    let sizes = [("OUTBOX_SIZE", "1000"), ("MAX_UPDATE_SIZE", "1000"), ("OUTBOXES_SIZE", "3000")];
    let mut world = World::new(&sizes);
    let streams: Vec<_> = (0..50).map(|_| world.subscribe("match=a", &[])).collect();
    world.publish_and_sync(&format!("topic=a&data={}", "x".repeat(600)));
    for stream in streams {
        assert_eq!(world.connection(stream).ended, None);
    }
}

#[test]
fn a_page_is_bounded_in_bytes_and_in_updates() {
    let mut world = World::new(&[("OUTBOX_SIZE", "5000")]);
    for _ in 0..20 {
        world.publish_and_sync(&format!("topic=a&data={}", "x".repeat(1_000)));
    }
    for _ in 0..1_200 {
        world.publish_and_sync("topic=b");
    }
    let stream = world.subscribe("match=a&match=b&last_event_id=earliest", &NATIVE);
    world.take_all(stream);
    assert!(world.pages >= 7, "{}", world.pages);
}

/// One page may follow a hundred presence channels, and its token grant as many.
#[test]
fn a_hundred_presence_channels_are_followed_by_one_stream() {
    let claims = ("MERCURE_TRUSTED_ISSUERS", "https://app.example");
    let mut world = World::new(&[claims]);
    let channel = |number: usize| format!("https://e.example/echo/channel/presence-{number}");
    let presence = |number: usize, tail: &str| {
        let encoded = channel(number).replace(':', "%3A").replace('/', "%2F");
        format!("/.well-known/mercure/subscriptions/:match_type/{encoded}{tail}")
    };
    let topics: Vec<serde_json::Value> = (0..100)
        .flat_map(|number| {
            let pattern = presence(number, "{/:subscriber}?");
            [
                json!({"match": channel(number)}),
                json!({"match": pattern, "match_type": "urlpattern"}),
            ]
        })
        .collect();
    let token = access_token(json!([{
        "type": "https://mercure.rocks/authorization-detail",
        "actions": ["subscribe"],
        "topics": topics,
    }]));
    let matchers: Vec<String> = (0..100)
        .map(|number| {
            let pattern = presence(number, "/:subscriber").replace('%', "%25");
            format!("match={}&match_urlpattern={pattern}", channel(number))
        })
        .collect();
    let authorization = format!("Bearer {token}");
    let stream = world.subscribe(&matchers.join("&"), &[("authorization", &authorization)]);
    world.take_all(stream);
    world.publish_and_sync(&format!("topic={}&private=on&data=1", channel(99)));
    let mut client = Client::default();
    client.read(world.take_all(stream).concat().as_bytes());
    assert_eq!(client.updates(), ["1"]);
}

/// A template of 1,300 variables, each of which can be anything, between these texts: what a stream
/// that wants it asks for, and nearly the most that a subscriber may ask for.
fn costly(start: &str, end: &str) -> String {
    format!("topic={start}%7B%2B{}%7D{end}", vec!["v"; 1_300].join(","))
}

/// As many topics of 4 kB as an update may have, and what they cost a template is more than what is
/// spent on telling who wants updates.
fn long_topics(start: &str, end: &str) -> String {
    (0..32).map(|number| format!("topic={start}{}{number}{end}&", "a".repeat(4_000))).collect()
}

#[test]
fn what_costs_too_much_to_tell_is_replayed_and_holds_up_nobody_else() {
    let mut world = World::new(&[]);
    let selected = world.subscribe(&costly("/", "31x"), &[]);
    let other = world.subscribe(&costly("/", "y"), &[]);
    let cheap = world.subscribe("match_urlpattern=/:path&match=b", &[]);
    let exact = world.subscribe("match=b", &[]);
    for stream in [selected, other, cheap, exact] {
        world.take_all(stream);
    }
    world.publish(&format!("{}data=1", long_topics("/", "x")));
    world.publish("topic=b&data=2");
    world.sync(2);
    // Whom the first is for could not be told of two streams. Each asks for a page of its own.
    assert_eq!(world.pages, 0);
    assert_eq!(world.connection(cheap).queue.len(), 2, "each update has its share");
    world.answer_all();
    assert!(world.pages >= 2, "{}", world.pages);
    let data = |world: &mut World, stream| {
        let mut client = Client::default();
        client.read(world.take_all(stream).concat().as_bytes());
        client.updates().concat()
    };
    assert_eq!(data(&mut world, exact), "2");
    assert_eq!(data(&mut world, cheap), "12");
    assert_eq!(data(&mut world, selected), "1");
    assert_eq!(data(&mut world, other), "");
    // They are live again.
    let pages = world.pages;
    world.publish_and_sync("topic=/31x&data=3");
    assert_eq!(data(&mut world, selected), "3");
    assert_eq!(world.pages, pages);
}

#[test]
fn a_page_ends_once_telling_what_its_stream_wants_has_cost_enough() {
    let mut world = World::new(&[]);
    for number in 1..=3 {
        world.publish_and_sync(&format!("{}data={number}", long_topics("/", "x")));
    }
    let query = format!("{}&last_event_id=earliest", costly("/", "31x"));
    let stream = world.subscribe(&query, &[]);
    let mut client = Client::default();
    client.read(world.take_all(stream).concat().as_bytes());
    assert_eq!(client.updates().concat(), "123");
    assert!(world.pages >= 3, "{}", world.pages);
}
