//! `MERCURE_TRUSTED_ISSUERS`: the identifier of one issuer, whose tokens the hub's own keys verify;
//! or a JSON list of issuers, each with its own keys.
//!
//! ```json
//! [
//!   {"issuer": "https://auth.example.com",
//!    "key": "-----BEGIN PUBLIC KEY-----…", "algorithm": "ES256", "authorization_server": true},
//!   {"issuer": "https://www.example.com",
//!    "publisher": {"key": "a shared secret of at least 32 bytes…"},
//!    "subscriber": {"key": {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": "…"}},
//!    "tokens": ["0.x", "1.0"]}
//! ]
//! ```
//!
//! In place of a `key`, a `jwks_uri` is where an issuer publishes its keys. An issuer with neither
//! publishes where its metadata says (RFC 8414): `{"issuer": "https://auth.example.com"}` is all that
//! it needs. Beside a `key`, `previous` is the one before it, written likewise: `{"key": …, "algorithm": …}`.
//!
//! Keys of a list verify 1.0 tokens only, unless `tokens` says otherwise: an issuer that serves
//! several services also signs ID Tokens, which are 0.x tokens in all but their claims.

use jsonwebtoken::Algorithm;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::terms::generation::{Generation, Generations};
use crate::trust::issuer::{Issuer, Keys};
use crate::trust::key::Key;
use crate::trust::key_source::KeySource;
use crate::trust::trusted::{Configured, Trusted};
use crate::trust::weakness::Weakness;
use crate::trust::{algorithm, key_text};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    issuer: String,
    /// For both roles.
    key: Option<Value>,
    algorithm: Option<String>,
    previous: Option<Previous>,
    jwks_uri: Option<String>,
    publisher: Option<Verifier>,
    subscriber: Option<Verifier>,
    tokens: Option<Vec<Generation>>,
    #[serde(default)]
    authorization_server: bool,
}

/// A key and its algorithm, or where keys are published.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Verifier {
    /// A secret or PEM as text, or a JWK.
    key: Option<Value>,
    algorithm: Option<String>,
    previous: Option<Previous>,
    jwks_uri: Option<String>,
}

/// The key before, and its algorithm.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Previous {
    key: Value,
    algorithm: Option<String>,
}

/// The one issuer whose tokens the hub's own keys verify; `None` if this value of
/// `MERCURE_TRUSTED_ISSUERS` is a list, in which each issuer has its own keys.
#[must_use]
pub fn own_issuer(text: &str) -> Option<&str> {
    let text = text.trim();
    (!text.starts_with(['[', '{'])).then_some(text)
}

/// Reads the trusted issuers. `own` are the hub's keys; `warn` is told of weak keys, and how to
/// refer to each.
///
/// # Errors
///
/// What is wrong, without any part of a key.
pub(crate) fn read(
    text: &str,
    own: &Keys,
    warn: &mut impl FnMut(String, Weakness),
) -> Result<Vec<Issuer>, String> {
    if let Some(identifier) = own_issuer(text) {
        return one(identifier, own).map(|issuer| vec![issuer]);
    }
    // serde_json's own message might repeat a part of a key.
    let entries: Vec<Entry> = serde_json::from_str(text).map_err(|error| {
        let what = if error.is_data() { "has an unknown member, or one of the wrong type" } else { "is not JSON" };
        format!(
            "{what} (line {}, column {}); write a list like [{{\"issuer\": \"https://auth.example.com\", \"key\": \"…\", \"algorithm\": \"ES256\"}}], with `publisher` and `subscriber` for keys of one role, `jwks_uri` in place of `key`, and perhaps `tokens` and `authorization_server`",
            error.line(),
            error.column()
        )
    })?;
    let mut issuers: Vec<Issuer> = Vec::new();
    for entry in entries {
        let name = entry.issuer.clone();
        if name.is_empty() || issuers.iter().any(|issuer| issuer.identifier == name) {
            return Err(format!("names the issuer `{name}` twice, or leaves its name empty"));
        }
        issuers.push(issuer(entry, warn).map_err(|what| format!("the issuer `{name}`: {what}"))?);
    }
    if issuers.is_empty() {
        return Err("is an empty list; name an issuer, or remove it".into());
    }
    Ok(issuers)
}

/// One issuer, whose tokens the hub's own keys verify.
fn one(text: &str, own: &Keys) -> Result<Issuer, String> {
    match text {
        "" => Err("names no issuer; write the `iss` of your tokens, or remove it".into()),
        _ if text.starts_with(['"', '\'', '`']) => {
            Err("is in quotes; write it without those around it".into())
        }
        // draft-08, "Token Validation": if they had the same keys, each could sign for the others.
        _ if text.contains([' ', ',', ';', '\t', '\n']) => Err("names several issuers, which would all share the hub's keys; write a JSON list, in which each has its own".into()),
        _ => Ok(Issuer {
            identifier: text.to_owned(),
            keys: own.clone(),
            tokens: Generations::Both,
            is_authorization_server: false,
        }),
    }
}

