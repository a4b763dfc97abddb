//! `parameters.json`: from the parameters of a subscription to its answer and what it receives.
//!
//! `given` is a request; the scene's `history` is in the log when it arrives, and `live` is
//! published after that. `expected` is the answer's status, its challenge and the two fields that
//! name a cursor, if it has them, and the ids of the updates that the stream brings, in order.

use cinnabar_core::{Admission, Command};
use http::{HeaderMap, Response};
use serde::Deserialize;

use super::challenge::challenge;
use super::check::check;
use super::request::Exchange;
use super::stream::{UpdateText, watch};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scene {
    request: Exchange,
    history: Vec<UpdateText>,
    live: Vec<UpdateText>,
}

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct Outcome {
    status: u16,
    challenge: Option<String>,
    mercure_last_event_id: Option<String>,
    last_event_id: Option<String>,
    receives: Vec<String>,
}

impl Outcome {
    fn of<B>(response: &Response<B>, receives: Vec<String>) -> Self {
        let headers = response.headers();
        Self {
            status: response.status().as_u16(),
            challenge: challenge(headers),
            mercure_last_event_id: field(headers, "mercure-last-event-id"),
            last_event_id: field(headers, "last-event-id"),
            receives,
        }
    }
}

fn field(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.as_bytes();
    Some(String::from_utf8(value.to_vec()).expect("UTF-8"))
}

#[test]
fn parameters() {
    check::<Scene, Exchange, Outcome, _>(include_str!("parameters.json"), |scene, given| {
        let request = given.over(&scene.request);
        match request.admit() {
            Admission::Answer(answer) => Outcome::of(&answer.response, Vec::new()),
            Admission::Forward(Command::Subscribe(subscribe)) => {
                let config = request.config();
                let seen = watch(subscribe, &config, request.now(), &scene.history, &scene.live);
                Outcome::of(&seen.response, seen.ids())
            }
            Admission::Forward(other) => panic!("not a subscription: {other:?}"),
        }
    });
}
