//! Access tokens: from a JWT to what it allows, or a reason to refuse it.
//!
//! The header's `typ` tells two kinds apart. `at+jwt` is a token of draft-08 and is held to all of
//! its rules; anything else is a 0.x token with its `mercure` claim. Neither is ever mistaken for
//! the other when it turns out to be invalid.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, AlgorithmFamily};
use serde_json::{Map, Value};

use crate::authorization::bearer::{Bearer, Presentation};
use crate::authorization::grant::Grants;
use crate::authorization::invalid_token::InvalidToken;
use crate::command::quota::Account;
use crate::config::Config;
use crate::limits::MAX_TOKEN_LENGTH;
use crate::terms::generation::Generation;
use crate::terms::hub_url::HubUrl;
use crate::terms::update::Update;
use crate::time::Timestamp;
use crate::trust::algorithm;
use crate::trust::key_ring::{Lookup, Signed, Unverified};
use crate::trust::role::Role;
use crate::trust::shown::{Shown, listed};
use crate::trust::trusted::{Configured, Trusted};

/// Another name of the 0.x claim, for issuers that want names without collisions.
const NAMESPACED_CLAIM: &str = "https://mercure.rocks/";

/// A valid token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) grants: Grants,
    generation: Generation,
    /// When the streams that it opened must be closed.
    pub(crate) expires: Option<Timestamp>,
    /// Who pays for what is done with it.
    pub(crate) account: Account,
}

impl Token {
    /// Whether it is still valid, for a request that took its time.
    ///
    /// # Errors
    ///
    /// Its `exp` has passed.
    pub(crate) fn check_expiry(&self, now: Timestamp) -> Result<(), InvalidToken> {
        check_expiry(self.expires, now)
    }

    /// Of which generation it is.
    pub(crate) fn generation(&self) -> Generation {
        self.generation
    }

    /// Whether it may publish this update without a grant: a public one may go out so where the
    /// older meaning of 0.x tokens is configured.
    pub(crate) fn publishes_ungranted(&self, update: &Update, config: &Config) -> bool {
        self.generation == Generation::V0 && config.publish_ungranted && !update.is_private()
    }
}

/// Why there is no valid token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unvalidated {
    /// It breaks a rule.
    Invalid(InvalidToken),
    /// The keys of its issuer have to be fetched first.
    Unfetched,
    /// They cannot be had just now.
    Unavailable,
}

impl From<InvalidToken> for Unvalidated {
    fn from(reason: InvalidToken) -> Self {
        Self::Invalid(reason)
    }
}

/// The hub as the resource that a token is for (RFC 9068, section 4): what the token's claims and
/// signature are held against.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resource<'a> {
    pub(crate) config: &'a Config,
    /// The hub's URL.
    pub(crate) hub: &'a HubUrl,
    /// Another of its URLs, at a host that only this hub can have.
    pub(crate) own: Option<&'a HubUrl>,
}

