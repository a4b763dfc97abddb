//! Who may sign access tokens, and which keys verify them.
//!
//! | the token's `iss` | a 1.0 token | a 0.x token |
//! |---|---|---|
//! | is a trusted issuer | that issuer's keys | that issuer's keys, if they are for such tokens |
//! | is anything else, or missing | none: it is refused | the hub's own keys |
//!
//! draft-08, "Token Validation": each key belongs to one issuer, and a token is verified with the
//! keys of the issuer that it names and no other. The token chooses among configured keys; it never
//! brings one.

use serde_json::Value;

use crate::terms::generation::{Generation, Generations};
use crate::trust::key_source::KeySource;
use crate::trust::role::Role;
use crate::trust::shown::{Shown, listed};
use crate::trust::trusted::Trusted;

/// The keys of one issuer: those of each role, so that whoever makes tokens to read with need not be
/// able to make tokens to publish with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys {
    pub(crate) publisher: Option<Trusted>,
    pub(crate) subscriber: Option<Trusted>,
}

impl Keys {
    fn of(&self, role: Role) -> Option<&Trusted> {
        match role {
            Role::Publisher => self.publisher.as_ref(),
            Role::Subscriber => self.subscriber.as_ref(),
        }
    }
}

/// An issuer whose tokens are accepted; they name it in `iss`.
#[derive(Clone, Debug)]
pub(crate) struct Issuer {
    pub(crate) identifier: String,
    pub(crate) keys: Keys,
    /// The generations of tokens that its keys may verify.
    pub(crate) tokens: Generations,
    /// Whether it is an OAuth 2.0 authorization server, from which clients can get tokens for the
    /// hub. (Others issue their own.)
    pub(crate) is_authorization_server: bool,
}

/// All keys that a hub trusts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Issuers {
    /// The hub's own, for tokens that name no trusted issuer.
    pub(crate) own: Keys,
    pub(crate) trusted: Vec<Issuer>,
}

/// Why no key verifies a token. For the log only, as part of why the token is not valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoKey {
    #[error("MERCURE_{}_JWT_KEY is not set", .0.name())]
    Unset(Role),
    #[error("its issuer {issuer} has no {}'s key in MERCURE_TRUSTED_ISSUERS", .role.name().to_lowercase())]
    OfIssuer { issuer: Shown, role: Role },
    #[error(
        "the keys of its issuer {issuer} are not for tokens of {generation}: `tokens` in MERCURE_TRUSTED_ISSUERS"
    )]
    Generation { issuer: Shown, generation: Generation },
    #[error("MERCURE_TRUSTED_ISSUERS is not set, so no `at+jwt` is accepted")]
    NoTrustedIssuer,
    #[error("it has no `iss`, and MERCURE_TRUSTED_ISSUERS has {trusted}")]
    NoIssuer { trusted: String },
    #[error("its `iss` is {iss}, and MERCURE_TRUSTED_ISSUERS has {trusted}")]
    UnknownIssuer { iss: Shown, trusted: String },
}

impl Issuers {
    /// The keys, one of which a token with this `iss` must be signed with.
    ///
    /// # Errors
    ///
    /// If the issuer is not trusted, or not in this role or for this generation of tokens.
    pub(crate) fn keys(
        &self,
        iss: Option<&Value>,
        generation: Generation,
        role: Role,
    ) -> Result<&Trusted, NoKey> {
        let name = iss.and_then(Value::as_str);
        let named = self.trusted.iter().find(|issuer| name == Some(issuer.identifier.as_str()));
        let Some(named) = named else {
            return match (generation, iss) {
                (Generation::V0, _) => self.own.of(role).ok_or(NoKey::Unset(role)),
                (Generation::V1, _) if self.trusted.is_empty() => Err(NoKey::NoTrustedIssuer),
                (Generation::V1, None) => Err(NoKey::NoIssuer { trusted: self.identifiers() }),
                (Generation::V1, Some(iss)) => Err(NoKey::UnknownIssuer {
                    iss: Shown::value(iss),
                    trusted: self.identifiers(),
                }),
            };
        };
        let issuer = || Shown::text(&named.identifier);
        if !named.tokens.contains(generation) {
            return Err(NoKey::Generation { issuer: issuer(), generation });
        }
        named.keys.of(role).ok_or_else(|| NoKey::OfIssuer { issuer: issuer(), role })
    }

    /// The authorization servers whose 1.0 tokens are accepted: what clients may be told of them
    /// (draft-08, "Protected Resource Metadata").
    pub(crate) fn authorization_servers(&self) -> impl Iterator<Item = &str> {
        let servers = self.trusted.iter().filter(|issuer| {
            issuer.is_authorization_server && issuer.tokens.contains(Generation::V1)
        });
        servers.map(|issuer| issuer.identifier.as_str())
    }

    /// Where keys are published that are trusted; a place may be among them several times.
    pub(crate) fn sources(&self) -> impl Iterator<Item = &KeySource> {
        let all = std::iter::once(&self.own).chain(self.trusted.iter().map(|issuer| &issuer.keys));
        let roles = all.flat_map(|keys| [&keys.publisher, &keys.subscriber]);
        roles.flatten().filter_map(|trusted| match trusted {
            Trusted::Published(source) => Some(source),
            Trusted::Configured(_) => None,
        })
    }

    fn identifiers(&self) -> String {
        listed(self.trusted.iter().map(|issuer| issuer.identifier.as_str()))
    }

    /// Whether any token of these generations could be verified in this role.
    pub(crate) fn can_verify(&self, role: Role, protocol: Generations) -> bool {
        let own = protocol.contains(Generation::V0) && self.own.of(role).is_some();
        let meets = |issuer: &Issuer| {
            [Generation::V0, Generation::V1].into_iter().any(|generation| {
                issuer.tokens.contains(generation) && protocol.contains(generation)
            })
        };
        own || self.trusted.iter().any(|issuer| meets(issuer) && issuer.keys.of(role).is_some())
    }
}
