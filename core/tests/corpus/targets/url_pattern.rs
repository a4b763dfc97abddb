//! `url_pattern`: URL patterns before a blank line, topics after it.

use url::Url;
use urlpattern::{UrlPattern, UrlPatternInit, UrlPatternMatchInput, UrlPatternOptions};

use super::hub::{self, HUB, SUBSCRIBER};
use super::selection::Kind;

const PATTERN: Kind = Kind { parameter: "match_urlpattern", grant, expected };

pub(crate) fn run(bytes: &[u8]) {
    PATTERN.run(bytes);
}

fn grant(pattern: &str) -> String {
    let details = serde_json::json!([{
        "type": "https://mercure.rocks/authorization-detail",
        "actions": ["subscribe"],
        "topics": [{"match": pattern, "match_type": "urlpattern"}],
    }]);
    hub::modern_token(&details, SUBSCRIBER)
}

/// What the crate that parses patterns would match with its own engine; `None` if the two read a
/// regular expression differently.
fn expected(pattern: &str, topic: &str) -> Option<bool> {
    if pattern == "*" {
        return Some(true);
    }
    let hub = Url::parse(HUB).expect("a URL");
    let Ok(topic) = hub.join(topic) else { return Some(false) };
    // Of other schemes the crate compiles paths by other rules than the standard.
    if pattern.contains('(') || !topic.is_special() {
        return None;
    }
    let mut init =
        UrlPatternInit::parse_constructor_string::<regex::Regex>(pattern, Some(hub)).ok()?;
    if init.protocol.is_some() {
        init.base_url = None;
    }
    let pattern = <UrlPattern>::parse(init, UrlPatternOptions::default()).ok()?;
    pattern.test(UrlPatternMatchInput::Url(topic)).ok()
}
