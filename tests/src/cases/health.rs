//! `/healthz`: what orchestrators and clients' own setups ask for.

use crate::arguments::Capability;
use crate::case::{Case, case};
use crate::hub::Hub;

pub(crate) const CASES: &[Case] = &[
    case!(a_healthy_hub_answers_200).needing(&[Capability::WholeHost]),
    case!(head_is_answered_as_get).needing(&[Capability::WholeHost]),
    case!(only_reading_is_allowed).needing(&[Capability::WholeHost]),
];

fn a_healthy_hub_answers_200(hub: &Hub) {
    for _ in 0..3 {
        hub.request("GET", "/healthz").send().expect_status(200);
    }
}

fn head_is_answered_as_get(hub: &Hub) {
    hub.request("HEAD", "/healthz").send().expect_status(200);
}

fn only_reading_is_allowed(hub: &Hub) {
    let answer = hub.request("POST", "/healthz").body("").send().expect_status(405);
    assert!(answer.head.lists("Allow", "GET"), "{answer}");
}
