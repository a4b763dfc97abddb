//! Keys as configurations write them: a shared secret, a public key in PEM, or a JWK.
//!
//! What a key may be used for is settled here: it is bound to one algorithm, and a key of the wrong
//! kind for that algorithm is a mistake. A public key mistaken for a shared secret would let
//! anybody sign.

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind};
use serde_json::Value;

use crate::trust::key::Key;
use crate::trust::weakness::{Weakness, short, weaknesses};

/// The names of the algorithms that the hub verifies.
pub const ALGORITHMS: &str =
    "HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA";

/// A key, and what is weak about it.
#[derive(Debug)]
pub(crate) struct KeyAndWeaknesses {
    pub(crate) key: Key,
    pub(crate) weaknesses: Vec<Weakness>,
}

/// Reads the name of an algorithm.
///
/// # Errors
///
/// What is wrong, to be read after "is". The name is not repeated, since it may be a secret that
/// was put into the wrong variable.
pub(crate) fn algorithm(name: &str) -> Result<Algorithm, String> {
    match name {
        "none" => Err("`none`, with which anybody could make tokens".into()),
        "ES512" => Err(format!("ES512, which is not supported here; use one of {ALGORITHMS}")),
        _ => name.parse().map_err(|_| format!("none of {ALGORITHMS}")),
    }
}

/// Reads a key. `named` is the algorithm that the configuration gives it, and `naming` is how
/// messages refer to the place where the configuration does so.
///
/// # Errors
///
/// What is wrong, without any part of the key itself.
pub(crate) fn key(
    text: &str,
    named: Option<Algorithm>,
    naming: &str,
) -> Result<KeyAndWeaknesses, String> {
    let trimmed = text.trim();
    if trimmed.starts_with("-----BEGIN") {
        // Files of variables cannot hold line breaks, and many tools write them like this.
        let key = pem(&trimmed.replace("\\n", "\n"), named, naming)?;
        return Ok(KeyAndWeaknesses { key, weaknesses: Vec::new() });
    }
    if trimmed.starts_with('{') {
        return jwk(trimmed, named, naming);
    }
    if let Some(what) = somebodys_public_key(trimmed) {
        return Err(what.into());
    }
    secret(text, named)
}

/// Whether this text is a shared secret, which signs tokens as well as verifying them.
#[must_use]
pub fn is_shared_secret(text: &str) -> bool {
    let text = text.trim();
    !text.starts_with("-----BEGIN") && !text.starts_with('{')
}

/// What this text is, if it is a public key in disguise: as a secret, it would be one that anybody
/// can know.
fn somebodys_public_key(text: &str) -> Option<&'static str> {
    let quoted = text.trim_start_matches(['"', '\'', '\u{feff}', ' ']);
    if text.contains("-----BEGIN") {
        Some(
            "holds a PEM key and something else; give it from `-----BEGIN` to `KEY-----`, without quotes",
        )
    } else if quoted.starts_with('{') {
        Some("is a JWK with something before it; give it from `{` on, without quotes")
    } else if quoted.starts_with("http://") || quoted.starts_with("https://") {
        Some("is a URL; this version takes a key, and not the address of a set of keys")
    } else if quoted.starts_with("ssh-") || quoted.starts_with("ecdsa-sha2-") {
        Some("is an SSH key; give it in PEM, as `ssh-keygen -e -m PKCS8 -f KEY` prints it")
    // The beginnings, in base64, of DER longer than 255 bytes and of P-256, P-384 and Ed25519 keys.
    } else if ["MII", "MFkw", "MHYw", "MCow"].iter().any(|start| quoted.starts_with(start)) {
        Some(
            "looks like the inside of a PEM key; give it with its lines `-----BEGIN PUBLIC KEY-----` and `-----END PUBLIC KEY-----`",
        )
    } else {
        None
    }
}

fn secret(text: &str, named: Option<Algorithm>) -> Result<KeyAndWeaknesses, String> {
    let algorithm = named.unwrap_or(Algorithm::HS256);
    if algorithm.family() != AlgorithmFamily::Hmac {
        return Err(format!(
            "is neither a PEM key nor a JWK, and {algorithm:?} needs a public key; give it from `-----BEGIN PUBLIC KEY-----` on"
        ));
    }
    let key = Key::new(algorithm, DecodingKey::from_secret(text.as_bytes()));
    Ok(KeyAndWeaknesses { key, weaknesses: weaknesses(text.as_bytes(), algorithm) })
}

