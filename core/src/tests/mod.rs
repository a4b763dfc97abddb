//! What the core's tests share.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::Value;

use crate::{Config, Platform};

const PUBLISHER_KEY: &str = "a publisher's key of thirty-two bytes";
const SUBSCRIBER_KEY: &str = "a subscriber's key of thirty-two bytes";

/// A configuration with keys, and these variables.
pub(crate) fn config(variables: &[(&str, &str)]) -> Config {
    config_of(&Platform::new("a test"), variables)
}

/// The same on this platform.
pub(crate) fn config_of(platform: &Platform, variables: &[(&str, &str)]) -> Config {
    let keys = [
        ("MERCURE_PUBLISHER_JWT_KEY", PUBLISHER_KEY),
        ("MERCURE_SUBSCRIBER_JWT_KEY", SUBSCRIBER_KEY),
    ];
    let pairs = keys.iter().chain(variables);
    let pairs = pairs.map(|(name, value)| ((*name).into(), (*value).into()));
    Config::read(platform, pairs).unwrap()
}

/// A 0.x token for `publish` or `subscribe`, of the key of that role.
pub(crate) fn sign(role: &str, claims: &Value) -> String {
    let key = if role == "publish" { PUBLISHER_KEY } else { SUBSCRIBER_KEY };
    let encode = |part: &str| URL_SAFE_NO_PAD.encode(part);
    let message = format!("{}.{}", encode(r#"{"alg":"HS256"}"#), encode(&claims.to_string()));
    let key = EncodingKey::from_secret(key.as_bytes());
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
    format!("{message}.{signature}")
}
