//! Hubs that follow others (the README's "Followers"): who may, what they answer instead of the hub that
//! has the log, and what they say of what is wrong. [`crate::endurance`] kills them.

use std::thread;
use std::time::{Duration, Instant};

use crate::arguments::Capability;
use crate::case::{Case, Suite, case};
use crate::http::Request;
use crate::hub::{Hub, fresh};
use crate::token::Generation;
use crate::websocket;

pub(super) const CASES: &[Case] = &[
    case!(nobody_follows_a_hub_without_a_secret),
    case!(a_feed_is_open_to_those_who_know_the_secret_and_speak_websocket on &[SECRET])
        .needing(&[Capability::Feed]),
    case!(a_hub_that_follows_another_is_not_followed launching).needing(&[Capability::Feed]),
    case!(both_sides_say_what_is_wrong_with_a_secret launching).needing(&[Capability::Feed]),
    case!(both_sides_say_that_the_other_speaks_another_version launching)
        .needing(&[Capability::Feed]),
    case!(a_follower_takes_no_publications_and_says_where_to_publish launching)
        .needing(&[Capability::Feed]),
    case!(a_follower_passes_publications_on_with_their_own_token launching)
        .needing(&[Capability::Feed]),
    case!(a_follower_is_as_healthy_as_its_link launching).needing(&[Capability::Feed]),
];

/// The secret that hubs share here.
pub(crate) const SECRET: (&str, &str) =
    ("FEED_SECRET", "a secret of thirty-two bytes that hubs share");

/// Another one.
const OTHER: (&str, &str) = ("FEED_SECRET", "another secret of thirty-two bytes or more");

/// What has a follower pass publications on.
pub(crate) const FORWARDS: (&str, &str) = ("FOLLOW_PUBLISH", "forward");

/// A message of a version of the feed that there is not, from either side.
const OTHER_VERSION: &[u8] = b"\0\0\0\x1d{\"version\":99,\"message\":null}";

/// Starts a hub that follows this one, with these variables as well.
#[track_caller]
pub(crate) fn follower(suite: &Suite, leader: &Hub, variables: &[(&str, &str)]) -> Hub {
    let url = leader.url();
    suite.launch(&[&[SECRET, ("FOLLOW", &url)], variables].concat())
}

fn feed(hub: &Hub) -> Request {
    hub.request("GET", format!("{}/feed", hub.path()))
}

/// A subscriber that is told the truth learns that it cannot have a stream just now.
#[track_caller]
fn expect_unavailable(hub: &Hub) {
    let subscription = hub.subscription(&[("match", "a")]).without_header("Accept");
    subscription.send().expect_status(503);
}

fn nobody_follows_a_hub_without_a_secret(hub: &Hub) {
    websocket::asking(feed(hub).bearer(SECRET.1)).send().expect_no_challenge(404);
}

fn a_feed_is_open_to_those_who_know_the_secret_and_speak_websocket(hub: &Hub) {
    websocket::asking(feed(hub)).send().expect_challenge(401, None);
    websocket::asking(feed(hub).bearer(OTHER.1)).send().expect_challenge(401, None);
    websocket::asking(feed(hub).bearer(&hub.anyone())).send().expect_challenge(401, None);
    feed(hub).bearer(SECRET.1).send().expect_status(426);
    let (head, _) = websocket::asking(feed(hub).bearer(SECRET.1)).start().unwrap();
    assert_eq!(head.status, 101);
    assert!(head.lists("Upgrade", "websocket") && head.header("Sec-WebSocket-Accept").is_some());
}

fn a_hub_that_follows_another_is_not_followed(suite: &Suite) {
    let leader = suite.launch(&[SECRET]);
    let follower = follower(suite, &leader, &[]);
    websocket::asking(feed(&follower).bearer(SECRET.1)).send().expect_status(404);
    let second = self::follower(suite, &follower, &[]);
    expect_unavailable(&second);
    second.until_it_says("it answers 404: there is no hub at FOLLOW that may be followed");
}