fn pem(text: &str, named: Option<Algorithm>, naming: &str) -> Result<Key, String> {
    let label = text.lines().next().unwrap_or_default();
    if label.contains("PRIVATE KEY") {
        return Err("is a private key, which the hub must not have; give it the public one that `openssl pkey -in KEY -pubout` prints".into());
    }
    if label.contains("CERTIFICATE") {
        return Err("is a certificate; give the public key that `openssl x509 -in CERTIFICATE -noout -pubkey` prints".into());
    }
    let Some(algorithm) = named else {
        return Err(format!(
            "is a PEM key, which does not say its algorithm; name that in {naming}, such as RS256 or ES256"
        ));
    };
    let key = match algorithm.family() {
        AlgorithmFamily::Hmac => {
            return Err(format!(
                "is a PEM key, and {algorithm:?} takes a shared secret; a public key as a secret would let anybody sign"
            ));
        }
        AlgorithmFamily::Rsa => DecodingKey::from_rsa_pem(text.as_bytes()),
        AlgorithmFamily::Ec => DecodingKey::from_ec_pem(text.as_bytes()),
        AlgorithmFamily::Ed => DecodingKey::from_ed_pem(text.as_bytes()),
    };
    match key {
        Ok(key) => checked(algorithm, key),
        Err(_) => {
            Err(format!("{}; and with its line breaks, or `\\n` in their places", unfit(algorithm)))
        }
    }
}

fn jwk(text: &str, named: Option<Algorithm>, naming: &str) -> Result<KeyAndWeaknesses, String> {
    // serde_json's own message might repeat a part of the key.
    let value: Value = serde_json::from_str(text).map_err(|error| {
        format!("begins like a JWK but is not JSON (column {})", error.column())
    })?;
    let member = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    if value.get("keys").is_some() {
        return Err("is a set of JWKs; give the one key that signs".into());
    }
    let own = match member("alg") {
        "" => None,
        name => Some(algorithm(name).map_err(|what| format!("is a JWK whose `alg` is {what}"))?),
    };
    let algorithm = match (named, own) {
        (Some(named), Some(own)) if named != own => {
            return Err(format!("is a JWK for {own:?}, but is configured for {named:?}"));
        }
        (Some(algorithm), _) | (None, Some(algorithm)) => algorithm,
        (None, None) => {
            return Err(format!(
                "is a JWK without `alg`; name its algorithm in it or in {naming}, such as ES256"
            ));
        }
    };
    let family = algorithm.family();
    // RFC 7518, section 6; RFC 8037, section 2.
    let fits = match algorithm {
        Algorithm::ES256 => member("kty") == "EC" && member("crv") == "P-256",
        Algorithm::ES384 => member("kty") == "EC" && member("crv") == "P-384",
        Algorithm::EdDSA => member("kty") == "OKP" && member("crv") == "Ed25519",
        _ if family == AlgorithmFamily::Hmac => member("kty") == "oct",
        _ => member("kty") == "RSA",
    };
    if family != AlgorithmFamily::Hmac && value.get("d").is_some() {
        return Err("is a private JWK, which the hub must not have; give it without `d`".into());
    }
    let key = serde_json::from_value::<Jwk>(value).ok().filter(|_| fits);
    let key = key.and_then(|jwk| DecodingKey::from_jwk(&jwk).ok());
    let key = key.ok_or_else(|| unfit(algorithm))?;
    let weaknesses = match key.kind() {
        DecodingKeyKind::SecretOrDer(secret) if family == AlgorithmFamily::Hmac => {
            weaknesses(secret, algorithm)
        }
        _ => Vec::new(),
    };
    Ok(KeyAndWeaknesses { key: checked(algorithm, key)?, weaknesses })
}

/// The key, if its length is one that the algorithm allows.
fn checked(algorithm: Algorithm, key: DecodingKey) -> Result<Key, String> {
    // RFC 7518, section 3.3: at least 2048 bits. Not every library that verifies takes more than
    // 4096. A JWK has only the modulus; PEM adds some bytes of DER around it.
    let (bytes, rsa) = match key.kind() {
        DecodingKeyKind::SecretOrDer(bytes) => (bytes, 266..=530),
        DecodingKeyKind::RsaModulusExponent { n, .. } => (n, 256..=512),
    };
    let length = bytes.len();
    let fits = match algorithm {
        // The length of uncompressed points.
        Algorithm::ES256 => length == 65,
        Algorithm::ES384 => length == 97,
        Algorithm::EdDSA => length == 32,
        _ if algorithm.family() == AlgorithmFamily::Hmac => {
            return match short(bytes, algorithm) {
                // A JWK is made by some tool, so a developer did not choose to have a short one.
                Some(what) => Err(what.to_string()),
                None => Ok(Key::new(algorithm, key)),
            };
        }
        _ => rsa.contains(&length),
    };
    if fits { Ok(Key::new(algorithm, key)) } else { Err(unfit(algorithm)) }
}

