//! `publish.json`: from a publication to its update and its answer.
//!
//! `given` is a request (see [`Exchange`]); `expected` is the answer's status, its challenge if it
//! has one, and the update to append. An update without an `id` is expected to get one of the hub's
//! own.

use cinnabar_core::{Admission, Command, Publish};
use http::header::CONTENT_TYPE;
use serde::Deserialize;

use super::challenge::challenge;
use super::check::check;
use super::request::{Exchange, RANDOM_ID};
use super::text;

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Outcome {
    status: u16,
    challenge: Option<String>,
    update: Option<Update>,
}

/// An update to append.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(super) struct Update {
    #[serde(default = "random_id")]
    pub(super) id: String,
    topics: Vec<String>,
    #[serde(default)]
    targets: Vec<String>,
    #[serde(default)]
    data: String,
    #[serde(default)]
    private: bool,
    #[serde(rename = "type")]
    event_type: Option<String>,
    retry: Option<u32>,
}

fn random_id() -> String {
    RANDOM_ID.to_owned()
}

impl Update {
    pub(super) fn of(publish: &Publish) -> Self {
        let stored = publish.update().store();
        Self {
            id: stored.id,
            topics: text::lines(&stored.topics),
            targets: text::lines(&stored.targets),
            data: stored.data,
            private: stored.private,
            event_type: stored.event_type,
            retry: stored.retry,
        }
    }
}

#[test]
fn publications() {
    check::<Exchange, Exchange, Outcome, _>(
        include_str!("publish.json"),
        |scene, given| match given.over(scene).admit() {
            Admission::Answer(answer) => Outcome {
                status: answer.response.status().as_u16(),
                challenge: challenge(answer.response.headers()),
                update: None,
            },
            Admission::Forward(Command::Publish(publish)) => {
                let answer = publish.accepted().response;
                assert_eq!(answer.headers()[CONTENT_TYPE], "text/plain; charset=utf-8");
                let update = Update::of(&publish);
                assert_eq!(*answer.body(), update.id.as_bytes(), "the answer is the id");
                Outcome { status: answer.status().as_u16(), challenge: None, update: Some(update) }
            }
            Admission::Forward(other) => panic!("not a publication: {other:?}"),
        },
    );
}
