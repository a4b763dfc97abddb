//! Access tokens, in the notation of the vectors: in the clear, and signed here.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::text::Text;

/// A token: the parts of a JWT, or any text instead of one.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Token {
    Jwt(Jwt),
    Text(Text),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Jwt {
    /// The name of a token that this one is like, except for what follows.
    like: Option<String>,
    header: Option<Json>,
    /// In addition to that token's claims; null removes one.
    claims: Option<Json>,
    /// Whose key signs it; by default, the key for the request's role.
    key: Option<Key>,
    /// Replaces the signature.
    signature: Option<String>,
}

/// A JSON object, or text instead of one, for what JSON cannot say.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Json {
    Object(Map<String, Value>),
    Text(Text),
}

/// The keys that vectors can name: the secrets of the roles and of a stranger, private keys in
/// `keys/`, and any text as a secret.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Key {
    Publisher,
    Subscriber,
    Other,
    Rsa,
    P256,
    #[serde(rename = "other_p256")]
    OtherP256,
    P384,
    Ed25519,
    Secret(String),
}

impl Key {
    pub(super) fn secret(&self) -> &str {
        match self {
            Self::Publisher => "a publisher's key of thirty-two bytes",
            Self::Subscriber => "a subscriber's key of thirty-two bytes",
            Self::Secret(text) => text,
            _ => "a stranger's key of thirty-two bytes",
        }
    }

    fn encoding(&self) -> EncodingKey {
        match self {
            Self::Rsa => EncodingKey::from_rsa_pem(include_bytes!("keys/rsa.pem")),
            Self::P256 => EncodingKey::from_ec_pem(include_bytes!("keys/p256.pem")),
            Self::OtherP256 => EncodingKey::from_ec_pem(include_bytes!("keys/other_p256.pem")),
            Self::P384 => EncodingKey::from_ec_pem(include_bytes!("keys/p384.pem")),
            Self::Ed25519 => EncodingKey::from_ed_pem(include_bytes!("keys/ed25519.pem")),
            _ => Ok(EncodingKey::from_secret(self.secret().as_bytes())),
        }
        .expect("a private key")
    }
}

impl Token {
    /// The token as it is sent in a role; `tokens` are those it can be like.
    pub(super) fn encode(&self, role: &Key, tokens: &BTreeMap<String, Self>) -> Vec<u8> {
        match self {
            Self::Jwt(jwt) => jwt.completed(tokens).encode(role).into_bytes(),
            Self::Text(text) => text.bytes(),
        }
    }
}

impl Jwt {
    fn completed(&self, tokens: &BTreeMap<String, Token>) -> Self {
        let Some(name) = &self.like else {
            return self.clone();
        };
        let Some(Token::Jwt(model)) = tokens.get(name) else {
            panic!("no JWT is named `{name}`");
        };
        let claims = match (&model.claims, &self.claims) {
            (Some(Json::Object(model)), Some(Json::Object(claims))) => {
                let mut all = model.clone();
                all.extend(claims.clone());
                all.retain(|_, value| !value.is_null());
                Some(Json::Object(all))
            }
            (model, claims) => claims.clone().or_else(|| model.clone()),
        };
        let header = self.header.clone().or_else(|| model.header.clone());
        Self { header, claims, ..self.clone() }
    }

    fn encode(&self, role: &Key) -> String {
        let header = self.header.as_ref().expect("a token has a header");
        let claims = self.claims.as_ref().expect("a token has claims");
        let message = format!("{}.{}", header.encode(), claims.encode());
        let signature = self.signature.clone().unwrap_or_else(|| {
            let key = self.key.as_ref().unwrap_or(role).encoding();
            jsonwebtoken::crypto::sign(message.as_bytes(), &key, header.algorithm(&key))
                .expect("the key signs with its algorithm")
        });
        format!("{message}.{signature}")
    }
}

impl Json {
    /// The algorithm that a header names, or one that fits the key: so only the name can be wrong.
    fn algorithm(&self, key: &EncodingKey) -> Algorithm {
        let alg = match self {
            Self::Object(header) => header.get("alg").and_then(Value::as_str),
            Self::Text(_) => None,
        };
        let named = alg.and_then(|alg| alg.parse().ok());
        let family = key.family();
        let possible = family.algorithms();
        named.filter(|named| possible.contains(named)).unwrap_or(possible[0])
    }

    fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(match self {
            Self::Object(object) => serde_json::to_vec(object).expect("JSON that was read"),
            Self::Text(text) => text.bytes(),
        })
    }
}
