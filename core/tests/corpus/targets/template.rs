//! `template`: topic selectors of the 0.x protocol before a blank line, topics after it.

use super::hub::{self, SUBSCRIBER};
use super::selection::Kind;

const SELECTOR: Kind = Kind { parameter: "topic", grant, expected };

pub(crate) fn run(bytes: &[u8]) {
    SELECTOR.run(bytes);
}

fn grant(selector: &str) -> String {
    hub::legacy_token(&serde_json::json!({"mercure": {"subscribe": [selector]}}), SUBSCRIBER)
}

/// A topic selects itself, and anything that is not a template selects nothing else.
fn expected(selector: &str, topic: &str) -> Option<bool> {
    if selector == "*" || selector == topic {
        return Some(true);
    }
    // Every expansion begins like its template, up to the first expression.
    let fixed = selector.split('{').next().unwrap_or_default();
    let differs = fixed.is_ascii() && !topic.starts_with(fixed);
    (!selector.contains('{') || differs).then_some(false)
}
