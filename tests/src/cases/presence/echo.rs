//! Laravel Echo on presence channels: the requests of its Mercure connector and of Laravel's
//! broadcaster, in their order (`here`, `joining`, `leaving`, whispers).

use serde_json::{Value, json};

use super::asking::{PRESENT, json as body, path, pattern, subscriptions};
use crate::arguments::Capability;
use crate::case::{Case, case};
use crate::form;
use crate::http::Request;
use crate::hub::{Hub, fresh};
use crate::sse::Event;
use crate::stream::Stream;
use crate::token::DETAIL;

pub(super) const CASES: &[Case] = &[
    case!(members_see_each_other_come_and_go on PRESENT)
        .needing(&[Capability::Cookies, Capability::Disconnects]),
    case!(members_see_each_other_come_and_stay on PRESENT).needing(&[Capability::Cookies]),
    case!(who_joins_another_channel_resumes_where_it_was on PRESENT)
        .needing(&[Capability::Cookies]),
    case!(members_whisper on PRESENT).needing(&[Capability::Cookies]),
];

const COOKIE: &str = "__Secure-mercure_access_token";
const ORIGIN: &str = "https://app.example";

/// One page of one user.
struct Page<'a> {
    hub: &'a Hub,
    user: u32,
    token: String,
    channels: Vec<String>,
    /// Where its stream was when it was last closed.
    cursor: String,
    stream: Option<Stream>,
}

/// What a page tells its application of a channel.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Joining(u64),
    Leaving(u64),
    Message(String),
}

impl<'a> Page<'a> {
    /// A page that has authenticated for these channels: Laravel's cookie has a detail for each,
    /// of the channel and of what is said about its members.
    fn new(hub: &'a Hub, user: u32, channels: &[&str]) -> Self {
        let details = channels.iter().flat_map(|channel| {
            let members = format!(
                "{}/subscriptions/:match_type/{}{{/:subscriber}}?",
                hub.path(),
                form::encode(channel)
            );
            [
                json!({
                    "type": DETAIL,
                    "actions": ["subscribe"],
                    "topics": [
                        {"match": channel},
                        {"match": members, "match_type": "urlpattern"},
                    ],
                    "payload": {"user_id": user, "user_info": {"name": format!("User {user}")}},
                }),
                json!({
                    "type": DETAIL,
                    "actions": ["subscribe", "publish"],
                    "topics": [{"match": whispers(channel)}],
                }),
            ]
        });
        let token = hub.subscriber_v1(Value::Array(details.collect()));
        Self { hub, user, token, channels: Vec::new(), cursor: String::new(), stream: None }
    }

    fn request(&self, query: &str) -> Request {
        self.hub
            .subscription_by(query)
            .native()
            .cookie(COOKIE, &self.token)
            .header("Origin", ORIGIN)
    }

    /// Joins a channel: the stream is closed, and opened again with one more.
    #[track_caller]
    fn join(&mut self, channel: &str) {
        self.close();
        self.channels.push(channel.to_owned());
        let channels = self.channels.iter().map(|channel| form::pairs(&[("match", channel)]));
        let members = self
            .channels
            .iter()
            .map(|channel| form::pairs(&[("match_urlpattern", &pattern(self.hub, channel))]));
        let mut query: Vec<String> = channels.chain(members).collect();
        if !self.cursor.is_empty() {
            query.push(form::pairs(&[("last_event_id", &self.cursor)]));
        }
        let stream = self.request(&query.join("&")).open();
        assert_eq!(stream.header("Access-Control-Allow-Credentials").as_deref(), Some("true"));
        self.stream = Some(stream);
    }

    fn close(&mut self) {
        self.cursor = match &self.stream {
            Some(stream) => stream.last_event_id().to_owned(),
            None => return,
        };
        self.stream = None;
    }

    /// Who is here (`here`), by user, which must include the page's own.
    #[track_caller]
    fn here(&self, channel: &str) -> Vec<u64> {
        let request = self.hub.request("GET", path(self.hub, &["exact", channel]));
        let request = request.cookie(COOKIE, &self.token).header("Origin", ORIGIN);
        let answer = request
            .send()
            .expect_status(200)
            .expect_header("Access-Control-Allow-Origin", ORIGIN)
            .expect_header("Access-Control-Allow-Credentials", "true");
        let listed = subscriptions(&body(&answer));
        let active = listed.iter().filter(|document| document["active"] == true);
        let mut users: Vec<u64> = active.map(user).collect();
        users.sort_unstable();
        users.dedup();
        assert!(users.contains(&self.user.into()), "it finds itself: {answer}");
        users
    }

