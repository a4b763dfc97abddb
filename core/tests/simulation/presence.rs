//! Who is here: streams that others are told of before they begin, and when they have ended.

use std::collections::BTreeSet;
use std::time::Duration;

use cinnabar_core::StreamId;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::client::Client;
use crate::world::{World, access_token, subscriber};

const ON: [(&str, &str); 2] =
    [("SUBSCRIPTIONS", "1"), ("MERCURE_TRUSTED_ISSUERS", "https://app.example")];

/// A token that may read everything, and has this payload.
fn token(payload: &Value) -> String {
    let detail = json!({
        "type": "https://mercure.rocks/authorization-detail",
        "actions": ["subscribe"], "topics": [{"match": "*"}], "payload": payload,
    });
    access_token(json!([detail]))
}

fn connect(world: &mut World, query: &str, token: &str) -> StreamId {
    let authorization = format!("Bearer {token}");
    world.begin(query, &[("authorization", &authorization)])
}

/// Everything that a stream was sent, as a client reads it.
fn read(world: &mut World, stream: StreamId) -> Client {
    let mut client = Client::default();
    for chunk in world.take_all(stream) {
        client.read(chunk.as_bytes());
    }
    client
}

fn document(response: &http::Response<Vec<u8>>) -> Value {
    serde_json::from_slice(response.body()).expect("a document")
}

