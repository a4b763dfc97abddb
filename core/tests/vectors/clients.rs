//! `clients.json`: from a real client's request to what the hub makes of it.
//!
//! `given` is what the client `sends`, line by line as on the wire: request line, header fields, an
//! empty line and the body (except for the body's framing, which is up to the platform). `{name}`
//! is the token with that name. The scene's `history` is in the log when the request arrives; then
//! updates of the topics in `public` and `private` are published, with the topic as their id.
//!
//! `expected` is the answer's status, its challenge, the two fields that name a cursor, and the
//! origin whose pages may read it; for a publication, the `update`; for a subscription, the ids
//! that the stream brings, and how its `reader` is served:
//!
//! | reader | begins with | after a passing failure | at its end |
//! |---|---|---|---|
//! | `native` | its position | 200 and its cursor | its position |
//! | `asked` | a comment | 200, to come back | when to come back |
//! | `told` | a comment | 503 | when to come back |
//! | `cut` | a comment | 503 | when to come back, and a cut |
//! | `dropped` | a comment | 503 | a cut |

use std::collections::BTreeMap;

use bytes::Bytes;
use cinnabar_core::{Admission, Answer, Command};
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE};
use serde::Deserialize;

use super::challenge::challenge;
use super::check::check;
use super::publish::Update;
use super::request::Exchange;
use super::stream::{Seen, UpdateText, watch};
use super::text::{Part, Text};
use super::token::Token;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scene {
    tokens: BTreeMap<String, Token>,
    config: BTreeMap<String, String>,
    now: u64,
    history: Vec<UpdateText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    sends: Vec<Text>,
    #[serde(default)]
    config: BTreeMap<String, String>,
    #[serde(default)]
    public: Vec<String>,
    #[serde(default)]
    private: Vec<String>,
}

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct Outcome {
    status: u16,
    challenge: Option<String>,
    mercure_last_event_id: Option<String>,
    last_event_id: Option<String>,
    allow_origin: Option<String>,
    update: Option<Update>,
    reader: Option<Reader>,
    receives: Vec<String>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Reader {
    Native,
    Asked,
    Told,
    Cut,
    Dropped,
}

impl Given {
    /// The request, in the form in which a platform hands it to the core.
    fn request(&self, scene: &Scene) -> Exchange {
        let mut lines = self.sends.iter();
        let text = |line: &Text| String::from_utf8(line.bytes()).expect("a line of text");
        let start = text(lines.next().expect("a request line"));
        let [method, target, "HTTP/1.1" | "HTTP/1.0"] = start.split(' ').collect::<Vec<_>>()[..]
        else {
            panic!("no request line: {start}");
        };
        let mut headers = Vec::new();
        for line in lines.by_ref().map(Text::bytes).take_while(|line| !line.is_empty()) {
            let colon = line.iter().position(|&byte| byte == b':').expect("a header field");
            let (name, value) = line.split_at(colon);
            let name = String::from_utf8(name.to_vec()).expect("a field's name is ASCII");
            headers.push((name, bytes(value[1..].trim_ascii())));
        }
        let host = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
        let host = text(&host.expect("a Host field").1);
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(Text::Plain(query.to_owned()))),
            None => (target, None),
        };
        let body = lines.next().cloned();
        assert!(lines.next().is_none(), "nothing follows the body");
        let mut config = scene.config.clone();
        config.extend(self.config.clone());
        Exchange {
            method: Some(method.to_owned()),
            url: Some(format!("https://{host}{path}")),
            query,
            headers: Some(headers),
            tokens: scene.tokens.clone(),
            body,
            config,
            published: BTreeMap::new(),
            now: Some(scene.now),
        }
    }
}

fn bytes(value: &[u8]) -> Text {
    match std::str::from_utf8(value) {
        Ok(text) => Text::Plain(text.to_owned()),
        Err(_) => {
            let hex = value.iter().map(|byte| format!("{byte:02x}")).collect();
            Text::Parts(vec![Part::Hex { hex }])
        }
    }
}

