//! What a valid access token allows.

use serde_json::Value;

use crate::authorization::invalid_token::InvalidToken;
use crate::authorization::payloads::Payloads;
use crate::limits::MAX_TOKEN_MATCHERS;
use crate::matching::budget::{Budget, TooCostly};
use crate::matching::matcher::Matcher;
use crate::matching::matchers::Matchers;
use crate::matching::subject::Subject;
use crate::terms::hub_url::HubUrl;
use crate::terms::topic::Topic;
use crate::trust::shown::Shown;

/// The `type` of a Mercure authorization detail (draft-08, "Authorization Details").
pub(crate) const DETAIL_TYPE: &str = "https://mercure.rocks/authorization-detail";

/// The topics that a token allows to publish to, and to read private updates of; and what it attaches
/// to subscriptions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Grants {
    pub(crate) publish: Matchers,
    pub(crate) subscribe: Matchers,
    pub(crate) payloads: Payloads,
}

impl Grants {
    /// The first topic that may not be published to. draft-08, "Publishers": every topic of an
    /// update must be granted, and 0.x tokens are held to the same rule.
    pub(crate) fn refuses<'a>(
        &self,
        topics: impl Iterator<Item = &'a Topic>,
        hub: &HubUrl,
    ) -> Option<&'a str> {
        let subject = Subject::new(topics.map(Topic::as_str));
        let mut topics = subject.topics().iter().enumerate();
        let refused = topics.find(|(index, _)| !self.publish.selects(&subject, *index, hub));
        refused.map(|(_, topic)| *topic)
    }

    /// Reads the `authorization_details` claim of a 1.0 token; a missing one grants nothing. Payloads
    /// are for `presence`, and are not looked at without it.
    ///
    /// # Errors
    ///
    /// draft-08, "Authorization Details" and "Topic Matcher List": one bad Mercure detail makes the
    /// token invalid, since skipping it would alter what the token grants. Details of another type
    /// and unknown actions grant nothing and are skipped.
    pub(crate) fn from_details(
        claim: Option<&Value>,
        hub: &HubUrl,
        presence: bool,
    ) -> Result<Self, InvalidToken> {
        let mut grants = Self::default();
        let mut budget = Budget::of_token();
        let details = match claim {
            None => return Ok(grants),
            Some(claim) => array(claim, "authorization_details")?,
        };
        for detail in details {
            // RFC 9396, section 2: a detail is an object with a `type`.
            let Some(kind) = detail.get("type").and_then(Value::as_str) else {
                return Err(InvalidToken::Claim("authorization_details"));
            };
            if kind != DETAIL_TYPE {
                continue;
            }
            let (publish, subscribe) = actions(detail.get("actions"))?;
            let matchers = matchers(detail.get("topics"), hub)?;
            if subscribe && presence {
                let matchers = matchers.iter().cloned().collect();
                grants.payloads.add(matchers, detail.get("payload"))?;
            }
            for matcher in matchers {
                budget.spend(&matcher).map_err(|_: TooCostly| InvalidToken::TooCostly)?;
                if publish {
                    grants.publish.insert(matcher.clone());
                }
                if subscribe {
                    grants.subscribe.insert(matcher);
                }
            }
        }
        grants.bounded()
    }

    /// Reads the `mercure` claim of a 0.x token, and whether it has a `publish` member: lacking one
    /// is not the same as having an empty one.
    ///
    /// A missing claim grants nothing, and neither does `[]`, which is how PHP writes an empty map.
    ///
    /// # Errors
    ///
    /// A claim of another shape, or a selector that this hub cannot match.
    pub(crate) fn from_mercure_claim(
        claim: Option<&Value>,
        presence: bool,
    ) -> Result<(Self, bool), InvalidToken> {
        let empty = Value::Object(serde_json::Map::new());
        let claim = match claim {
            None => &empty,
            Some(Value::Array(items)) if items.is_empty() => &empty,
            Some(claim @ Value::Object(_)) => claim,
            Some(_) => return Err(InvalidToken::Claim("mercure")),
        };
        let selectors = |name: &'static str| match claim.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(list) => array(list, name)?
                .iter()
                .map(|item| match item.as_str() {
                    Some(text) => Ok(Matcher::granting_selector(text)?),
                    None => Err(InvalidToken::Claim(name)),
                })
                .collect::<Result<Matchers, InvalidToken>>()
                .map(Some),
        };
        let publish = selectors("publish")?;
        let may_publish = publish.is_some();
        let mut payloads = Payloads::default();
        if presence {
            // It is for every subscription; and an empty map of PHP's is a list without items.
            let payload = claim.get("payload").filter(|payload| **payload != Value::Array(vec![]));
            payloads.add([Matcher::Every].into_iter().collect(), payload)?;
        }
        let grants = Self {
            publish: publish.unwrap_or_default(),
            subscribe: selectors("subscribe")?.unwrap_or_default(),
            payloads,
        };
        Ok((grants.bounded()?, may_publish))
    }

    fn bounded(self) -> Result<Self, InvalidToken> {
        if self.publish.len().max(self.subscribe.len()) > MAX_TOKEN_MATCHERS {
            return Err(InvalidToken::TooManyMatchers);
        }
        Ok(self)
    }
}