fn both_sides_say_what_is_wrong_with_a_secret(suite: &Suite) {
    let leader = suite.launch(&[SECRET]);
    let follower = follower(suite, &leader, &[OTHER]);
    expect_unavailable(&follower);
    follower.until_it_says("it answers 401: its FEED_SECRET is another than this hub's");
    leader.until_it_says("refused a hub that would follow this one: its FEED_SECRET is another");
    // A browser's reader gives up at an error, and is asked to come back instead.
    let mut stream = follower.subscription(&[("match", "a")]).native().open();
    let (events, _) = stream.rest();
    assert!(events.is_empty() && stream.retry().is_some(), "{events:?}");
}

fn both_sides_say_that_the_other_speaks_another_version(suite: &Suite) {
    let leader = suite.launch(&[SECRET]);
    let path = format!("{}/feed", leader.path());
    let head = websocket::say(&leader, &path, SECRET.1, OTHER_VERSION).unwrap();
    assert_eq!(head.status, 101);
    leader.until_it_says("the other side speaks version 99 of the feed");

    let port = websocket::server(OTHER_VERSION);
    let url = format!("http://127.0.0.1:{port}/.well-known/mercure");
    let follower = suite.launch(&[SECRET, ("FOLLOW", &url)]);
    expect_unavailable(&follower);
    follower.until_it_says("the other side speaks version 99 of the feed");
}

fn a_follower_takes_no_publications_and_says_where_to_publish(suite: &Suite) {
    let leader = suite.launch(&[SECRET]);
    let follower = follower(suite, &leader, &[]);
    let answer = follower.granted(&[("topic", "a")]).send().expect_status(405);
    assert!(!answer.head.lists("Allow", "POST"), "{answer}");
    assert!(answer.text().contains(&format!("publish at {}", leader.url())), "{answer}");
}

fn a_follower_passes_publications_on_with_their_own_token(suite: &Suite) {
    let leader = suite.launch(&[SECRET]);
    let follower = follower(suite, &leader, &[FORWARDS]);
    let topic = fresh("forwarded");
    let token = follower.subscriber(Generation::V0, &[&topic]);
    let mut streams = [&leader, &follower].map(|hub| {
        let mut stream = hub.subscription(&[("match", &topic)]).bearer(&token).open();
        assert!(stream.text_chunk().starts_with(':'));
        stream
    });
    let update = [("topic", topic.as_str()), ("data", "by way of another"), ("private", "on")];
    let id = follower.publish(&update);
    for stream in &mut streams {
        assert_eq!(stream.expect_data("by way of another"), id);
    }
    // What has been passed on already would go to and fro where hubs follow each other.
    let again = follower.granted(&update).header("Cinnabar-Forwarded", "1");
    again.send().expect_no_challenge(508);

    // A token that only the leader does not take: it says so by way of the follower.
    let key = ("MERCURE_PUBLISHER_JWT_KEY", "another publisher's key of thirty-two bytes");
    let strict = suite.launch(&[SECRET, key]);
    let follower = self::follower(suite, &strict, &[FORWARDS]);
    follower.granted(&update).send().expect_challenge(401, Some("invalid_token"));
}

fn a_follower_is_as_healthy_as_its_link(suite: &Suite) {
    let leader = suite.launch(&[SECRET]);
    let follower = follower(suite, &leader, &[]);
    let until = |status| {
        // What was found is the answer for ten seconds, and a question waits for ten.
        let deadline = Instant::now() + Duration::from_secs(60);
        while follower.request("GET", "/healthz").send().status != status {
            assert!(Instant::now() < deadline, "/healthz of the follower is never {status}");
            thread::sleep(Duration::from_millis(25));
        }
    };
    until(200);
    leader.kill();
    until(503);
    leader.restart();
    until(200);
}
