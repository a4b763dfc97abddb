//! Active subscriptions, and how the hub's URLs name them (draft-08, "Active Subscriptions").
//!
//! Every matcher of a stream is a subscription. The topic of its events is also the path of its
//! document, and what comes before its subscriber is the path of a collection:
//!
//! ```text
//! /.well-known/mercure/subscriptions/exact/https%3A%2F%2Fexample.com%2Fa/urn%3Auuid%3Abb3d…
//! ╰────── the hub ─────╯             ╰type╯╰────────── match ───────────╯╰── subscriber ──╯
//! ```
//!
//! 0.x hubs have no matcher types: `/.well-known/mercure/subscriptions/{topic}/{subscriber}`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::limits::MAX_MATCHER_LENGTH;
use crate::terms::event_id::EventId;
use crate::terms::generation::{Generation, Generations};

/// What follows the path of the hub in those of the subscription API.
const SUBSCRIPTIONS: &str = "/subscriptions";

/// What every subscriber's identifier begins with.
const SUBSCRIBER: &str = "urn:uuid:";

/// All but the unreserved characters: what RFC 6570, section 3.2.2, encodes in a value.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How a matcher was given, and so of which generation its subscription is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum MatchType {
    /// The parameter `topic` of the 0.x protocol.
    #[serde(rename = "0.x")]
    Selector,
    #[serde(rename = "exact")]
    Exact,
    #[serde(rename = "urlpattern")]
    UrlPattern,
}

impl MatchType {
    pub(crate) fn generation(self) -> Generation {
        match self {
            Self::Selector => Generation::V0,
            Self::Exact | Self::UrlPattern => Generation::V1,
        }
    }

    /// The type with this name.
    fn named(name: &str) -> Option<Self> {
        [Self::Exact, Self::UrlPattern].into_iter().find(|it| it.name() == Some(name))
    }

    /// Its name in draft-08, "Matcher Types"; 0.x has none.
    pub(crate) fn name(self) -> Option<&'static str> {
        match self {
            Self::Selector => None,
            Self::Exact => Some("exact"),
            Self::UrlPattern => Some("urlpattern"),
        }
    }
}

/// What a URL of the subscription API names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Scope {
    /// All subscriptions.
    All,
    /// Those of one matcher.
    Matcher(MatchType, Box<str>),
    /// One subscription: its matcher and its subscriber.
    One(MatchType, Box<str>, Box<str>),
}

impl Scope {
    /// What a path names that begins with the path of the hub; `None` if nothing that a hub of these
    /// generations may have. The path is still percent-encoded: what it holds may hold slashes.
    pub(crate) fn of(path: &str, hub_path: &str, protocol: Generations) -> Option<Self> {
        let rest = path.strip_prefix(hub_path)?.strip_prefix(SUBSCRIPTIONS)?;
        if rest.is_empty() {
            return Some(Self::All);
        }
        let rest = rest.strip_prefix('/')?;
        let (first, others) = rest.split_once('/').unwrap_or((rest, ""));
        match MatchType::named(first) {
            Some(match_type) if protocol.contains(Generation::V1) => {
                Self::of_v1(match_type, others)
            }
            _ if protocol.contains(Generation::V0) => Self::of_v0(rest),
            _ => None,
        }
    }

    /// `{match}` or `{match}/{subscriber}`, behind a matcher type.
    fn of_v1(match_type: MatchType, rest: &str) -> Option<Self> {
        match rest.split_once('/') {
            None => Some(Self::Matcher(match_type, matcher(rest)?)),
            Some((first, subscriber)) if !subscriber.contains('/') => {
                Some(Self::One(match_type, matcher(first)?, decoded(subscriber)?))
            }
            // A platform may have decoded the path.
            Some(_) => Self::with_bare_slashes(match_type, rest),
        }
    }

    /// `{topic}` or `{topic}/{subscriber}`. Some clients leave the slashes of a topic bare.
    fn of_v0(rest: &str) -> Option<Self> {
        Self::with_bare_slashes(MatchType::Selector, rest)
    }

    /// A matcher takes all segments but the last, if that one is a subscriber.
    fn with_bare_slashes(match_type: MatchType, rest: &str) -> Option<Self> {
        if let Some((topic, subscriber)) = rest.rsplit_once('/') {
            let subscriber = decoded(subscriber)?;
            if subscriber.starts_with(SUBSCRIBER) {
                return Some(Self::One(match_type, matcher(topic)?, subscriber));
            }
        }
        matcher(rest).map(|matcher| Self::Matcher(match_type, matcher))
    }