/// Whether `publish` and `subscribe` are among the actions.
fn actions(value: Option<&Value>) -> Result<(bool, bool), InvalidToken> {
    let mut allowed = (false, false);
    for action in non_empty(value, "actions")? {
        match action.as_str() {
            Some("publish") => allowed.0 = true,
            Some("subscribe") => allowed.1 = true,
            Some(_) => {}
            None => return Err(InvalidToken::Claim("actions")),
        }
    }
    Ok(allowed)
}

/// draft-08, "Topic Matcher List".
fn matchers(value: Option<&Value>, hub: &HubUrl) -> Result<Vec<Matcher>, InvalidToken> {
    non_empty(value, "topics")?
        .iter()
        .map(|entry| {
            let Some(text) = entry.get("match").and_then(Value::as_str) else {
                return Err(InvalidToken::Claim("topics"));
            };
            match entry.get("match_type").map(Value::as_str) {
                None | Some(Some("exact")) => Ok(Matcher::exact(text)?),
                Some(Some("urlpattern")) => Ok(Matcher::url_pattern(text, hub)?),
                // `*` selects every topic whatever the type, but the type has to exist.
                Some(Some(unknown)) => Err(InvalidToken::UnknownMatchType(Shown::text(unknown))),
                Some(None) => Err(InvalidToken::Claim("match_type")),
            }
        })
        .collect()
}

fn non_empty<'a>(
    value: Option<&'a Value>,
    name: &'static str,
) -> Result<&'a [Value], InvalidToken> {
    match value.and_then(Value::as_array) {
        Some(items) if !items.is_empty() => Ok(items),
        _ => Err(InvalidToken::Claim(name)),
    }
}

fn array<'a>(value: &'a Value, name: &'static str) -> Result<&'a [Value], InvalidToken> {
    value.as_array().map(Vec::as_slice).ok_or(InvalidToken::Claim(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_count_once_and_not_too_many() {
        let claim = |count: usize| {
            let topics: Vec<String> = (0..count).map(|number| number.to_string()).collect();
            let twice = [topics.clone(), topics].concat();
            serde_json::json!({"subscribe": twice})
        };
        let (grants, _) =
            Grants::from_mercure_claim(Some(&claim(MAX_TOKEN_MATCHERS)), false).unwrap();
        assert_eq!(grants.subscribe.len(), MAX_TOKEN_MATCHERS);
        let refused = Grants::from_mercure_claim(Some(&claim(MAX_TOKEN_MATCHERS + 1)), false);
        assert_eq!(refused, Err(InvalidToken::TooManyMatchers));
    }
}