impl Resource<'_> {
    /// Validates a token (draft-08, "Token Validation"). If it needs keys that its issuer publishes,
    /// they are looked up.
    ///
    /// # Errors
    ///
    /// The first rule that it breaks, or that it needs keys that are not known.
    pub(crate) fn validate(
        &self,
        bearer: &Bearer,
        role: Role,
        lookup: Option<Lookup<'_>>,
        now: Timestamp,
    ) -> Result<Token, Unvalidated> {
        let token = bearer.token.as_str();
        if token.len() > MAX_TOKEN_LENGTH {
            return Err(InvalidToken::TooLong.into());
        }
        let (message, signature) = token.rsplit_once('.').ok_or(InvalidToken::NotAJwt)?;
        let (header, claims) = message.split_once('.').ok_or(InvalidToken::NotAJwt)?;
        let header = json_object(header).ok_or(InvalidToken::NotAJwt)?;
        let claims = json_object(claims).ok_or(InvalidToken::Claims);
        let generation = generation(&header)?;
        if !self.config.protocol.contains(generation) {
            return Err(InvalidToken::Generation(generation).into());
        }
        // `iss` is not verified yet; all that it does is to choose among trusted keys.
        let issuer = match &claims {
            Ok(claims) => claim(claims, "iss"),
            Err(_) if generation == Generation::V0 => None,
            Err(unreadable) => return Err(unreadable.clone().into()),
        };
        let trusted = self.config.issuers.keys(issuer, generation, role);
        let trusted = trusted.map_err(InvalidToken::from)?;
        verify(&header, message, signature, trusted, lookup, now)?;
        Ok(self.accept(bearer, message, generation, role, claims?, now)?)
    }

    /// Holds what a verified token says to the rules of its generation. `message` is its signed part.
    fn accept(
        &self,
        bearer: &Bearer,
        message: &str,
        generation: Generation,
        role: Role,
        claims: Map<String, Value>,
        now: Timestamp,
    ) -> Result<Token, InvalidToken> {
        // Not so `exp`: whoever writes null there may have meant the token to expire.
        let expires = date(claims.get("exp"), "exp")?;
        check_expiry(expires, now)?;
        if date(claim(&claims, "nbf"), "nbf")?.is_some_and(|start| start > now) {
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
                self.check_audience(&claims)?;
                let details = claim(&claims, "authorization_details");
                Grants::from_details(details, self.hub, self.config.subscriptions)?
            }
            Generation::V0 => {
                let named = |name| claim(&claims, name);
                let mercure = named("mercure").or_else(|| named(NAMESPACED_CLAIM));
                let presence = self.config.subscriptions;
                let (grants, may_publish) = Grants::from_mercure_claim(mercure, presence)?;
                if role == Role::Publisher && !may_publish {
                    let has_details = named("authorization_details").is_some();
                    return Err(match has_details {
                        true => InvalidToken::DetailsOfV0,
                        false => InvalidToken::NoPublishMember,
                    });
                }
                grants
            }
        };
        Ok(Token { grants, generation, expires, account: account(&claims, message) })
    }

    /// `aud` is one string or several, and one of them must be this hub: by one of its URLs and any
    /// of its paths.
    fn check_audience(&self, claims: &Map<String, Value>) -> Result<(), InvalidToken> {
        let Resource { config, hub, own } = *self;
        let is_url = |url: &HubUrl, audience: &str| {
            let path = audience.strip_prefix(&url.origin());
            audience == url.as_str()
                || path.is_some_and(|path| config.hub_aliases.iter().any(|alias| alias == path))
        };
        let is_this_hub = |audience: &Value| {
            audience.as_str().is_some_and(|audience| {
                config.audiences.iter().any(|listed| listed == audience)
                    || is_url(hub, audience)
                    || own.is_some_and(|own| is_url(own, audience))
            })
        };
        let aud = claim(claims, "aud");
        let accepted = match aud {
            Some(Value::Array(audiences)) => audiences.iter().any(is_this_hub),
            Some(audience) => is_this_hub(audience),
            None => false,
        };
        if accepted {
            return Ok(());
        }
        let urls = [Some(hub), own].into_iter().flatten().map(HubUrl::as_str);
        let hub = listed(urls.chain(config.audiences.iter().map(String::as_str)));
        Err(match aud {
            Some(aud) => InvalidToken::Audience { aud: Shown::value(aud), hub },
            None => InvalidToken::NoAudience { hub },
        })
    }
}

/// Whose token this is: draft-08, "Subscription", names the subject as what connections may be counted
/// by. It is unique within its issuer alone ("Subscription Events").
fn account(claims: &Map<String, Value>, message: &str) -> Account {
    // Some libraries write numbers.
    let text = |name| match claim(claims, name) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(number @ Value::Number(_)) => Some(number.to_string()),
        _ => None,
    };
    match text("sub") {
        Some(subject) => Account::of_subject(&text("iss").unwrap_or_default(), &subject),
        None => Account::of_token(message),
    }
}

