//! `cors.json`: from an origin and a configuration to what a browser may read and send.
//!
//! `given` is a request, and how far it gets: it `fails` if the holder of the log cannot be
//! reached. `expected` is the answer's status and `fields`: those named must have these values, or
//! be absent if null; and no other CORS field may be there.

use std::collections::BTreeMap;

use cinnabar_core::{Admission, Command};
use serde::Deserialize;

use super::check::check;
use super::request::Exchange;
use super::stream::watch;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    request: Exchange,
    #[serde(default)]
    fails: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    status: u16,
    fields: BTreeMap<String, Option<String>>,
}

#[derive(Debug)]
struct Got {
    status: u16,
    fields: BTreeMap<String, String>,
}

impl Got {
    fn of<B>(response: &http::Response<B>) -> Self {
        let fields = response.headers().iter();
        Self {
            status: response.status().as_u16(),
            fields: fields
                .map(|(name, value)| (name.to_string(), value.to_str().expect("ASCII").to_owned()))
                .collect(),
        }
    }
}

impl PartialEq<Got> for Expected {
    fn eq(&self, got: &Got) -> bool {
        let is_of_cors = |name: &str| name.starts_with("access-control-") || name == "vary";
        self.status == got.status
            && self.fields.iter().all(|(name, value)| got.fields.get(name) == value.as_ref())
            && got.fields.keys().all(|name| !is_of_cors(name) || self.fields.contains_key(name))
    }
}

#[test]
fn origins() {
    check::<Exchange, Given, Expected, _>(include_str!("cors.json"), |scene, given| {
        let request = given.request.over(scene);
        match request.admit() {
            Admission::Answer(answer) => Got::of(&answer.response),
            Admission::Forward(command) if given.fails => {
                Got::of(&command.unavailable(request.now()).response)
            }
            Admission::Forward(command) => answered(command, &request),
        }
    });
}

/// The answer of a holder that can do as it is asked.
fn answered(command: Command, request: &Exchange) -> Got {
    match command {
        Command::Publish(publish) => Got::of(&publish.accepted().response),
        Command::List(list) => Got::of(&list.answer(&list.begin(None)).response),
        Command::CheckHealth(check) => Got::of(&check.healthy().response),
        Command::Subscribe(subscribe) => {
            Got::of(&watch(subscribe, &request.config(), request.now(), &[], &[]).response)
        }
    }
}