    /// The next thing that concerns others: of its own coming and going a page says nothing.
    #[track_caller]
    fn hears(&mut self) -> Heard {
        let own = u64::from(self.user);
        let stream = self.stream.as_mut().expect("it has joined");
        loop {
            let event: Event = stream.event();
            match event.event_type.as_str() {
                "message" => return Heard::Message(event.data),
                "mercure" => {}
                _ => continue,
            }
            let document: Value = serde_json::from_str(&event.data).expect("a document");
            assert!(!event.id.is_empty(), "it is a cursor: {event:?}");
            let of_a_channel = self.channels.iter().any(|it| document["match"] == it.as_str());
            if document["match_type"] != "exact" || !of_a_channel || user(&document) == own {
                continue;
            }
            return match document["active"].as_bool().expect("a boolean") {
                true => Heard::Joining(user(&document)),
                false => Heard::Leaving(user(&document)),
            };
        }
    }
}

#[track_caller]
fn user(document: &Value) -> u64 {
    document["payload"]["user_id"].as_u64().unwrap_or_else(|| panic!("{document}"))
}

/// The topic of a channel's whispers.
fn whispers(channel: &str) -> String {
    channel.replace("/channel/", "/whisper/")
}

fn channel(name: &str) -> String {
    fresh(&format!("echo/channel/presence-{name}"))
}

/// Two members join a room, see each other, and hear what is published there.
#[track_caller]
fn members_meet<'a>(hub: &'a Hub, room: &str) -> [Page<'a>; 2] {
    let mut ann = Page::new(hub, 1, &[room]);
    ann.join(room);
    assert_eq!(ann.here(room), [1]);
    let mut ben = Page::new(hub, 2, &[room]);
    ben.join(room);
    assert_eq!(ben.here(room), [1, 2]);
    assert_eq!(ann.hears(), Heard::Joining(2));
    assert_eq!(ann.here(room), [1, 2]);
    hub.publish(&[("topic", room), ("data", "for members"), ("private", "on")]);
    for page in [&mut ann, &mut ben] {
        assert_eq!(page.hears(), Heard::Message("for members".to_owned()));
    }
    [ann, ben]
}

fn members_see_each_other_come_and_go(hub: &Hub) {
    let room = channel("room.1:a");
    let [mut ann, mut ben] = members_meet(hub, &room);
    ben.close();
    assert_eq!(ann.hears(), Heard::Leaving(2));
    assert_eq!(ann.here(&room), [1]);
}

// As on platforms that notice only later who has gone.
fn members_see_each_other_come_and_stay(hub: &Hub) {
    members_meet(hub, &channel("room.2"));
}

fn who_joins_another_channel_resumes_where_it_was(hub: &Hub) {
    let (lobby, room) = (channel("lobby"), channel("room"));
    let mut ann = Page::new(hub, 1, &[&lobby, &room]);
    ann.join(&lobby);
    hub.publish(&[("topic", &lobby), ("data", "first")]);
    assert_eq!(ann.hears(), Heard::Message("first".to_owned()));
    ann.close();
    // Meanwhile somebody comes.
    let mut ben = Page::new(hub, 2, &[&lobby, &room]);
    ben.join(&lobby);
    ann.join(&room);
    assert_eq!(ann.here(&room), [1]);
    assert_eq!(ann.hears(), Heard::Joining(2));
    assert_eq!(ann.here(&lobby), [1, 2]);
}

// The suite's hub has a key for each role; here Echo's cookie is signed with the publishers'.
fn members_whisper(hub: &Hub) {
    let room = channel("room");
    let topic = whispers(&room);
    let mut ann = Page::new(hub, 1, &[&room]);
    ann.join(&room);
    // Each channel's whispers have a stream of their own.
    let mut listening = ann.request(&form::pairs(&[("match", &topic)])).open();
    let publisher = hub.publisher_v1(json!([crate::token::detail("publish", &[&topic])]));
    let whisper = |topic: &str| {
        hub.request("POST", hub.path())
            .header("Content-Type", "application/x-www-form-urlencoded;charset=UTF-8")
            .header("Origin", ORIGIN)
            .cookie(COOKIE, &publisher)
            .body(form::pairs(&[("topic", topic), ("data", "typing"), ("private", "on")]))
            .send()
    };
    whisper(&topic).expect_status(200).expect_header("Access-Control-Allow-Origin", ORIGIN);
    let mut event = listening.event();
    while event.event_type != "message" {
        event = listening.event();
    }
    assert_eq!(event.data, "typing");
    whisper(&room).expect_challenge(403, Some("insufficient_scope"));
    // A member of the channel is not one of its whispers, and the other way round.
    assert_eq!(ann.here(&room), [1]);
}
