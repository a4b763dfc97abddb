//! JWT libraries.
//!
//! They differ in what a header holds, how a time is written, and which members a JWK has.

use std::time::Instant;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::program::{PATIENCE, Program};
use crate::case::Suite;
use crate::hub::fresh;

const PROGRAMS: [&str; 6] = [
    "tokens/fast-jwt.mjs",
    "tokens/jose.mjs",
    "tokens/jsonwebtoken.mjs",
    "tokens/jwcrypto-package.py",
    "tokens/pyjwt.py",
    "tokens/python-jose.py",
];

const AUDIENCE: &str = "https://hub.example/.well-known/mercure";
const SECRET: &str = "a shared secret of thirty-two bytes and more";

/// A key as a library writes it, and tokens that it signed, by generation of the protocol.
#[derive(Deserialize)]
struct Offer {
    issuer: String,
    algorithm: String,
    key: Value,
    tokens: Map<String, Value>,
}

// draft-08, "Token Validation"
pub(super) fn what_a_library_signs_is_accepted_with_its_key_as_the_library_writes_it(
    suite: &Suite,
) {
    let programs = PROGRAMS.map(|script| Program::start(script, &[AUDIENCE, SECRET]));
    let offers: Vec<Offer> = programs.into_iter().flat_map(offers_of).collect();
    let issuers: Value = offers.iter().map(issuer).collect();
    let hub =
        suite.launch(&[("MERCURE_TRUSTED_ISSUERS", &issuers.to_string()), ("AUDIENCES", AUDIENCE)]);
    for Offer { issuer, tokens, .. } in &offers {
        for (generation, token) in tokens {
            let token = token.as_str().expect("a token");
            // A case that fails shows the topic, and so whose token it is.
            let topic = fresh(&format!("{generation}/{issuer}"));
            let mut stream = hub.subscription(&[("match", &topic)]).bearer(token).open();
            let update = [("topic", topic.as_str()), ("private", "on"), ("data", "x")];
            hub.publication(&update).bearer(token).send().expect_status(200);
            stream.expect_data("x");
        }
    }
}

#[track_caller]
fn offers_of(mut program: Program<Offer>) -> Vec<Offer> {
    let deadline = Instant::now() + PATIENCE;
    let offers: Vec<Offer> = std::iter::from_fn(|| program.next(deadline)).collect();
    assert_eq!(program.noise(), "", "{}", program.script());
    assert!(!offers.is_empty(), "{}", program.script());
    offers
}

fn issuer(offer: &Offer) -> Value {
    let Offer { issuer, algorithm, key, tokens } = offer;
    let generations: Vec<&String> = tokens.keys().collect();
    json!({"issuer": issuer, "algorithm": algorithm, "key": key, "tokens": generations})
}
