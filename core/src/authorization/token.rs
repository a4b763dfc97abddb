//! Access tokens: from a JWT to what it allows, or a reason to refuse it.
//!
//! Two kinds are told apart by the header's `typ`. `at+jwt` is a token of draft-08 and is held to
//! all of its rules; anything else is a 0.x token with its `mercure` claim. There is no falling
//! back from one to the other.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::authorization::bearer::{Bearer, Presentation};
use crate::authorization::grant::Grants;
use crate::config::Config;
use crate::limits::{MAX_TOKEN_LENGTH, MAX_TOKEN_MATCHERS};
use crate::matching::matcher::InvalidMatcher;
use crate::terms::generation::Generation;
use crate::terms::hub_url::HubUrl;
use crate::terms::update::Update;
use crate::time::Timestamp;
use crate::trust::issuer::NoKey;
use crate::trust::key::Key;
use crate::trust::role::Role;

/// Another name of the 0.x claim, for issuers that want names without collisions.
const NAMESPACED_CLAIM: &str = "https://mercure.rocks/";

/// A valid token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) grants: Grants,
    generation: Generation,
    /// When streams that it opened must be closed.
    pub(crate) expires: Option<Timestamp>,
}

impl Token {
    /// Whether it publishes this update without a grant: a public one, where the older meaning of
    /// 0.x tokens is configured.
    pub(crate) fn publishes_ungranted(&self, update: &Update, config: &Config) -> bool {
        self.generation == Generation::V0 && config.publish_ungranted && !update.is_private()
    }
}

/// Why a token is not valid. For the log alone: answers say `invalid_token` and no more
/// (draft-08, "Error Responses").
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidToken {
    #[error("it is longer than {MAX_TOKEN_LENGTH} bytes")]
    TooLong,
    #[error("it is not a JWT: three parts of base64url, the first two JSON objects")]
    NotAJwt,
    #[error("its header has `crit`, and no extension is understood here")]
    Critical,
    #[error("its `alg` is not the configured one")]
    Algorithm,
    #[error(transparent)]
    NoKey(#[from] NoKey),
    #[error("PROTOCOL does not allow tokens of {0}")]
    Generation(Generation),
    #[error("its signature is not of the configured key")]
    Signature,
    #[error("it has no `exp`, which an `at+jwt` must have")]
    NoExpiry,
    #[error("its `exp` has passed")]
    Expired,
    #[error("its `nbf` is to come")]
    NotYetValid,
    #[error("its `aud` holds neither HUB_URL nor one of AUDIENCES")]
    Audience,
    #[error("its `{0}` is missing or of the wrong shape")]
    Claim(&'static str),
    #[error("a topic matcher in it {0}")]
    Matcher(InvalidMatcher),
    #[error("its URL patterns and templates are too large or too costly together")]
    TooCostly,
    #[error("it has more than {MAX_TOKEN_MATCHERS} topic matchers")]
    TooManyMatchers,
    #[error("it is an `at+jwt` and came in the query, where only 0.x tokens may")]
    InQuery,
    #[error("its `mercure` claim has no `publish` member")]
    NoPublishMember,
}

/// Validates a token (draft-08, "Token Validation").
///
/// # Errors
///
/// The first rule that it breaks.
pub(crate) fn validate(
    bearer: &Bearer,
    role: Role,
    config: &Config,
    hub: &HubUrl,
    own: Option<&HubUrl>,
    now: Timestamp,
) -> Result<Token, InvalidToken> {
    let token = bearer.token.as_str();
    if token.len() > MAX_TOKEN_LENGTH {
        return Err(InvalidToken::TooLong);
    }
    let (message, signature) = token.rsplit_once('.').ok_or(InvalidToken::NotAJwt)?;
    let (header, claims) = message.split_once('.').ok_or(InvalidToken::NotAJwt)?;
    let header = json_object(header).ok_or(InvalidToken::NotAJwt)?;
    let claims = json_object(claims);
    let generation = generation(&header);
    if !config.protocol.contains(generation) {
        return Err(InvalidToken::Generation(generation));
    }
    // Not verified yet, `iss` may choose among the keys that are trusted.
    let issuer = claims.as_ref().and_then(|claims| claims.get("iss")?.as_str());
    verify(&header, message, signature, config.issuers.key(issuer, generation, role)?)?;

    let claims = claims.ok_or(InvalidToken::NotAJwt)?;
    let expires = date(&claims, "exp")?;
    check_expiry(expires, now)?;
    if date(&claims, "nbf")?.is_some_and(|start| start > now) {
        return Err(InvalidToken::NotYetValid);
    }
    let grants = match generation {
        Generation::V1 => {
            // draft-08, "Security Considerations": access tokens must not be passed in URLs.
            if bearer.presented == Presentation::Query {
                return Err(InvalidToken::InQuery);
            }
            // RFC 9068, section 4, and draft-08: `exp`, `iss` and `aud` are required; a key was
            // found by `iss`.
            if expires.is_none() {
                return Err(InvalidToken::NoExpiry);
            }
            check_audience(&claims, config, [Some(hub), own])?;
            Grants::from_details(claims.get("authorization_details"), hub)?
        }
        Generation::V0 => {
            let claim = claims.get("mercure").or_else(|| claims.get(NAMESPACED_CLAIM));
            let (grants, may_publish) = Grants::from_mercure_claim(claim)?;
            if role == Role::Publisher && !may_publish {
                return Err(InvalidToken::NoPublishMember);
            }
            grants
        }
    };
    Ok(Token { grants, generation, expires })
}

/// draft-08, "Token Validation": `exp` counts if it is there, without leeway.
///
/// # Errors
///
/// Where it has come.
pub(crate) fn check_expiry(expires: Option<Timestamp>, now: Timestamp) -> Result<(), InvalidToken> {
    match expires {
        Some(expires) if expires <= now => Err(InvalidToken::Expired),
        _ => Ok(()),
    }
}

/// A base64url part that is a JSON object.
fn json_object(part: &str) -> Option<Map<String, Value>> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Checks the signature with the configured key and its algorithm. What the token itself brings
/// (`jwk`, `jku`, `x5u`) is never looked at.
fn verify(
    header: &Map<String, Value>,
    message: &str,
    signature: &str,
    key: &Key,
) -> Result<(), InvalidToken> {
    // RFC 7515, section 4.1.11: what is critical and not understood makes the token invalid.
    if header.contains_key("crit") {
        return Err(InvalidToken::Critical);
    }
    let alg = header.get("alg").and_then(Value::as_str);
    if !alg.is_some_and(|alg| key.is_for(alg)) {
        return Err(InvalidToken::Algorithm);
    }
    if !key.verifies(message, signature) {
        return Err(InvalidToken::Signature);
    }
    Ok(())
}

/// draft-08, "Token Validation": `typ` is `at+jwt`, in any case, with or without `application/`
/// (RFC 7515, section 4.1.9). Tokens of the 0.x protocol have any other, or none.
fn generation(header: &Map<String, Value>) -> Generation {
    let typ = header.get("typ").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    match typ.strip_prefix("application/").unwrap_or(&typ) {
        "at+jwt" => Generation::V1,
        _ => Generation::V0,
    }
}

/// A NumericDate (RFC 7519, section 2), which may be fractional, rounded down to milliseconds.
fn date(
    claims: &Map<String, Value>,
    name: &'static str,
) -> Result<Option<Timestamp>, InvalidToken> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let millis = value.as_f64().map(|seconds| (seconds * 1000.0).floor());
    match millis {
        // A cast from float saturates, so a date beyond time is the end of time.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked, saturates"
        )]
        Some(millis) if millis >= 0.0 => Ok(Some(Timestamp::from_millis(millis as u64))),
        _ => Err(InvalidToken::Claim(name)),
    }
}

