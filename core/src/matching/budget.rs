//! What the matchers of one request or token may cost together.

use crate::limits::{MAX_PATTERNS_COST, MAX_PATTERNS_SIZE, MAX_TOKEN_PATTERNS_COST};
use crate::matching::matcher::Matcher;

/// How much the patterns and templates of one request or token may keep and cost together. It is
/// spent as each is read, so that no more is ever compiled than may be kept.
#[derive(Debug)]
pub(crate) struct Budget {
    size: usize,
    cost: usize,
}

/// Together they are too large or too costly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooCostly;

impl Budget {
    pub(crate) fn of_request() -> Self {
        Self { size: MAX_PATTERNS_SIZE, cost: MAX_PATTERNS_COST }
    }

    pub(crate) fn of_token() -> Self {
        Self { size: MAX_PATTERNS_SIZE, cost: MAX_TOKEN_PATTERNS_COST }
    }

    /// Deducts what a matcher costs.
    pub(crate) fn spend(&mut self, matcher: &Matcher) -> Result<(), TooCostly> {
        let size = match matcher {
            Matcher::Pattern(pattern) => pattern.size(),
            Matcher::Every | Matcher::Exact(_) | Matcher::Template(_) => 0,
        };
        self.size = self.size.checked_sub(size).ok_or(TooCostly)?;
        self.cost = self.cost.checked_sub(matcher.cost().unwrap_or(0)).ok_or(TooCostly)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::hub_url::HubUrl;

    fn hub() -> HubUrl {
        HubUrl::parse("https://hub.example/.well-known/mercure").unwrap()
    }

    /// Whether patterns fit the budget of one request.
    fn affordable(patterns: impl Iterator<Item = String>) -> bool {
        let mut budget = Budget::of_request();
        patterns
            .map(|text| Matcher::url_pattern(&text, &hub()).unwrap())
            .all(|matcher| budget.spend(&matcher).is_ok())
    }

    #[test]
    fn patterns_of_one_request_are_bounded_together() {
        let costly = |number: usize| format!("/{number}/(a?a?a?a?a?a?a?a?)");
        assert!(affordable((0..10).map(costly)));
        assert!(!affordable((0..1_000).map(costly)));
        let large = |number: usize| format!("/{number}(.{{4000}})");
        assert!(!affordable((0..20).map(large)));
    }

    #[test]
    fn templates_of_one_request_are_bounded_together() {
        let affordable = |template: &str| {
            let mut budget = Budget::of_request();
            (0..300)
                .map(|number| Matcher::selector(&format!("/{number}{template}")).unwrap())
                .all(|matcher| budget.spend(&matcher).is_ok())
        };
        assert!(affordable("/{collection}/{id}{._format}{?page,size,order}"));
        assert!(affordable("{/path*}{?page}"));
        assert!(!affordable("{/a*}{/b*}{/c*}"));
        assert!(!affordable("{a,b,c,d,e,f,g}"));
    }

    #[test]
    fn what_clients_send_is_affordable() {
        // As many as a request may have.
        assert!(affordable(
            (0..300).map(|n| format!("https://example.com/{n}/users/:id/books/:book"))
        ));
        assert!(affordable((0..300).map(|n| format!("https://example.com/{n}/:id(\\d+)/*"))));
        // Presence, as Laravel Echo follows it, and as its tokens grant it.
        for tail in ["/:subscriber", "{/:subscriber}?"] {
            assert!(affordable((0..200).map(|n| format!(
                "/.well-known/mercure/subscriptions/:match_type/https%3A%2F%2Flaravel.alt%2Fecho%2Fchannel%2Fpresence-room.{n}{tail}"
            ))));
        }
    }
}
