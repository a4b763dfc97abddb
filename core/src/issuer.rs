//! Who may sign access tokens, and with which keys they are verified.
//!
//! | the token's `iss` | a 1.0 token | a 0.x token |
//! |---|---|---|
//! | names a trusted issuer | its keys | its keys |
//! | names none, or is missing | is refused | the hub's own keys |
//!
//! draft-08, "Token Validation": each key belongs to one issuer, and a token is verified with the
//! keys of the issuer that it names and no other. The token chooses among configured keys, and
//! never brings one.

use crate::generation::{Generation, Generations};
use crate::key::Key;
use crate::token::{InvalidToken, Role};

/// The keys of one issuer: one for each role, so that who may read need not be able to publish.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys {
    pub(crate) publisher: Option<Key>,
    pub(crate) subscriber: Option<Key>,
}

impl Keys {
    fn of(&self, role: Role) -> Result<&Key, InvalidToken> {
        let key = match role {
            Role::Publisher => &self.publisher,
            Role::Subscriber => &self.subscriber,
        };
        key.as_ref().ok_or(InvalidToken::NoKey(role))
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
            (Some(issuer), _) if issuer.tokens.contains(generation) => issuer.keys.of(role),
            (Some(_), _) => Err(InvalidToken::IssuersGeneration(generation)),
            (None, Generation::V0) => self.own.of(role),
            (None, Generation::V1) if self.trusted.is_empty() => Err(InvalidToken::NoTrustedIssuer),
            (None, Generation::V1) => Err(InvalidToken::Issuer),
        }
    }

    /// Whether anybody has a key for a role.
    pub(crate) fn has_key(&self, role: Role) -> bool {
        self.own.of(role).is_ok() || self.trusted.iter().any(|issuer| issuer.keys.of(role).is_ok())
    }
}
