//! `MERCURE_TRUSTED_ISSUERS`: one identifier, whose tokens the hub's own keys verify; or a JSON
//! list of issuers, each with its keys.
//!
//! ```json
//! [
//!   {"issuer": "https://www.example.com",
//!    "publisher": {"key": "-----BEGIN PUBLIC KEY-----…", "algorithm": "ES256"},
//!    "subscriber": {"key": {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": "…"}}},
//!   {"issuer": "https://auth.example.com",
//!    "subscriber": {"key": "a shared secret of at least 32 bytes…"},
//!    "tokens": ["1.0"]}
//! ]
//! ```

use serde::Deserialize;
use serde_json::Value;

use super::keys;
use crate::generation::{Generation, Generations};
use crate::issuer::{Issuer, Keys};
use crate::key::Key;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    issuer: String,
    publisher: Option<Verifier>,
    subscriber: Option<Verifier>,
    tokens: Option<Vec<Generation>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Verifier {
    /// A secret or PEM as text, or a JWK.
    key: Value,
    algorithm: Option<String>,
}

/// Reads the trusted issuers; `own` are the hub's keys, `warn` takes what looks wrong.
pub(super) fn read(
    text: &str,
    own: &Keys,
    warn: &mut impl FnMut(String),
) -> Result<Vec<Issuer>, String> {
    let text = text.trim();
    if !text.starts_with(['[', '{']) {
        return one(text, own).map(|issuer| vec![issuer]);
    }
    // What serde_json says may repeat a part of a key.
    let entries: Vec<Entry> = serde_json::from_str(text).map_err(|error| {
        format!(
            "is not a JSON list of issuers (line {}, column {}); write it like [{{\"issuer\": \"https://auth.example.com\", \"subscriber\": {{\"key\": \"…\", \"algorithm\": \"ES256\"}}}}]",
            error.line(),
            error.column()
        )
    })?;
    let mut issuers: Vec<Issuer> = Vec::new();
    for entry in entries {
        let name = entry.issuer.clone();
        if name.is_empty() || issuers.iter().any(|issuer| issuer.identifier == name) {
            return Err(format!("names the issuer `{name}` twice, or not at all"));
        }
        issuers.push(issuer(entry, warn).map_err(|what| format!("the issuer `{name}`: {what}"))?);
    }
    if issuers.is_empty() {
        return Err("is an empty list; name an issuer, or remove it".into());
    }
    Ok(issuers)
}

/// One identifier, for whom the hub's own keys are.
fn one(text: &str, own: &Keys) -> Result<Issuer, String> {
    match text {
        "" => Err("names no issuer; write the `iss` of your tokens, or remove it".into()),
        // draft-08, "Token Validation": with the same keys, each could sign for the other.
        _ if text.contains([' ', ',', '\t', '\n']) => Err("names several issuers, and these would share the hub's keys; write a JSON list, in which each has its own".into()),
        _ => Ok(Issuer {
            identifier: text.to_owned(),
            keys: own.clone(),
            tokens: Generations::Both,
        }),
    }
}

fn issuer(entry: Entry, warn: &mut impl FnMut(String)) -> Result<Issuer, String> {
    let tokens = match entry.tokens.as_deref() {
        None => Generations::Both,
        Some([one]) => Generations::Only(*one),
        Some([one, other]) if one != other => Generations::Both,
        Some(_) => return Err("its `tokens` must be [\"1.0\"], [\"0.x\"] or both".into()),
    };
    let mut read = |role: &str, verifier: Option<Verifier>| match verifier {
        None => Ok(None),
        Some(verifier) => key(verifier, &entry.issuer, role, warn)
            .map(Some)
            .map_err(|what| format!("its {role}'s key {what}")),
    };
    let publisher = read("publisher", entry.publisher)?;
    let subscriber = read("subscriber", entry.subscriber)?;
    if publisher.is_none() && subscriber.is_none() {
        return Err("it has no key; give it a `publisher` or a `subscriber` with one".into());
    }
    Ok(Issuer { identifier: entry.issuer, keys: Keys { publisher, subscriber }, tokens })
}

fn key(
    verifier: Verifier,
    issuer: &str,
    role: &str,
    warn: &mut impl FnMut(String),
) -> Result<Key, String> {
    let algorithm = verifier.algorithm.as_deref().map(keys::algorithm).transpose();
    let algorithm = algorithm.map_err(|what| format!("has an algorithm that {what}"))?;
    let text = match verifier.key {
        Value::String(text) if !text.is_empty() => text,
        jwk @ Value::Object(_) => jwk.to_string(),
        _ => return Err("is neither text nor a JWK".into()),
    };
    let read = keys::key(&text, algorithm)?;
    for warning in read.warnings {
        warn(format!("MERCURE_TRUSTED_ISSUERS: the {role}'s key of `{issuer}` {warning}"));
    }
    Ok(read.key)
}
