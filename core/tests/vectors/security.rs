//! `security.json`: from what an attacker sends to what others see of it.
//!
//! `given` is a `publication`, a `subscription`, or both. An accepted publication is appended once
//! the subscriber's stream is open; the scene's subscriber watches if a vector names none. Each
//! value in `each` in turn replaces `{each}`, and the outcome must be the same for all.
//!
//! `expected` is the status of each, the challenge of the one that is refused, the origin that may
//! read the answer, the `cursor` that the stream's answer names, and everything that the stream
//! then writes.

use cinnabar_core::{Admission, Answer, Command};
use serde::Deserialize;

use super::challenge::challenge;
use super::check::check;
use super::request::Exchange;
use super::stream::{UpdateText, watch};
use super::text::Text;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scene {
    publication: Exchange,
    subscription: Exchange,
    history: Vec<UpdateText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    publication: Option<Exchange>,
    subscription: Option<Exchange>,
    #[serde(default = "once")]
    each: Vec<String>,
}

fn once() -> Vec<String> {
    vec![String::new()]
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct Outcome {
    publication: Option<u16>,
    subscription: Option<u16>,
    challenge: Option<String>,
    allow_origin: Option<String>,
    cursor: Option<String>,
    stream: Option<String>,
}

/// Every outcome, and what caused it.
#[derive(Debug, Default)]
struct Outcomes(Vec<(Outcome, Vec<String>)>);

impl Outcomes {
    fn add(&mut self, outcome: Outcome, each: &str) {
        match self.0.iter_mut().find(|(other, _)| *other == outcome) {
            Some((_, causes)) => causes.push(each.to_owned()),
            None => self.0.push((outcome, vec![each.to_owned()])),
        }
    }
}

impl PartialEq<Outcomes> for Outcome {
    fn eq(&self, got: &Outcomes) -> bool {
        matches!(&got.0[..], [(only, _)] if only == self)
    }
}

#[test]
fn attacks() {
    check::<Scene, Given, Outcome, _>(include_str!("security.json"), |scene, given| {
        let mut outcomes = Outcomes::default();
        for each in &given.each {
            outcomes.add(given.with(each).outcome(scene), each);
        }
        outcomes
    });
}

impl Given {
    fn with(&self, each: &str) -> Self {
        let fill = |exchange: &Option<Exchange>| exchange.as_ref().map(|it| it.filled(each));
        Self {
            publication: fill(&self.publication),
            subscription: fill(&self.subscription),
            each: Vec::new(),
        }
    }

    fn outcome(&self, scene: &Scene) -> Outcome {
        let mut outcome = Outcome::default();
        let mut published = Vec::new();
        if let Some(publication) = &self.publication {
            match publication.over(&scene.publication).admit() {
                Admission::Forward(Command::Publish(publish)) => {
                    outcome.read(&publish.accepted().response);
                    outcome.publication = Some(200);
                    published.push(UpdateText::of(&publish));
                }
                Admission::Answer(answer) => outcome.publication = Some(outcome.refused(&answer)),
                Admission::Forward(other) => panic!("not a publication: {other:?}"),
            }
        }
        if published.is_empty() && self.subscription.is_none() {
            return outcome;
        }
        let subscription = self.subscription.clone().unwrap_or_default().over(&scene.subscription);
        match subscription.admit() {
            Admission::Forward(Command::Subscribe(subscribe)) => {
                let (config, now) = (subscription.config(), subscription.now());
                let seen = watch(subscribe, &config, now, &scene.history, &published);
                outcome.read(&seen.response);
                outcome.subscription = Some(seen.response.status().as_u16());
                let cursor = seen.response.headers().get("mercure-last-event-id");
                outcome.cursor = cursor
                    .map(|cursor| String::from_utf8(cursor.as_bytes().to_vec()).expect("UTF-8"));
                outcome.stream = Some(seen.text());
            }
            Admission::Answer(answer) => outcome.subscription = Some(outcome.refused(&answer)),
            Admission::Forward(other) => panic!("not a subscription: {other:?}"),
        }
        outcome
    }
}

impl Outcome {
    fn read<B>(&mut self, response: &http::Response<B>) {
        let field = |name: &str| {
            let value = response.headers().get(name)?;
            Some(value.to_str().expect("ASCII").to_owned())
        };
        self.challenge = challenge(response.headers()).or(self.challenge.take());
        self.allow_origin = field("access-control-allow-origin").or(self.allow_origin.take());
    }

    fn refused(&mut self, answer: &Answer) -> u16 {
        self.read(&answer.response);
        answer.response.status().as_u16()
    }
}

impl Exchange {
    /// This, with `{each}` replaced.
    fn filled(&self, each: &str) -> Self {
        let fill = |text: &Text| match text {
            Text::Plain(text) => Text::Plain(text.replace("{each}", each)),
            parts @ Text::Parts(_) => parts.clone(),
        };
        let headers = self
            .headers
            .as_ref()
            .map(|fields| fields.iter().map(|(name, value)| (name.clone(), fill(value))).collect());
        Self {
            query: self.query.as_ref().map(fill),
            body: self.body.as_ref().map(fill),
            headers,
            ..self.clone()
        }
    }
}
