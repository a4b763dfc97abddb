//! `hub_url`: a hub's URL on the first line, and topics on the others.

use cinnabar_core::testing::MAX_TOPIC_LENGTH;
use cinnabar_core::{HubUrl, InvalidTopic, Topic};
use url::Url;

pub(crate) fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (url, topics) = text.split_once('\n').unwrap_or((text, ""));
    let Ok(hub) = HubUrl::parse(url) else { return };

    assert_eq!(HubUrl::parse(hub.as_str()).as_ref(), Ok(&hub), "written and read again");
    assert!(hub.path().starts_with('/') && !hub.path().ends_with('/'));
    let base = Url::parse(hub.as_str()).expect("a hub's URL is a URL");
    assert!(matches!(base.scheme(), "http" | "https"));
    assert!(base.query().is_none() && base.fragment().is_none());

    // However the hub's path is written, it is reserved.
    for own in ["", "/", "/subscriptions/a/b", "?a=b", "#a", "/..?/../a"] {
        for authority in ["", "//other.example", "http://other.example"] {
            // Quirks such as drive letters in `file:` do not matter: the scheme is http.
            let topic = format!("{authority}{}{own}", hub.path());
            let resolved = base.join(&topic).expect("a URL reference");
            let expected = resolved.path().starts_with(hub.path());
            assert_eq!(
                Topic::parse(&topic, &hub) == Err(InvalidTopic::Reserved),
                expected && topic.len() <= MAX_TOPIC_LENGTH,
                "{topic}"
            );
        }
    }
    for topic in topics.split('\n').take(16) {
        let parsed = Topic::parse(topic, &hub);
        if let Ok(parsed) = &parsed {
            assert_eq!(parsed.as_str(), topic);
        }
        if let (Ok(_), Ok(resolved)) = (parsed, base.join(topic)) {
            let rest = resolved.path().strip_prefix(hub.path());
            assert!(
                !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
                "{topic:?} addresses the hub's own namespace"
            );
        }
    }
}