impl Outcome {
    fn of<B>(response: &http::Response<B>) -> Self {
        let field = |name: &str| {
            let value = response.headers().get(name)?.as_bytes();
            Some(String::from_utf8(value.to_vec()).expect("UTF-8"))
        };
        Self {
            status: response.status().as_u16(),
            challenge: challenge(response.headers()),
            mercure_last_event_id: field("mercure-last-event-id"),
            last_event_id: field("last-event-id"),
            allow_origin: field(ACCESS_CONTROL_ALLOW_ORIGIN.as_str()),
            ..Self::default()
        }
    }
}

/// How a reader is served; the bytes of its stream must be all of that kind.
fn reader(seen: &Seen, unavailable: &Answer) -> Reader {
    let text = |writes: &[Bytes]| String::from_utf8(writes.concat()).expect("UTF-8");
    let last_words = text(&seen.last_words);
    let (status, told) = (unavailable.response.status().as_u16(), unavailable.response.body());
    let is_position = |text: &str| text.starts_with("retry: ") && text.ends_with("\n\n");
    let is_retry = |text: &str| text.starts_with("retry: ") && text.lines().count() == 1;
    if is_position(&text(std::slice::from_ref(&seen.opening))) {
        assert!(is_position(&last_words) && !seen.cut, "{last_words:?}");
        assert_eq!((status, &told[..9]), (200, &b":\nretry: "[..]));
        return Reader::Native;
    }
    assert_eq!(seen.opening, ":\n", "a comment, flushed on its own");
    for write in &seen.writes {
        let text = std::str::from_utf8(write).expect("event streams are UTF-8");
        assert!(text.ends_with("\n\n") && !text.starts_with(':'), "whole events: {text:?}");
    }
    if seen.cut && last_words.is_empty() {
        assert_eq!(status, 503);
        return Reader::Dropped;
    }
    assert!(is_retry(&last_words) && last_words.ends_with('\n'), "{last_words:?}");
    match status {
        503 if seen.cut => Reader::Cut,
        200 => {
            assert!(!seen.cut, "it is only asked to come back");
            let told = std::str::from_utf8(told).expect("UTF-8");
            assert!(told.strip_prefix(":\n").is_some_and(is_retry), "{told:?}");
            Reader::Asked
        }
        _ => Reader::Told,
    }
}

#[test]
fn clients() {
    check::<Scene, Given, Outcome, _>(include_str!("clients.json"), |scene, given| {
        let request = given.request(scene);
        match request.admit() {
            Admission::Answer(answer) => Outcome::of(&answer.response),
            Admission::Forward(Command::Publish(publish)) => {
                let (answer, update) = (publish.accepted().response, Update::of(&publish));
                assert_eq!(answer.headers()[CONTENT_TYPE], "text/plain; charset=utf-8");
                assert_eq!(*answer.body(), update.id.as_bytes(), "the answer is the id");
                Outcome { update: Some(update), ..Outcome::of(&answer) }
            }
            Admission::Forward(Command::Subscribe(subscribe)) => {
                let public = given.public.iter().map(|topic| UpdateText::public(topic));
                let private = given.private.iter().map(|topic| UpdateText::private(topic));
                let live: Vec<UpdateText> = public.chain(private).collect();
                let config = request.config();
                let unavailable = subscribe.unavailable(request.now());
                let seen = watch(subscribe, &config, request.now(), &scene.history, &live);
                Outcome {
                    reader: Some(reader(&seen, &unavailable)),
                    receives: seen.ids(),
                    ..Outcome::of(&seen.response)
                }
            }
            Admission::Forward(Command::List(list)) => {
                Outcome::of(&list.answer(&list.begin(None)).response)
            }
            Admission::Forward(Command::CheckHealth(check)) => {
                Outcome::of(&check.healthy().response)
            }
        }
    });
}