/// The subscribers that are listed.
fn listed(world: &mut World, path: &str, token: &str) -> Vec<String> {
    let document = document(&world.list(path, token));
    let all = document["subscriptions"].as_array().expect("a collection");
    all.iter().map(|one| one["subscriber"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_stream_begins_once_others_can_see_it() {
    let mut world = World::new(&ON);
    let token = token(&json!({"name": "ann"}));
    let stream = connect(&mut world, "match=a", &token);
    assert!(world.connection(stream).head.is_none(), "its beginning is not durable yet");
    world.sync(usize::MAX);
    assert_eq!(world.connection(stream).head.as_ref().unwrap().status(), 200);
    assert_eq!(listed(&mut world, "/subscriptions/exact/a", &token).len(), 1);

    world.leave(stream);
    world.sync(usize::MAX);
    assert!(listed(&mut world, "/subscriptions", &token).is_empty());
    assert_eq!((world.log.end().get(), world.holder.is_idle()), (2, true));
}

#[test]
fn a_stream_that_follows_itself_hears_its_own_beginning_and_not_what_was_before() {
    let mut world = World::new(&ON);
    let token = token(&json!({"name": "ann"}));
    world.publish("topic=a&data=before");
    let query = "match=a&match_urlpattern=/.well-known/mercure/subscriptions/exact/*";
    let first = connect(&mut world, query, &token);
    let second = connect(&mut world, query, &token);
    world.publish("topic=a&data=after");
    world.sync(usize::MAX);
    assert_eq!(world.pages, 0, "who arrives need not replay what arrived with it");

    let client = read(&mut world, first);
    let matches: Vec<String> = client.events[..2]
        .iter()
        .map(|event| serde_json::from_str::<Value>(&event.data).unwrap()["match"].to_string())
        .collect();
    assert_eq!((matches, client.events.len()), (vec!["\"a\"".into(); 2], 3));
    assert!(client.events[..2].iter().all(|event| event.event_type == "mercure"));
    assert_eq!(client.events[2].data, "after");
    let events = read(&mut world, second).events;
    assert_eq!(events.len(), 2, "it came after the first");

    world.leave(first);
    world.sync(usize::MAX);
    let ended: Value = serde_json::from_str(&read(&mut world, second).events[0].data).unwrap();
    assert_eq!((&ended["active"], &ended["payload"]["name"]), (&json!(false), &json!("ann")));
}

#[test]
fn who_resumes_from_the_cursor_of_a_list_misses_nobody() {
    let mut world = World::new(&ON);
    let token = token(&json!(true));
    let first = connect(&mut world, "match=a", &token);
    world.sync(usize::MAX);
    let response = world.list("/subscriptions/exact/a", &token);
    let link = response.headers()["link"].to_str().unwrap().to_owned();
    let (_, cursor) = link.split_once("last-event-id=\"").unwrap();
    let cursor = cursor.split('"').next().unwrap();

    world.leave(first);
    let query = format!(
        "match=a&match_urlpattern=/.well-known/mercure/subscriptions/exact/a/:s&last_event_id={cursor}"
    );
    let second = connect(&mut world, &query, &token);
    world.sync(usize::MAX);
    world.answer_all();
    let events = read(&mut world, second).events;
    let active: Vec<Value> = events
        .iter()
        .map(|event| serde_json::from_str::<Value>(&event.data).unwrap()["active"].clone())
        .collect();
    assert_eq!(active, [json!(false), json!(true)]);
}

#[test]
fn documents_at_one_url_have_a_tag_each() {
    let mut world = World::new(&ON);
    let tokens = [token(&json!({})), subscriber(&json!({"mercure": {"subscribe": ["*"]}}))];
    let of_nobody = tokens.each_ref().map(|token| world.list("/subscriptions", token));
    connect(&mut world, "match=a&topic=a", &tokens[0]);
    world.sync(usize::MAX);
    let of_one = tokens.each_ref().map(|token| world.list("/subscriptions", token));
    let all = [of_nobody, of_one].concat();
    let tags: BTreeSet<_> = all.iter().map(|one| one.headers()["etag"].clone()).collect();
    assert_eq!(tags.len(), all.len(), "{tags:?}");
    for response in all {
        assert_eq!(response.headers()["vary"], "Authorization, Cookie");
    }
    let of_one_shape = world.list("/subscriptions/exact/a", &tokens[1]);
    assert!(!of_one_shape.headers().contains_key("vary"));
    // What was published meanwhile is no news of who is here.
    let again =
        |world: &mut World| world.list("/subscriptions", &tokens[0]).headers()["etag"].clone();
    let before = again(&mut world);
    world.publish("topic=b");
    world.sync(usize::MAX);
    assert_eq!(again(&mut world), before);
}

#[test]
fn what_cannot_be_noted_is_a_passing_failure_without_an_end() {
    let mut world = World::new(&ON);
    world.refuses = true;
    let token = token(&json!({}));
    let stream = connect(&mut world, "match=a", &token);
    assert_eq!(world.connection(stream).unavailable.as_ref().unwrap().status(), 503);
    assert_eq!((world.log.end().get(), world.holder.is_idle()), (0, true));
}

#[test]
fn who_leaves_on_the_way_to_the_log_ends_once_it_arrived_there() {
    let mut world = World::new(&ON);
    let token = token(&json!({}));
    let stream = connect(&mut world, "match=a", &token);
    world.leave(stream);
    assert!(!world.holder.is_idle());
    world.sync(usize::MAX);
    assert!(listed(&mut world, "/subscriptions", &token).is_empty());
    assert_eq!((world.log.end().get(), world.holder.is_idle()), (2, true));
}

#[test]
fn a_log_may_say_that_a_stream_is_registered_before_it_hands_over_the_events() {
    let mut world = World::new(&ON);
    let token = token(&json!({}));
    let query = "match=a&match_urlpattern=/.well-known/mercure/subscriptions/exact/*";
    let stream = connect(&mut world, query, &token);
    world.holder.handle_registered(stream, world.now);
    world.drain();
    assert!(world.connection(stream).head.is_some());
    world.sync(usize::MAX);
    world.answer_all();
    assert_eq!(read(&mut world, stream).events.len(), 1);
    assert_eq!(world.log.registered("").count(), 2);
}

#[test]
fn each_generation_lists_its_own() {
    let mut world = World::new(&ON);
    let new = token(&json!({}));
    let old = subscriber(&json!({"mercure": {"subscribe": ["*"], "payload": {"a": 1}}}));
    connect(&mut world, "topic=a&topic=/b/{id}&match=a", &old);
    world.sync(usize::MAX);
    let of_v1 = document(&world.list("/subscriptions", &new));
    assert_eq!(of_v1["type"], "subscriptions");
    let subscriber = of_v1["subscriptions"][0]["subscriber"].clone();
    let only = json!([{
        "id": format!("/.well-known/mercure/subscriptions/exact/a/{}", subscriber.as_str().unwrap().replace(':', "%3A")),
        "type": "subscription", "match_type": "exact", "match": "a", "subscriber": subscriber,
        "active": true, "payload": {"a": 1},
    }]);
    assert_eq!(of_v1["subscriptions"], only);
    let response = world.list("/subscriptions", &old);
    assert_eq!(response.headers()["content-type"], "application/ld+json");
    let of_v0 = document(&response);
    assert_eq!(of_v0["type"], "Subscriptions");
    assert!(of_v0["lastEventID"].as_str().unwrap().starts_with("urn:uuid:"));
    let topics: Vec<&Value> =
        of_v0["subscriptions"].as_array().unwrap().iter().map(|one| &one["topic"]).collect();
    assert_eq!(topics, ["/b/{id}", "a"]);
}

#[test]
fn a_collection_has_pages() {
    let mut world = World::new(&[ON[0], ON[1], ("MAX_STREAMS", "2500")]);
    let token = token(&json!({}));
    for _ in 0..2_100 {
        connect(&mut world, "match=a", &token);
    }
    world.sync(usize::MAX);
    let mut path = "/subscriptions/exact/a".to_owned();
    let mut all = BTreeSet::new();
    let mut pages = Vec::new();
    loop {
        let response = world.list(&path, &token);
        let page = document(&response);
        let page = page["subscriptions"].as_array().unwrap();
        all.extend(page.iter().map(|one| one["subscriber"].to_string()));
        pages.push(page.len());
        let links: Vec<&str> =
            response.headers().get_all("link").iter().map(|it| it.to_str().unwrap()).collect();
        let Some(next) = links.iter().find(|link| link.ends_with("rel=\"next\"")) else { break };
        let next = next.split(['<', '>']).nth(1).unwrap();
        path = next.strip_prefix(crate::world::HUB).unwrap().to_owned();
    }
    assert_eq!((pages, all.len()), (vec![1_000, 1_000, 100], 2_100));
}

/// What may happen, in any order.
#[derive(Clone, Copy, Debug)]
enum Step {
    Arrive,
    Leave(usize),
    Sync(usize),
    Fail(bool),
    AnswerLog,
    Pass(u64),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Arrive),
        4 => (0..8usize).prop_map(Step::Leave),
        6 => (1..6usize).prop_map(Step::Sync),
        1 => any::<bool>().prop_map(Step::Fail),
        3 => Just(Step::AnswerLog),
        1 => (0..40_000u64).prop_map(Step::Pass),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens: in the end those are listed that are connected, and each event that says so
    /// has its counterpart.
    #[test]
    fn the_list_is_the_truth(steps in proptest::collection::vec(step(), 1..120)) {
        let mut world = World::new(&[ON[0], ON[1], ("STREAM_LIFETIME", "60s"), ("HEARTBEAT", "30s")]);
        let token = token(&json!({"a": 1}));
        let mut streams = Vec::new();
        for step in steps {
            match step {
                Step::Arrive => {
                    let resumes = if streams.len() % 3 == 0 { "&last_event_id=earliest" } else { "" };
                    let query = format!("match=a&match=b{resumes}");
                    streams.push(connect(&mut world, &query, &token));
                }
                Step::Leave(index) => {
                    if let Some(stream) = streams.get(index)
                        && world.connection(*stream).ended.is_none()
                    {
                        world.leave(*stream);
                    }
                }
                Step::Sync(count) => world.sync(count),
                Step::Fail(refuses) => world.refuses = refuses,
                Step::AnswerLog => world.answer_one(),
                Step::Pass(millis) => world.pass(Duration::from_millis(millis)),
                Step::Restart => world.restart(),
            }
        }
        world.refuses = false;
        while world.log.end() > world.holder.position() {
            world.sync(usize::MAX);
            world.answer_all();
        }
        world.answer_all();
        let open = streams.iter().filter(|stream| {
            let connection = world.connections.get(stream).unwrap();
            connection.ended.is_none() && connection.head.is_some()
        });
        let open = open.count();
        prop_assert_eq!(world.log.registered("").count(), 2 * open);
        // What the events add up to is what is listed.
        let mut told = BTreeSet::new();
        for appended in world.log.between(cinnabar_core::Position::START, world.log.end()) {
            let event: Value = serde_json::from_str(appended.update.data()).unwrap();
            let id = event["id"].as_str().unwrap().to_owned();
            let changed = if event["active"] == true { told.insert(id) } else { told.remove(&id) };
            prop_assert!(changed, "told twice, or an end without a beginning");
        }
        prop_assert!(world.log.registered("").map(|one| one.topic()).eq(&told));
    }
}
