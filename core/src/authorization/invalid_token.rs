//! Why tokens are not valid.

use jsonwebtoken::Algorithm;

use crate::limits::{MAX_PAYLOAD_LENGTH, MAX_TOKEN_LENGTH, MAX_TOKEN_MATCHERS};
use crate::matching::matcher::InvalidMatcher;
use crate::terms::generation::Generation;
use crate::trust::issuer::NoKey;
use crate::trust::shown::Shown;
use crate::wire::refusal::{EXPIRED, Refusal};

/// Why a token is not valid. Only the log says so: answers say `invalid_token` and no more
/// (draft-08, "Error Responses").
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidToken {
    #[error("it is longer than {MAX_TOKEN_LENGTH} bytes")]
    TooLong,
    #[error("it is not a JWT: three parts of base64url, the first two JSON objects")]
    NotAJwt,
    #[error("its header has `crit`, and no extension is understood here")]
    Critical,
    #[error("its `typ` is {0}, which is not text")]
    Type(Shown),
    #[error("it has no `alg`, and the key is for {0:?}")]
    NoAlgorithm(Algorithm),
    #[error("its `alg` is {alg}, and the key is for {key:?}")]
    Algorithm { alg: Shown, key: Algorithm },
    #[error(transparent)]
    NoKey(#[from] NoKey),
    #[error("PROTOCOL does not allow tokens of {0}")]
    Generation(Generation),
    #[error("its signature is not of the configured key")]
    Signature,
    #[error("its `alg` is {alg}, for which no keys at {place} are trusted")]
    NotPublished { alg: Shown, place: String },
    #[error("no key at {place} is for its `kid` {kid} and its `alg` {alg}")]
    UnknownKey { kid: Shown, alg: Shown, place: String },
    #[error("its signature is not of any key that its issuer publishes for its `kid` and `alg`")]
    PublishedSignature,
    #[error("it has no `exp`, which an `at+jwt` must have")]
    NoExpiry,
    #[error("{EXPIRED}")]
    Expired,
    #[error("its `nbf` is to come")]
    NotYetValid,
    #[error(
        "its claims are no JSON object that can be read here; half of a surrogate pair or a number beyond all measure may be in them"
    )]
    Claims,
    #[error("it has no `aud`, and the hub is {hub}: HUB_URL and AUDIENCES")]
    NoAudience { hub: String },
    #[error("its `aud` is {aud}, and the hub is {hub}: HUB_URL and AUDIENCES")]
    Audience { aud: Shown, hub: String },
    #[error("its `{0}` is missing or of the wrong shape")]
    Claim(&'static str),
    #[error("a topic matcher in it has the unknown `match_type` {0}; use `exact` or `urlpattern`")]
    UnknownMatchType(Shown),
    #[error("a topic matcher in it {0}")]
    Matcher(#[from] InvalidMatcher),
    #[error("its URL patterns and templates are too large or too costly together")]
    TooCostly,
    #[error("it has more than {MAX_TOKEN_MATCHERS} topic matchers")]
    TooManyMatchers,
    #[error("a `payload` in it is longer than {MAX_PAYLOAD_LENGTH} bytes")]
    PayloadTooLong,
    #[error("it is an `at+jwt` and came in the query, where only 0.x tokens may")]
    InQuery,
    #[error("its `mercure` claim has no `publish` member")]
    NoPublishMember,
    #[error(
        "it has `authorization_details`, but its header has no `typ` of `at+jwt`, so it counts as a token of 0.x, without grants"
    )]
    DetailsOfV0,
}

impl From<InvalidToken> for Refusal {
    fn from(reason: InvalidToken) -> Self {
        Self::InvalidToken(reason.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expired_token_is_refused_alike_wherever_that_is_found() {
        assert_eq!(Refusal::from(InvalidToken::Expired), Refusal::expired_token());
    }
}