    /// Its path on a hub, each variable encoded once: the topic to authorize, and if it is one
    /// subscription, that of its events.
    pub(crate) fn path(&self, hub_path: &str) -> String {
        let mut path = format!("{hub_path}{SUBSCRIPTIONS}");
        let (match_type, variables) = match self {
            Self::All => (None, [None, None]),
            Self::Matcher(match_type, matcher) => (match_type.name(), [Some(matcher), None]),
            Self::One(match_type, matcher, subscriber) => {
                (match_type.name(), [Some(matcher), Some(subscriber)])
            }
        };
        if let Some(name) = match_type {
            path.push('/');
            path.push_str(name);
        }
        for variable in variables.into_iter().flatten() {
            path.push('/');
            path.extend(utf8_percent_encode(variable, ENCODED));
        }
        path
    }

    /// The generation of what it names; all subscriptions are of either.
    pub(crate) fn generation(&self) -> Option<Generation> {
        match self {
            Self::All => None,
            Self::Matcher(match_type, _) | Self::One(match_type, ..) => {
                Some(match_type.generation())
            }
        }
    }
}

/// A matcher, decoded once, if a subscriber may have it.
fn matcher(encoded: &str) -> Option<Box<str>> {
    decoded(encoded).filter(|matcher| !matcher.is_empty() && matcher.len() <= MAX_MATCHER_LENGTH)
}

/// Decodes once. 0.x hubs wrote a space as `+`, and no URL has a bare `+` for itself: every client
/// encodes that.
fn decoded(encoded: &str) -> Option<Box<str>> {
    let spaced = encoded.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(|text| text.into())
}

/// A subscription while it is active.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveSubscription {
    /// The topic of its events.
    #[serde(skip)]
    pub(crate) topic: Box<str>,
    pub(crate) match_type: MatchType,
    #[serde(rename = "match")]
    pub(crate) matcher: Box<str>,
    pub(crate) subscriber: Box<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) payload: Option<Value>,
    /// The ids of its two events.
    pub(crate) begun: EventId,
    pub(crate) ended: EventId,
}

impl ActiveSubscription {
    /// The topic of its events and the path of its document: no other subscription has it.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// The identifier of its subscriber: of one connection, which may have several subscriptions.
    #[must_use]
    pub fn subscriber(&self) -> &str {
        &self.subscriber
    }

    /// What a store has to keep besides its topic.
    #[must_use]
    pub fn record(&self) -> String {
        // It cannot fail: strings and JSON always serialize. And if it did, the record would be
        // skipped as one that cannot be read.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// A subscription that a store kept; `None` for what this version cannot read.
    #[must_use]
    pub fn restored(topic: &str, record: &str) -> Option<Self> {
        let kept: Self = serde_json::from_str(record).ok()?;
        Some(Self { topic: topic.into(), ..kept })
    }
}

/// Subscriptions on their way to somebody who has no store: each as its topic and its record.
pub(crate) mod records {
    use serde::de::{Deserialize, Deserializer, Error};
    use serde::ser::Serializer;

    use super::ActiveSubscription;

