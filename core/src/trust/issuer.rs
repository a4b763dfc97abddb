//! Who may sign access tokens, and with which keys they are verified.
//!
//! | the token's `iss` | a 1.0 token | a 0.x token |
//! |---|---|---|
//! | names a trusted issuer | its keys | its keys, where they are for such tokens |
//! | names none, or is missing | is refused | the hub's own keys |
//!
//! draft-08, "Token Validation": each key belongs to one issuer, and a token is verified with the
//! keys of the issuer that it names and no other. The token chooses among configured keys, and
//! never brings one.

use crate::authorization::invalid_token::InvalidToken;
use crate::authorization::token::Role;
use crate::terms::generation::{Generation, Generations};
use crate::trust::key::Key;

/// The keys of one issuer: one for each role, so that who may read need not be able to publish.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys {
    pub(crate) publisher: Option<Key>,
    pub(crate) subscriber: Option<Key>,
}

impl Keys {
    fn of(&self, role: Role) -> Option<&Key> {
        match role {
            Role::Publisher => self.publisher.as_ref(),
            Role::Subscriber => self.subscriber.as_ref(),
        }
    }
}

/// Somebody whose tokens are accepted, by the `iss` that they carry.
#[derive(Clone, Debug)]
pub(crate) struct Issuer {
    pub(crate) identifier: String,
    pub(crate) keys: Keys,
    /// The kinds of tokens that its keys may verify.
    pub(crate) tokens: Generations,
}

/// All keys that a hub trusts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Issuers {
    /// The hub's own, for tokens that name no issuer.
    pub(crate) own: Keys,
    pub(crate) trusted: Vec<Issuer>,
}

impl Issuers {
    /// The key that a token which names `iss` must be signed with.
    ///
    /// # Errors
    ///
    /// Where that issuer is not trusted, or not with this role or kind of tokens.
    pub(crate) fn key(
        &self,
        iss: Option<&str>,
        generation: Generation,
        role: Role,
    ) -> Result<&Key, InvalidToken> {
        let named = self.trusted.iter().find(|issuer| iss == Some(issuer.identifier.as_str()));
        match (named, generation) {
            (Some(issuer), _) if !issuer.tokens.contains(generation) => {
                Err(InvalidToken::IssuersGeneration(generation))
            }
            (Some(issuer), _) => issuer.keys.of(role).ok_or(InvalidToken::NoIssuersKey(role)),
            (None, Generation::V0) => self.own.of(role).ok_or(InvalidToken::NoKey(role)),
            (None, Generation::V1) if self.trusted.is_empty() => Err(InvalidToken::NoTrustedIssuer),
            (None, Generation::V1) => Err(InvalidToken::Issuer),
        }
    }

    /// Whether some token of these generations could be verified in a role.
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