fn unfit(algorithm: Algorithm) -> String {
    let what = match algorithm {
        Algorithm::ES256 => "a public key of the curve P-256",
        Algorithm::ES384 => "a public key of the curve P-384",
        Algorithm::EdDSA => "a public key of Ed25519",
        _ if algorithm.family() == AlgorithmFamily::Hmac => "a JWK of type `oct`",
        _ => "a public RSA key of 2048 to 4096 bits",
    };
    format!(
        "is not what {algorithm:?} needs: {what}, as JWK or in PEM (`-----BEGIN PUBLIC KEY-----`)"
    )
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    const P256: &str = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEPQTM3wiCEQBHJyErR7YsqNt0/BZe\n3k3SRMDjreY89Mice2kotU8NCYiKZwIdld6tk1ARom13inB+29F8GBBJVw==\n-----END PUBLIC KEY-----\n";

    /// What is wrong with a key; it never shows any part of the key itself.
    fn mistake(text: &str, named: &str) -> String {
        let named = (!named.is_empty()).then(|| algorithm(named).unwrap());
        let what = key(text, named, "ITS_ALG").map(|read| read.key).unwrap_err();
        assert!(!what.contains("MFkw") && !what.contains("c2VjcmV0"), "{what}");
        what
    }

    #[test]
    fn a_key_is_of_the_kind_that_its_algorithm_needs() {
        assert!(key(P256, Some(Algorithm::ES256), "").is_ok());
        for named in ["ES384", "RS256", "PS512", "EdDSA"] {
            assert!(mistake(P256, named).contains("is not what"), "{named}");
        }
        assert!(mistake("a secret", "RS256").contains("needs a public key"));
        assert!(mistake(r#"{"kty": "oct", "k": "c2VjcmV0"}"#, "ES256").contains("P-256"));
        assert!(
            mistake(r#"{"kty": "OKP", "crv": "X25519", "x": "AA"}"#, "EdDSA").contains("Ed25519")
        );
        assert!(mistake(r#"{"kty": "RSA", "n": "AQAB", "e": "AQAB"}"#, "RS256").contains("2048"));
    }

    #[test]
    fn a_public_key_is_never_a_secret() {
        for named in ["HS256", "HS384", "HS512"] {
            assert!(mistake(P256, named).contains("would let anybody sign"), "{named}");
        }
        assert!(mistake(P256, "").contains("in ITS_ALG"));
        let body = P256.lines().nth(1).unwrap();
        for text in [
            format!("Bag Attributes\n  friendlyName: hub\n{P256}"),
            format!("\u{feff}{P256}"),
            format!("\"{}\"", P256.replace('\n', "\\n")),
            body.to_owned(),
            "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A".into(),
            "'{\"kty\": \"EC\"}'".into(),
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5".into(),
            "https://auth.example.com/.well-known/jwks.json".into(),
        ] {
            for named in ["", "HS256"] {
                assert!(!mistake(&text, named).is_empty());
            }
        }
    }

    #[test]
    fn a_private_key_and_a_certificate_are_named() {
        assert!(mistake("-----BEGIN PRIVATE KEY-----\nMFkw", "ES256").contains("-pubout"));
        assert!(mistake("-----BEGIN EC PRIVATE KEY-----\nMFkw", "").contains("private"));
        assert!(mistake("-----BEGIN CERTIFICATE-----\nMFkw", "RS256").contains("-pubkey"));
        assert!(mistake(r#"{"kty": "EC", "d": "c2VjcmV0"}"#, "ES256").contains("without `d`"));
    }

    #[test]
    fn a_jwk_and_its_variable_agree() {
        let jwk = r#"{"kty": "oct", "alg": "HS256", "k": "c2VjcmV0"}"#;
        assert!(mistake(jwk, "HS512").contains("for HS256"));
        assert!(mistake(jwk, "").contains("shorter than 32"));
        assert!(mistake(r#"{"kty": "oct"}"#, "").contains("without `alg`"));
        assert!(mistake(r#"{"alg": "ES512"}"#, "").contains("not supported"));
        assert!(mistake(r#"{"keys": []}"#, "").contains("set of JWKs"));
        assert!(mistake("{c2VjcmV0", "").contains("is not JSON"));
    }

    #[test]
    fn weak_secrets_are_pointed_out() {
        let weaknesses = |text: &str| key(text, None, "").unwrap().weaknesses;
        assert_eq!(weaknesses(&"k".repeat(32)), []);
        assert_eq!(weaknesses(&"k".repeat(31)), [Weakness::Short(32)]);
        let known = "!ChangeThisMercureHubJWTSecretKey!";
        assert_eq!(weaknesses(known), [Weakness::WellKnown]);
        let encoded = URL_SAFE_NO_PAD.encode(known);
        let jwk = format!(r#"{{"kty": "oct", "alg": "HS256", "k": "{encoded}"}}"#);
        assert_eq!(weaknesses(&jwk), [Weakness::WellKnown]);
    }
}