fn issuer(entry: Entry, warn: &mut impl FnMut(String, Weakness)) -> Result<Issuer, String> {
    let tokens = match entry.tokens.as_deref() {
        // As 0.x tokens they would vouch for any JWT of the issuer's, whatever its audience.
        None => Generations::Only(Generation::V1),
        Some([one]) => Generations::Only(*one),
        Some([one, other]) if one != other => Generations::Both,
        Some(_) => return Err("its `tokens` must be [\"1.0\"], [\"0.x\"] or both".into()),
    };
    let mut read = |role: &str, verifier: Option<Verifier>| match verifier {
        None => Ok(None),
        Some(verifier) => trusted(verifier, &entry.issuer, role, warn).map(Some),
    };
    let Entry { key, algorithm, previous, jwks_uri, .. } = entry;
    let has_both = key.is_some() || jwks_uri.is_some() || previous.is_some();
    let both = Verifier { key, algorithm, previous, jwks_uri };
    let is_discovered = !has_both && entry.publisher.is_none() && entry.subscriber.is_none();
    let (publisher, subscriber) = match (entry.publisher, entry.subscriber) {
        (None, None) if is_discovered => {
            let trusted = discovered(&entry.issuer, both.algorithm.as_deref())?;
            (Some(trusted.clone()), Some(trusted))
        }
        (None, None) => (read("publisher", Some(both.clone()))?, read("subscriber", Some(both))?),
        _ if has_both => {
            return Err(
                "it has a `key` for both roles and also one for one role; which is meant?".into()
            );
        }
        (publisher, subscriber) => (read("publisher", publisher)?, read("subscriber", subscriber)?),
    };
    if entry.authorization_server && !is_server(&entry.issuer) {
        return Err(
            "it is called an `authorization_server`, whose name is an https URL without a query and a fragment; remove that, or write the URL".into()
        );
    }
    Ok(Issuer {
        identifier: entry.issuer,
        keys: Keys { publisher, subscriber },
        tokens,
        // RFC 8414: it is authorization servers that have metadata to discover.
        is_authorization_server: entry.authorization_server || is_discovered,
    })
}

/// Whether an authorization server can have this identifier (RFC 8414, section 2).
fn is_server(identifier: &str) -> bool {
    Url::parse(identifier).is_ok_and(|url| {
        url.scheme() == "https" && url.query().is_none() && url.fragment().is_none()
    })
}

/// The keys of an issuer of which only the identifier is known.
fn discovered(issuer: &str, algorithm: Option<&str>) -> Result<Trusted, String> {
    let source = KeySource::of_issuer(issuer, named(algorithm)?).map_err(|what| {
        format!("it has no key, so its keys would be looked for by its identifier, which {what}; or give it a `key`, a `jwks_uri`, or a `publisher` or a `subscriber` with one")
    })?;
    Ok(Trusted::Published(source))
}

fn named(algorithm: Option<&str>) -> Result<Option<Algorithm>, String> {
    let named = algorithm.map(algorithm::algorithm).transpose();
    named.map_err(|what| format!("has an `algorithm` that is {what}"))
}

fn trusted(
    verifier: Verifier,
    issuer: &str,
    role: &str,
    warn: &mut impl FnMut(String, Weakness),
) -> Result<Trusted, String> {
    let Verifier { key, algorithm, previous, jwks_uri } = verifier;
    let key = match (key, jwks_uri) {
        (Some(key), None) => key,
        (None, Some(uri)) if previous.is_none() => {
            return named(algorithm.as_deref())
                .and_then(|algorithm| KeySource::at(&uri, algorithm))
                .map(Trusted::Published)
                .map_err(|what| format!("its {role}'s `jwks_uri` {what}"));
        }
        (None, None) => return Err(format!("its {role} has neither a `key` nor a `jwks_uri`")),
        _ => {
            return Err(format!(
                "its {role} has a `jwks_uri` and also a `key` or `previous`; which is meant?"
            ));
        }
    };
    let mut read = |key, algorithm, which: &str| {
        self::key(key, algorithm, &format!("the {which} of `{issuer}`"), warn)
            .map_err(|what| format!("its {which} {what}"))
    };
    let current = read(key, algorithm, &format!("{role}'s key"))?;
    let previous = previous
        .map(|Previous { key, algorithm }| read(key, algorithm, &format!("{role}'s previous key")))
        .transpose()?;
    Ok(Trusted::Configured(Configured::new(current, previous)))
}

fn key(
    key: Value,
    algorithm: Option<String>,
    which: &str,
    warn: &mut impl FnMut(String, Weakness),
) -> Result<Key, String> {
    let named = named(algorithm.as_deref())?;
    let text = match key {
        Value::String(text) => text,
        jwk @ Value::Object(_) => jwk.to_string(),
        Value::Array(_) => return Err("is a list; give the one JWK that signs".into()),
        _ => return Err("is neither text nor a JWK".into()),
    };
    let read = key_text::key(&text, named, "its `algorithm`")?;
    for weakness in read.weaknesses {
        warn(format!("MERCURE_TRUSTED_ISSUERS: {which}"), weakness);
    }
    Ok(read.key)
}
