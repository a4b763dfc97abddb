//! Pages of other origins that ask who is here.

use super::asking::{PRESENT, path};
use crate::case::{Case, case};
use crate::hub::{Hub, fresh};
use crate::token::Generation;

pub(super) const CASES: &[Case] = &[
    case!(a_listed_origin_may_read_the_answer_and_its_link on PRESENT),
    case!(a_preflight_allows_a_token on PRESENT),
];

// draft-08, "Subscription API": `Link` is exposed
fn a_listed_origin_may_read_the_answer_and_its_link(hub: &Hub) {
    let topic = fresh("room");
    let _member = hub.subscribe(&topic);
    let reader = hub.subscriber(Generation::V1, &["*"]);
    let other = hub.subscriber(Generation::V1, &[&topic]);
    let nobody = path(hub, &["exact", &topic, "urn:uuid:nobody"]);
    for (target, token, status) in [
        (path(hub, &[]), &reader, 200),
        (path(hub, &["exact", &topic]), &reader, 200),
        (nobody, &reader, 404),
        (path(hub, &["exact", &topic]), &other, 403),
    ] {
        let request = hub.request("GET", target).bearer(token);
        let answer = request.clone().header("Origin", "https://app.example").send();
        let answer = answer
            .expect_status(status)
            .expect_header("Access-Control-Allow-Origin", "https://app.example")
            .expect_header("Access-Control-Allow-Credentials", "true");
        assert!(answer.head.lists("Access-Control-Expose-Headers", "Link"), "{answer}");
        assert!(answer.head.lists("Vary", "Origin"), "{answer}");
        let answer = request.header("Origin", "https://evil.example").send();
        assert_eq!(answer.header("Access-Control-Allow-Origin"), None, "{answer}");
    }
}

fn a_preflight_allows_a_token(hub: &Hub) {
    for variables in [&[][..], &["exact", "a"], &["exact", "a", "urn:uuid:b"]] {
        let answer = hub
            .request("OPTIONS", path(hub, variables))
            .header("Origin", "https://app.example")
            .header("Access-Control-Request-Method", "GET")
            .header("Access-Control-Request-Headers", "authorization")
            .send();
        assert!(matches!(answer.status, 200 | 204), "{answer}");
        assert!(answer.head.lists("Access-Control-Allow-Methods", "GET"), "{answer}");
        assert!(answer.head.lists("Access-Control-Allow-Headers", "authorization"), "{answer}");
    }
}
