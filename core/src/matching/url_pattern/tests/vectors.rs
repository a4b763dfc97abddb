//! Pairs of a pattern and a topic, and what the standard says of them.

use serde::Deserialize;

use super::*;
use crate::matching::vectors;

#[derive(Debug, Deserialize, PartialEq)]
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
    vectors::check(include_str!("../../../../tests/vectors/urlpatterns.json"), outcome);
}