/// `aud` is one string or several; one of them must be this hub, by one of its URLs and whichever of
/// its paths.
fn check_audience(
    claims: &Map<String, Value>,
    config: &Config,
    urls: [Option<&HubUrl>; 2],
) -> Result<(), InvalidToken> {
    let is_this_hub = |audience: &Value| {
        audience.as_str().is_some_and(|audience| {
            config.audiences.iter().any(|listed| listed == audience)
                || urls.iter().flatten().any(|url| {
                    audience == url.as_str()
                        || audience
                            .strip_prefix(&url.origin())
                            .is_some_and(|path| config.hub_aliases.iter().any(|it| it == path))
                })
        })
    };
    let accepted = match claims.get("aud") {
        Some(Value::Array(audiences)) => audiences.iter().any(is_this_hub),
        Some(audience) => is_this_hub(audience),
        None => false,
    };
    if accepted { Ok(()) } else { Err(InvalidToken::Audience) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{config, sign};

    #[test]
    fn a_token_is_as_long_as_it_may_be() {
        let hub = HubUrl::parse("https://hub.example/.well-known/mercure").unwrap();
        let validated = |padding: usize| {
            let claims = serde_json::json!({"mercure": {}, "padding": "x".repeat(padding)});
            let token = sign("subscribe", &claims);
            let length = token.len();
            let bearer = Bearer { token, presented: Presentation::Header };
            let now = Timestamp::from_millis(1);
            let validated = validate(&bearer, Role::Subscriber, &config(&[]), &hub, None, now);
            (length, validated.map(|_| ()))
        };
        // Three bytes of claims are four of a token.
        let padding = MAX_TOKEN_LENGTH * 3 / 4 - 76;
        assert_eq!(validated(padding), (MAX_TOKEN_LENGTH, Ok(())));
        assert_eq!(validated(padding + 1), (MAX_TOKEN_LENGTH + 1, Err(InvalidToken::TooLong)));
    }
}
