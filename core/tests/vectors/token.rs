//! Access tokens, as vectors write them: in the clear, and signed here.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::text::Text;

/// A token: the parts of a JWT, or any text in the place of one.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Token {
    Jwt(Jwt),
    Text(Text),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Jwt {
    /// The token, by its name, that this one is like but for what follows.
    like: Option<String>,
    header: Option<Json>,
    /// Beside those of the token that it is like; a null one takes away.
    claims: Option<Json>,
    /// Whose key signs it; unnamed, that of the role that the request has.
    key: Option<Key>,
    /// Takes the place of the signature.
    signature: Option<String>,
}

/// A JSON object; or text in the place of one, for what JSON cannot say.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Json {
    Object(Map<String, Value>),
    Text(Text),
}

/// The keys that vectors know.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Key {
    Publisher,
    Subscriber,
    Other,
}

impl Key {
    pub(super) fn secret(self) -> &'static str {
        match self {
            Self::Publisher => "a publisher's key of thirty-two bytes",
            Self::Subscriber => "a subscriber's key of thirty-two bytes",
            Self::Other => "a stranger's key of thirty-two bytes",
        }
    }
}

impl Token {
    /// The token as it is sent in a role; `tokens` are those that it can be like.
    pub(super) fn encode(&self, role: Key, tokens: &BTreeMap<String, Self>) -> Vec<u8> {
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

    fn encode(&self, role: Key) -> String {
        let header = self.header.as_ref().expect("a token has a header");
        let claims = self.claims.as_ref().expect("a token has claims");
        let message = format!("{}.{}", header.encode(), claims.encode());
        let signature = self.signature.clone().unwrap_or_else(|| {
            let key = EncodingKey::from_secret(self.key.unwrap_or(role).secret().as_bytes());
            jsonwebtoken::crypto::sign(message.as_bytes(), &key, header.algorithm())
                .expect("a secret signs with HMAC")
        });
        format!("{message}.{signature}")
    }
}

impl Json {
    /// What a header names, as far as it is HMAC; so that nothing but the name can be wrong.
    fn algorithm(&self) -> Algorithm {
        let alg = match self {
            Self::Object(header) => header.get("alg").and_then(Value::as_str),
            Self::Text(_) => None,
        };
        match alg {
            Some("HS384") => Algorithm::HS384,
            Some("HS512") => Algorithm::HS512,
            _ => Algorithm::HS256,
        }
    }

    fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(match self {
            Self::Object(object) => serde_json::to_vec(object).expect("JSON that was read"),
            Self::Text(text) => text.bytes(),
        })
    }
}
