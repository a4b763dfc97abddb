//! `tokens.json` and `keys.json`: from an access token to what it grants, or to why it is refused.
//!
//! `given` is a token (with the rest of a request, if that matters) and the `roles` in which it is
//! presented: both, unless it says otherwise. What a token grants shows in what the hub then does:
//! for a subscriber, which of the scene's topics it receives private updates of; for a publisher,
//! which of them it can publish to. `reason` is part of what the hub's log says.

use std::collections::BTreeMap;

use cinnabar_core::{Admission, Answer, Command};
use serde::Deserialize;
use serde_json::Value;

use super::challenge::challenge;
use super::check::check;
use super::request::Exchange;
use super::stream::{UpdateText, watch};
use super::text::Text;
use super::token::Token;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scene {
    request: Exchange,
    topics: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    token: Option<Token>,
    #[serde(default)]
    request: Exchange,
    #[serde(default = "both")]
    roles: Vec<Role>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
enum Role {
    Publisher,
    Subscriber,
}

fn both() -> Vec<Role> {
    vec![Role::Publisher, Role::Subscriber]
}

/// The outcome, in each of the roles.
#[derive(Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Expected {
    Granted {
        grants: Vec<String>,
        /// When a subscriber's stream ends, in milliseconds since the Unix epoch.
        expires: Option<u64>,
    },
    Refused {
        status: u16,
        challenge: String,
        /// `None` if nothing is logged.
        reason: Option<String>,
    },
}

#[derive(Debug)]
enum Got {
    Granted { grants: Vec<String>, expires: Option<u64> },
    Refused { status: u16, challenge: String, reason: Option<String> },
}

impl PartialEq<BTreeMap<Role, Got>> for Expected {
    fn eq(&self, roles: &BTreeMap<Role, Got>) -> bool {
        !roles.is_empty() && roles.iter().all(|(role, got)| self.met_by(*role, got))
    }
}

impl Expected {
    fn met_by(&self, role: Role, got: &Got) -> bool {
        match (self, got) {
            (Self::Granted { grants, expires }, Got::Granted { grants: g, expires: e }) => {
                grants == g && (role == Role::Publisher || expires.is_none() || expires == e)
            }
            (
                Self::Refused { status, challenge, reason },
                Got::Refused { status: s, challenge: c, reason: r },
            ) => {
                let reason_given = match (reason, r) {
                    (Some(part), Some(whole)) => whole.contains(part),
                    (part, whole) => part == whole,
                };
                status == s && challenge == c && reason_given
            }
            _ => false,
        }
    }
}

#[test]
fn tokens() {
    check_all(include_str!("tokens.json"));
}

#[test]
fn keys() {
    check_all(include_str!("keys.json"));
}

fn check_all(vectors: &str) {
    check::<Scene, Given, Expected, _>(vectors, |scene, given| {
        let mut request = given.request.over(&scene.request);
        if let Some(token) = &given.token {
            request.tokens.insert("token".to_owned(), token.clone());
        }
        let roles = given.roles.iter();
        roles
            .map(|role| match role {
                Role::Publisher => (*role, published(&request, &scene.topics)),
                Role::Subscriber => (*role, subscribed(request.clone(), &scene.topics)),
            })
            .collect()
    });
}

fn published(request: &Exchange, topics: &[String]) -> Got {
    let mut grants = Vec::new();
    for topic in topics {
        let body = Some(Text::Plain(format!("topic={topic}")));
        let method = Some("POST".to_owned());
        match (Exchange { method, body, ..request.clone() }).admit() {
            Admission::Forward(_) => grants.push(topic.clone()),
            Admission::Answer(answer) => match refused(&answer) {
                Got::Refused { status: 403, challenge, .. }
                    if challenge == r#"Bearer error="insufficient_scope""# => {}
                refused => return refused,
            },
        }
    }
    Got::Granted { grants, expires: None }
}

fn subscribed(request: Exchange, topics: &[String]) -> Got {
    let query = Some(Text::Plain("match=*&topic=*".to_owned()));
    let request = Exchange { query, ..request };
    match request.admit() {
        Admission::Answer(answer) => refused(&answer),
        Admission::Forward(command) => {
            // The only thing that can only be seen on the way to the holder.
            let encoded: Value = serde_json::from_slice(&command.to_bytes()).expect("JSON");
            let expires = encoded["command"]["Subscribe"]["expires"].as_u64();
            let Command::Subscribe(subscribe) = command else {
                panic!("not a subscription: {command:?}");
            };
            let updates: Vec<UpdateText> =
                topics.iter().map(|topic| UpdateText::private(topic)).collect();
            let seen = watch(subscribe, &request.config(), request.now(), &[], &updates);
            Got::Granted { grants: seen.ids(), expires }
        }
    }
}

fn refused(answer: &Answer) -> Got {
    Got::Refused {
        status: answer.response.status().as_u16(),
        challenge: challenge(answer.response.headers()).unwrap_or_default(),
        reason: answer.log.clone(),
    }
}
