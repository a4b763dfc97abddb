//! Pairs of a pattern and a topic, and what the standard says of them.

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "about")]
    _about: String,
    vectors: Vec<Vector>,
}

/// Pairs of a pattern and a topic with the same expected outcome.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    name: String,
    given: Vec<(String, String)>,
    expected: Expected,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Expected {
    Match,
    Mismatch,
    Refused,
}

fn outcome(pattern: &str, topic: &str) -> Expected {
    let topic = ParsedTopic::new(topic, &hub());
    match UrlPattern::parse(pattern, &hub()) {
        Ok(pattern) if topic.is_some_and(|topic| pattern.matches(&topic)) => Expected::Match,
        Ok(_) => Expected::Mismatch,
        Err(_) => Expected::Refused,
    }
}

#[test]
fn all() {
    let file: File =
        serde_json::from_str(include_str!("../../../../tests/vectors/urlpatterns.json")).unwrap();
    let failures: Vec<String> = file
        .vectors
        .iter()
        .flat_map(|Vector { name, given, expected }| {
            assert!(!given.is_empty(), "{name}: no pairs");
            given.iter().filter_map(move |(pattern, topic)| {
                let got = outcome(pattern, topic);
                (got != *expected).then(|| format!("{name}: {pattern} and {topic}: {got:?}"))
            })
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
