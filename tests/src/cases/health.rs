//! `/healthz`, which orchestrators and clients' own setups ask for, and `/robots.txt`.

use crate::arguments::Capability;
use crate::case::{Case, case};
use crate::hub::Hub;

pub(crate) const CASES: &[Case] = &[
    case!(a_healthy_hub_answers_200).needing(&[Capability::WholeHost]),
    case!(head_is_answered_as_get).needing(&[Capability::WholeHost]),
    case!(only_reading_is_allowed).needing(&[Capability::WholeHost]),
    case!(robots_are_told_to_stay_away).needing(&[Capability::WholeHost]),
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
    for path in ["/healthz", "/robots.txt"] {
        let answer = hub.request("POST", path).body("").send().expect_status(405);
        assert!(answer.head.lists("Allow", "GET"), "{answer}");
    }
}

// RFC 9309
fn robots_are_told_to_stay_away(hub: &Hub) {
    let answer = hub.request("GET", "/robots.txt").send().expect_status(200);
    assert_eq!(answer.text(), "User-agent: *\nDisallow: /\n");
    let content_type = answer.header("Content-Type").unwrap_or_default();
    assert!(content_type.starts_with("text/plain"), "{answer}");
    hub.request("HEAD", "/robots.txt").send().expect_status(200);
}