    pub(crate) fn serialize<S: Serializer>(
        subscriptions: &[ActiveSubscription],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(subscriptions.iter().map(|one| (one.topic(), one.record())))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<ActiveSubscription>, D::Error> {
        let all = Vec::<(String, String)>::deserialize(deserializer)?;
        let restored = all.iter().map(|(topic, record)| {
            let restored = ActiveSubscription::restored(topic, record);
            restored.ok_or_else(|| D::Error::custom("a record of another shape"))
        });
        restored.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HUB: &str = "/.well-known/mercure";
    const UUID: &str = "urn:uuid:bb3de268-05b0-4c65-b44e-8f9acefc29d6";

    fn of(rest: &str) -> Option<Scope> {
        Scope::of(&format!("{HUB}{rest}"), HUB, Generations::Both)
    }

    fn one(match_type: MatchType, matcher: &str) -> Scope {
        Scope::One(match_type, matcher.into(), UUID.into())
    }

    #[test]
    fn a_path_names_what_it_was_made_of() {
        use MatchType::{Exact, Selector, UrlPattern};
        for scope in [
            Scope::All,
            Scope::Matcher(Exact, "https://example.com/a".into()),
            Scope::Matcher(UrlPattern, "https://example.com/:selector".into()),
            Scope::Matcher(Selector, "/books/{id}".into()),
            one(Exact, "*"),
            one(UrlPattern, "/a%2Fb+c d/é"),
            one(Selector, "http://localhost/%5C"),
        ] {
            let path = scope.path(HUB);
            assert_eq!(Scope::of(&path, HUB, Generations::Both), Some(scope), "{path}");
        }
    }

    #[test]
    fn each_variable_is_encoded_once() {
        let path = one(MatchType::UrlPattern, "https://example.com/:selector%5C~-._").path(HUB);
        assert_eq!(
            path,
            "/.well-known/mercure/subscriptions/urlpattern/https%3A%2F%2Fexample.com%2F%3Aselector%255C~-._/urn%3Auuid%3Abb3de268-05b0-4c65-b44e-8f9acefc29d6"
        );
        let path = Scope::Matcher(MatchType::Selector, "/a {b}".into()).path("/hub");
        assert_eq!(path, "/hub/subscriptions/%2Fa%20%7Bb%7D");
    }

    #[test]
    fn clients_spell_paths_in_more_than_one_way() {
        let selector = |topic: &str| Some(Scope::Matcher(MatchType::Selector, topic.into()));
        assert_eq!(of("/subscriptions/a+b"), selector("a b"));
        assert_eq!(of("/subscriptions/a%2Bb"), selector("a+b"));
        assert_eq!(of("/subscriptions/https%3A//example.com/a"), selector("https://example.com/a"));
        assert_eq!(of("/subscriptions/https%3a%2f%2fexample.com"), selector("https://example.com"));
        let found = of(&format!("/subscriptions/https%3A//example.com/a/{UUID}"));
        assert_eq!(found, Some(one(MatchType::Selector, "https://example.com/a")));
        let bare = of("/subscriptions/exact/https://example.com/a");
        assert_eq!(bare, Some(Scope::Matcher(MatchType::Exact, "https://example.com/a".into())));
        let bare = of(&format!("/subscriptions/exact/https://example.com/a/{UUID}"));
        assert_eq!(bare, Some(one(MatchType::Exact, "https://example.com/a")));
        let found = of(&format!("/subscriptions/exact/%2Fa/{UUID}"));
        assert_eq!(found, Some(one(MatchType::Exact, "/a")));
    }

    #[test]
    fn what_no_subscription_has_is_not_named() {
        let long = format!("/subscriptions/exact/{}", "x".repeat(MAX_MATCHER_LENGTH + 1));
        let wrong =
            ["", "/", "/subscriptionsx", "/subscriptions/", "/subscriptions/exact/%FF", &long];
        for path in wrong {
            assert_eq!(of(path), None, "{path}");
        }
        let only = |generation| {
            let path = format!("{HUB}/subscriptions/exact/a");
            Scope::of(&path, HUB, Generations::Only(generation))
        };
        assert_eq!(only(Generation::V1), Some(Scope::Matcher(MatchType::Exact, "a".into())));
        assert_eq!(
            only(Generation::V0),
            Some(Scope::Matcher(MatchType::Selector, "exact/a".into()))
        );
        let v0 =
            Scope::of(&format!("{HUB}/subscriptions/a"), HUB, Generations::Only(Generation::V1));
        assert_eq!(v0, None);
    }

    #[test]
    fn a_record_comes_back_whole() {
        let active = ActiveSubscription {
            topic: "/t".into(),
            match_type: MatchType::UrlPattern,
            matcher: "/:é".into(),
            subscriber: UUID.into(),
            payload: Some(serde_json::json!({"user": [1, true, null]})),
            begun: EventId::restored("urn:1"),
            ended: EventId::restored("urn:2"),
        };
        let restored = ActiveSubscription::restored("/t", &active.record());
        assert_eq!(restored.as_ref(), Some(&active));
        let bare = ActiveSubscription { payload: None, ..active };
        assert_eq!(ActiveSubscription::restored("/t", &bare.record()), Some(bare));
        assert_eq!(ActiveSubscription::restored("/t", ""), None);
    }
}
