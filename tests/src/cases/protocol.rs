//! A hub that is told to serve only one generation of the protocol.

use crate::case::{Case, case};
use crate::hub::{Hub, fresh};
use crate::token::Generation;

/// The configurations of these cases.
const V1: &[(&str, &str)] = &[("PROTOCOL", "1.0")];
const V0: &[(&str, &str)] = &[("PROTOCOL", "0.x")];

pub(crate) const CASES: &[Case] = &[
    case!(a_hub_of_1_0_takes_no_token_of_0_x on V1),
    case!(a_hub_of_1_0_has_no_parameter_topic on V1),
    case!(a_hub_of_0_x_takes_no_token_of_1_0 on V0),
    case!(a_hub_of_0_x_has_no_parameter_match on V0),
];

fn takes_its_own_tokens_alone(hub: &Hub, own: Generation, other: Generation) {
    let publish = |generation| {
        let token = hub.publisher(generation, &["*"]);
        hub.publication(&[("topic", &fresh("a"))]).bearer(&token).send()
    };
    publish(own).expect_status(200);
    publish(other).expect_challenge(401, Some("invalid_token"));
}

fn a_hub_of_1_0_takes_no_token_of_0_x(hub: &Hub) {
    takes_its_own_tokens_alone(hub, Generation::V1, Generation::V0);
    // The cookie and the parameter of 0.x are not looked at.
    let token = hub.subscriber(Generation::V0, &["*"]);
    let parameters = [("match", "a"), ("authorization", token.as_str())];
    hub.subscription(&parameters).cookie("mercureAuthorization", &token).open();
}

fn a_hub_of_1_0_has_no_parameter_topic(hub: &Hub) {
    let answer = hub.subscription(&[("topic", "a")]).send().expect_no_challenge(400);
    assert!(answer.text().contains("1.0"), "{answer}");
}

fn a_hub_of_0_x_takes_no_token_of_1_0(hub: &Hub) {
    takes_its_own_tokens_alone(hub, Generation::V0, Generation::V1);
}

fn a_hub_of_0_x_has_no_parameter_match(hub: &Hub) {
    let answer = hub.subscription(&[("match", "a")]).send().expect_no_challenge(400);
    assert!(answer.text().contains("0.x"), "{answer}");
    hub.subscription(&[("topic", "a"), ("match_foreign", "b")]).open();
}