/// draft-08, "Token Validation": `exp` counts if it is there, without leeway.
fn check_expiry(expires: Option<Timestamp>, now: Timestamp) -> Result<(), InvalidToken> {
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

/// Checks the signature with the trusted keys and their algorithms. What the token itself brings
/// (`jwk`, `jku`, `x5u`) is never looked at.
fn verify(
    header: &Map<String, Value>,
    message: &str,
    signature: &str,
    trusted: &Trusted,
    lookup: Option<Lookup<'_>>,
    now: Timestamp,
) -> Result<(), Unvalidated> {
    // RFC 7515, section 4.1.11: a critical extension that is not understood makes it invalid.
    if header.contains_key("crit") {
        return Err(InvalidToken::Critical.into());
    }
    let alg = header.get("alg");
    let algorithm = alg.and_then(Value::as_str).and_then(algorithm::named);
    match trusted {
        Trusted::Configured(keys) => {
            let alg = alg.ok_or(InvalidToken::NoAlgorithm(keys.algorithm()))?;
            Ok(verify_configured(alg, algorithm, message, signature, keys)?)
        }
        Trusted::Published(source) => {
            let alg = alg.unwrap_or(&Value::Null);
            // Before anything is fetched: what nobody can have published is not looked for.
            let is_possible = |algorithm: &Algorithm| {
                algorithm.family() != AlgorithmFamily::Hmac
                    && source.algorithm().is_none_or(|one| one == *algorithm)
            };
            let Some(algorithm) = algorithm.filter(is_possible) else {
                let alg = Shown::value(alg);
                return Err(InvalidToken::NotPublished { alg, place: source.shown() }.into());
            };
            let key_id = header.get("kid").and_then(Value::as_str);
            let signed = Signed { key_id, algorithm, message, signature };
            let lookup = lookup.ok_or(Unvalidated::Unfetched)?;
            lookup.verify(source, &signed, now).map_err(|unverified| match unverified {
                Unverified::Waits => Unvalidated::Unfetched,
                Unverified::Unavailable => Unvalidated::Unavailable,
                Unverified::NoKey => InvalidToken::UnknownKey {
                    kid: key_id.map_or_else(|| Shown::value(&Value::Null), Shown::text),
                    alg: Shown::value(alg),
                    place: source.shown(),
                }
                .into(),
                Unverified::Signature => InvalidToken::PublishedSignature.into(),
            })
        }
    }
}

/// Checks a signature with the keys of the configuration.
fn verify_configured(
    alg: &Value,
    algorithm: Option<Algorithm>,
    message: &str,
    signature: &str,
    keys: &Configured,
) -> Result<(), InvalidToken> {
    let keys_of_algorithm = keys.of_algorithm(algorithm);
    if keys_of_algorithm.is_empty() {
        return Err(InvalidToken::Algorithm { alg: Shown::value(alg), key: keys.algorithm() });
    }
    match keys_of_algorithm.iter().any(|key| key.verifies(message, signature)) {
        true => Ok(()),
        false => Err(InvalidToken::Signature),
    }
}

/// draft-08, "Token Validation": `typ` is `at+jwt`, in any case, with or without `application/`
/// (RFC 7515, section 4.1.9). Tokens of the 0.x protocol have another `typ`, or none.
fn generation(header: &Map<String, Value>) -> Result<Generation, InvalidToken> {
    let typ = match header.get("typ") {
        None => return Ok(Generation::V0),
        Some(Value::String(typ)) => typ.to_ascii_lowercase(),
        Some(typ) => return Err(InvalidToken::Type(Shown::value(typ))),
    };
    Ok(match typ.strip_prefix("application/").unwrap_or(&typ) {
        "at+jwt" => Generation::V1,
        _ => Generation::V0,
    })
}

/// A claim, unless it is null: so libraries write one that was not set.
fn claim<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    claims.get(name).filter(|value| !value.is_null())
}

/// A NumericDate (RFC 7519, section 2), which may be fractional, rounded down to milliseconds.
fn date(value: Option<&Value>, name: &'static str) -> Result<Option<Timestamp>, InvalidToken> {
    let Some(value) = value else {
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
            let resource = Resource { config: &config(&[]), hub: &hub, own: None };
            let validated = resource.validate(&bearer, Role::Subscriber, None, now);
            (length, validated.map(|_| ()))
        };
        // Three bytes of claims are four of a token.
        let padding = MAX_TOKEN_LENGTH * 3 / 4 - 76;
        assert_eq!(validated(padding), (MAX_TOKEN_LENGTH, Ok(())));
        assert_eq!(
            validated(padding + 1),
            (MAX_TOKEN_LENGTH + 1, Err(InvalidToken::TooLong.into()))
        );
    }
}
