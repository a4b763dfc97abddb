//! Errors: what their bodies say, and what they must not say.

use crate::arguments::Capability;
use crate::case::{Case, Suite, case};
use crate::http::Response;
use crate::hub::{Hub, fresh};
use crate::process::BROKEN;

pub(crate) const CASES: &[Case] = &[
    case!(an_unknown_path_names_the_hubs).needing(&[Capability::WholeHost]),
    case!(an_error_is_a_sentence_in_problem_details),
    case!(a_challenge_is_also_said_in_words),
    case!(an_invalid_token_is_not_told_why),
    case!(every_answer_keeps_browsers_from_guessing),
    case!(a_broken_configuration_is_500_everywhere_and_explained_in_the_log launching)
        .needing(&[Capability::Misconfigured]),
];

fn an_unknown_path_names_the_hubs(hub: &Hub) {
    for path in ["/", "/hub", "/.well-known", "/.well-known/mercurex", "/favicon.ico", "/healthz/x"]
    {
        for method in ["GET", "POST"] {
            let answer = hub.request(method, path).body("").send().expect_no_challenge(404);
            assert!(answer.text().contains(hub.path()), "{answer}");
        }
    }
}

/// At least a few words, and a full stop.
#[track_caller]
fn is_a_sentence(text: &str) {
    assert!(text.split(' ').count() >= 4 && text.trim_end().ends_with('.'), "{text:?}");
}

// draft-08, "Error Responses": problem details (RFC 9457) unless a challenge says it
fn an_error_is_a_sentence_in_problem_details(hub: &Hub) {
    let publication = || hub.granted(&[("topic", "a")]).without_header("Content-Type");
    for answer in [
        hub.granted(&[("data", "x")]).send().expect_status(400),
        hub.granted(&[("topic", "*")]).send().expect_status(400),
        hub.subscription(&[]).send().expect_status(400),
        hub.subscription(&[("match_x", "a")]).send().expect_status(400),
        hub.request("GET", "/nowhere").send().expect_status(404),
        hub.request("PUT", hub.path()).body("").send().expect_status(405),
        publication().header("Content-Type", "text/plain").send().expect_status(415),
    ] {
        let answer = answer.expect_header("Content-Type", "application/problem+json");
        let problem: serde_json::Value = serde_json::from_slice(&answer.body)
            .unwrap_or_else(|error| panic!("{error}: {answer}"));
        assert_eq!(problem["status"], answer.status);
        is_a_sentence(problem["detail"].as_str().unwrap_or_default());
    }
}

/// One answer for every kind of challenge. The cases of [`super::metadata`] use it too.
pub(super) fn challenged(hub: &Hub) -> Vec<Response> {
    let publication = || hub.publication(&[("topic", &fresh("a"))]);
    vec![
        publication().send().expect_status(401),
        publication().bearer("a.b.c").send().expect_status(401),
        publication().header("Authorization", "x").send().expect_status(400),
        publication()
            .bearer(&hub.publisher(crate::token::Generation::V0, &[]))
            .send()
            .expect_status(403),
    ]
}

// For platforms that rename `WWW-Authenticate`
fn a_challenge_is_also_said_in_words(hub: &Hub) {
    let mut sentences: Vec<String> = challenged(hub).iter().map(Response::text).collect();
    for sentence in &sentences {
        is_a_sentence(sentence);
    }
    sentences.sort();
    sentences.dedup();
    assert_eq!(sentences.len(), 4, "{sentences:?}");
}

// draft-08, "Error Responses": one code for everything, which does not disclose the reason
fn an_invalid_token_is_not_told_why(hub: &Hub) {
    let publish = |token: &str| {
        let answer = hub.publication(&[("topic", "a")]).bearer(token).send();
        let answer = answer.expect_challenge(401, Some("invalid_token"));
        (answer.header("WWW-Authenticate"), answer.text())
    };
    let claims = serde_json::json!({"mercure": {"publish": ["*"]}, "exp": 1});
    let expired = publish(&hub.publisher_v0(claims.clone()));
    assert_eq!(publish("a.b.c"), expired);
    assert_eq!(publish(&hub.subscriber_v0(claims)), expired);
    assert!(!expired.1.contains(&hub.keys.publisher));
}

fn every_answer_keeps_browsers_from_guessing(hub: &Hub) {
    let mut answers = challenged(hub);
    answers.extend([
        hub.granted(&[("topic", &fresh("a"))]).send(),
        hub.request("GET", "/nowhere").send(),
        hub.request("GET", "/healthz").send(),
        hub.subscription(&[]).send(),
    ]);
    let mut heads: Vec<_> = answers.into_iter().map(|answer| answer.head).collect();
    heads.push(hub.subscribe("a").head);
    for head in heads {
        let value = head.header("X-Content-Type-Options");
        assert_eq!(value.as_deref(), Some("nosniff"), "{head:?}");
        assert!(head.header("Content-Security-Policy").is_some(), "{head:?}");
    }
}

fn a_broken_configuration_is_500_everywhere_and_explained_in_the_log(suite: &Suite) {
    let hub = suite.launch(&[BROKEN]);
    let (name, value) = BROKEN;
    for request in [
        hub.request("GET", "/healthz"),
        hub.request("GET", "/nowhere"),
        hub.subscription(&[("match", "a")]),
        hub.subscription(&[("match", "a")]).native(),
        hub.granted(&[("topic", "a")]),
        hub.publication(&[("topic", "a")]),
        hub.request("PUT", hub.path()).body(""),
    ] {
        let answer = request.send().expect_no_challenge(500);
        assert!(!answer.text().contains(name) && !answer.text().contains(value), "{answer}");
    }
    let log = hub.log();
    assert!(log.contains(name), "the log must name {name}:\n{log}");
    assert!(!log.contains(&hub.keys.publisher), "the log holds a key");
}
