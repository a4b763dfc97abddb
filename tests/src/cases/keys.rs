//! Keys and algorithms, verified by the platform's own cryptography.
//!
//! `keys.json` holds a list of issuers, each with a public key (or a secret) and an algorithm of
//! its own, and a token that each of them signed: 0.x tokens without `exp`, which stay valid.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::case::{Case, Suite, case};
use crate::hub::fresh;

pub(crate) const CASES: &[Case] =
    &[case!(every_algorithm_verifies_its_own_issuers_tokens launching)];

#[derive(Deserialize)]
struct Keys {
    issuers: Vec<Value>,
    accepted: BTreeMap<String, String>,
    refused: BTreeMap<String, String>,
}

// draft-08, "Token Validation"
fn every_algorithm_verifies_its_own_issuers_tokens(suite: &Suite) {
    let Keys { issuers, accepted, refused } =
        serde_json::from_str(include_str!("keys.json")).expect("a file of keys and tokens");
    let issuers = Value::from(issuers).to_string();
    let hub = suite.launch(&[("MERCURE_TRUSTED_ISSUERS", &issuers)]);
    for (name, token) in accepted {
        let topic = fresh("a");
        let mut stream = hub.subscription(&[("match", &topic)]).bearer(&token).open();
        let update = [("topic", topic.as_str()), ("private", "on"), ("data", name.as_str())];
        hub.publication(&update).bearer(&token).send().expect_status(200);
        stream.expect_data(&name);
    }
    for token in refused.values() {
        let update = hub.publication(&[("topic", "a")]).bearer(token);
        update.send().expect_challenge(401, Some("invalid_token"));
        let stream = hub.subscription(&[("match", "a")]).bearer(token);
        stream.send().expect_challenge(401, Some("invalid_token"));
    }
}
