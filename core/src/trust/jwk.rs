//! Keys as JWKs (RFC 7517, RFC 7518, RFC 8037).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

use crate::trust::algorithm::{algorithm, named};
use crate::trust::not_a_secret;
use crate::trust::public_key::{Curve, PublicKey};

/// What a JWK holds.
pub(super) enum Material {
    Secret(Vec<u8>),
    Public(PublicKey),
}

/// Reads a JWK: its algorithm, which it names or `named` does, and what it holds.
///
/// # Errors
///
/// What is wrong, without any part of the key.
pub(super) fn read(
    text: &str,
    named: Option<Algorithm>,
    naming: &str,
) -> Result<(Algorithm, Material), String> {
    // serde_json's own message might repeat a part of the key.
    let value: Value = serde_json::from_str(text).map_err(|error| {
        format!("begins like a JWK but is not JSON (column {})", error.column())
    })?;
    let jwk = Jwk(&value);
    if value.get("keys").is_some() {
        return Err("is a set of JWKs; give the one key that signs".into());
    }
    let kind = jwk.text("kty");
    if kind.is_empty() {
        return Err("is JSON but no JWK, since it has no `kty`; give a JWK, or the key in PEM, from `-----BEGIN PUBLIC KEY-----` on".into());
    }
    if kind != "oct" && value.get("d").is_some() {
        return Err("is a private JWK, which the hub must not have; give it without `d`, and without `key_ops`".into());
    }
    jwk.check_use()?;
    let own = match jwk.text("alg") {
        "" => None,
        name => Some(algorithm(name).map_err(|what| format!("is a JWK whose `alg` is {what}"))?),
    };
    let algorithm = match (named, own) {
        (Some(named), Some(own)) if named != own => {
            return Err(format!("is a JWK for {own:?}, but is configured for {named:?}"));
        }
        (Some(algorithm), _) | (None, Some(algorithm)) => algorithm,
        (None, None) => {
            let such_as = match kind {
                "oct" => "HS256",
                "RSA" => "RS256",
                "OKP" => "EdDSA",
                _ => "ES256",
            };
            return Err(format!(
                "is a JWK without `alg`; name its algorithm in it or in {naming}, such as {such_as}"
            ));
        }
    };
    Ok((algorithm, jwk.material()?))
}

/// Whether a JWK names its algorithm.
pub(super) fn names_algorithm(text: &str) -> bool {
    serde_json::from_str(text).is_ok_and(|jwk: Value| !Jwk(&jwk).text("alg").is_empty())
}

/// A key of a set, and its algorithm; of an issuer that signs with one `algorithm` alone, if it is for
/// that. `None` if it does not verify tokens here.
pub(super) fn published(
    jwk: &Value,
    algorithm: Option<Algorithm>,
) -> Option<(Algorithm, DecodingKey)> {
    // What everybody can read is neither a shared secret nor a private key.
    if jwk.get("k").is_some() || jwk.get("d").is_some() {
        return None;
    }
    let own = match jwk.get("alg") {
        None => None,
        Some(alg) => Some(alg.as_str().and_then(named)?),
    };
    let jwk = Jwk(jwk);
    jwk.check_use().ok()?;
    if own.is_some() && algorithm.is_some() && own != algorithm {
        return None;
    }
    let algorithm = own.or(algorithm).or_else(|| jwk.usual_algorithm())?;
    match jwk.material().ok()? {
        Material::Secret(_) => None,
        Material::Public(key) => Some((algorithm, key.decoding_key(algorithm).ok()?)),
    }
}

struct Jwk<'a>(&'a Value);

