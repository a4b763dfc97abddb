//! URL patterns, checked against draft-08, the web platform tests, and another engine.

mod engine;
mod law;
mod limits;
mod vectors;
mod web_platform;

use super::*;

fn hub() -> HubUrl {
    HubUrl::parse("https://hub.example.com/.well-known/mercure").unwrap()
}

fn pattern(text: &str) -> UrlPattern {
    UrlPattern::parse(text, &hub()).unwrap_or_else(|error| panic!("{text:?} {error}"))
}

fn selects(text: &str, topic: &str) -> bool {
    let topic = ParsedTopic::new(topic, &hub());
    topic.is_some_and(|topic| pattern(text).matches(&topic))
}