impl Jwk<'_> {
    /// A member that is text, or nothing.
    fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A member that is bytes. RFC 7515, section 2: base64url without padding.
    fn bytes(&self, name: &str) -> Result<Vec<u8>, String> {
        let text = self.text(name);
        if text.is_empty() {
            return Err(format!(
                "is a JWK without `{name}`, or with one that is not text; give all of it"
            ));
        }
        URL_SAFE_NO_PAD.decode(text).map_err(|_| {
            format!("is a JWK whose `{name}` is not Base64 as JWKs have it: write `-` for `+`, `_` for `/`, and no `=`")
        })
    }

    /// The algorithm that a key of its kind is for if nobody says so. RFC 9068, section 2.1: of those
    /// for RSA, every issuer knows RS256.
    fn usual_algorithm(&self) -> Option<Algorithm> {
        match (self.text("kty"), self.text("crv")) {
            ("RSA", _) => Some(Algorithm::RS256),
            ("EC", "P-256") => Some(Algorithm::ES256),
            ("EC", "P-384") => Some(Algorithm::ES384),
            ("OKP", "Ed25519") => Some(Algorithm::EdDSA),
            _ => None,
        }
    }

    /// RFC 7517, sections 4.2 and 4.3: what the key is for. Of a set of keys it may be the wrong one.
    fn check_use(&self) -> Result<(), String> {
        if self.text("use") == "enc" {
            return Err("is a JWK for encryption (`use`); give the one that signs".into());
        }
        let operations = self.0.get("key_ops").and_then(Value::as_array);
        match operations {
            Some(operations) if !operations.iter().any(|operation| operation == "verify") => Err(
                "is a JWK whose `key_ops` do not hold `verify`; give the one that signs, and if this is the one, without `key_ops`".into(),
            ),
            _ => Ok(()),
        }
    }

    fn material(&self) -> Result<Material, String> {
        let public = match (self.text("kty"), self.text("crv")) {
            ("oct", _) => {
                let secret = self.bytes("k")?;
                return match not_a_secret::key_in_bytes(&secret) {
                    Some(_) => Err("is a JWK of a shared secret whose bytes are a public key, with which anybody could sign; give the JWK of that key".into()),
                    None => Ok(Material::Secret(secret)),
                };
            }
            ("RSA", _) => PublicKey::rsa(&self.bytes("n")?, &self.bytes("e")?),
            ("EC", "P-256") => self.point(Curve::P256)?,
            ("EC", "P-384") => self.point(Curve::P384)?,
            ("EC", _) => PublicKey::Ec { curve: Curve::Other, point: Vec::new() },
            ("OKP", "Ed25519") => PublicKey::Ed25519(self.bytes("x")?),
            _ => PublicKey::Other,
        };
        Ok(Material::Public(public))
    }

    /// RFC 7518, section 6.2.1: the coordinates, as an uncompressed point has them.
    fn point(&self, curve: Curve) -> Result<PublicKey, String> {
        let point = [vec![0x04], self.bytes("x")?, self.bytes("y")?].concat();
        Ok(PublicKey::Ec { curve, point })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn mistake(text: &str, named: &str) -> String {
        let named = (!named.is_empty()).then(|| algorithm(named).unwrap());
        let what = read(text, named, "ITS_ALG").map(|(algorithm, _)| algorithm).unwrap_err();
        assert!(!what.contains("c2VjcmV0"), "{what}");
        what
    }

    #[test]
    fn a_jwk_and_its_variable_agree() {
        let jwk = r#"{"kty": "oct", "alg": "HS256", "k": "c2VjcmV0"}"#;
        assert!(mistake(jwk, "HS512").contains("for HS256"));
        for (kind, such_as) in
            [("oct", "HS256"), ("RSA", "RS256"), ("OKP", "EdDSA"), ("EC", "ES256")]
        {
            let what = mistake(&format!(r#"{{"kty": "{kind}"}}"#), "");
            assert!(what.contains("without `alg`") && what.ends_with(such_as), "{what}");
        }
        assert!(mistake(r#"{"kty": "EC", "alg": "ES512"}"#, "").contains("not supported"));
        for json in ["{}", r#"{"PublicKey": "c2VjcmV0"}"#, r#"{"kty": 1}"#] {
            assert!(mistake(json, "ES256").contains("no JWK"), "{json}");
        }
        assert!(mistake(r#"{"keys": []}"#, "").contains("set of JWKs"));
        assert!(mistake("{c2VjcmV0", "").contains("is not JSON"));
    }

    #[test]
    fn ed25519_has_two_names() {
        for own in ["EdDSA", "Ed25519"] {
            let jwk = format!(r#"{{"kty": "OKP", "crv": "Ed25519", "alg": "{own}", "x": "AQAB"}}"#);
            for named in [None, Some(Algorithm::EdDSA)] {
                assert!(matches!(read(&jwk, named, ""), Ok((Algorithm::EdDSA, _))), "{own}");
            }
        }
    }

    #[test]
    fn a_private_key_is_named() {
        assert!(mistake(r#"{"kty": "EC", "d": "c2VjcmV0"}"#, "ES256").contains("without `d`"));
        assert!(mistake(r#"{"kty": "OKP", "d": "c2VjcmV0"}"#, "").contains("without `d`"));
    }

    #[test]
    fn a_key_for_something_else_is_named() {
        let with = |members: &str| format!(r#"{{"kty": "oct", "k": "c2VjcmV0", {members}}}"#);
        for (members, named) in [
            (r#""use": "enc""#, "`use`"),
            (r#""key_ops": ["sign"]"#, "`key_ops`"),
            (r#""key_ops": ["encrypt", "wrapKey"]"#, "`key_ops`"),
            (r#""key_ops": []"#, "`key_ops`"),
        ] {
            assert!(mistake(&with(members), "HS256").contains(named), "{members}");
        }
        for members in
            [r#""use": "sig""#, r#""key_ops": ["verify"]"#, r#""key_ops": ["sign", "verify"]"#]
        {
            assert!(read(&with(members), Some(Algorithm::HS256), "").is_ok(), "{members}");
        }
    }

    #[test]
    fn bytes_are_base64url_without_padding() {
        for k in ["c2VjcmV0cw==", "+/8", "c2VjcmV0 "] {
            let what = mistake(&format!(r#"{{"kty": "oct", "k": "{k}"}}"#), "HS256");
            assert!(what.contains("whose `k`") && what.contains("no `=`"), "{what}");
        }
        for jwk in [
            r#"{"kty": "oct"}"#,
            r#"{"kty": "oct", "k": ["c2VjcmV0"]}"#,
            r#"{"kty": "oct", "k": ""}"#,
        ] {
            assert!(mistake(jwk, "HS256").contains("without `k`"), "{jwk}");
        }
    }
}
