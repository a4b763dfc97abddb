//! Keys as configurations write them: a shared secret, a public key in PEM, or a JWK.
//!
//! What a key may be used for is settled here: it is bound to one algorithm, and a key of the wrong
//! kind for that algorithm is a mistake. A public key mistaken for a shared secret would let
//! anybody sign.

use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};

use crate::trust::jwk::{self, Material};
use crate::trust::key::Key;
use crate::trust::public_key::needed_by;
use crate::trust::weakness::{Weakness, short, weaknesses};
use crate::trust::{not_a_secret, pem};

/// A key, and what is weak about it.
#[derive(Debug)]
pub(crate) struct KeyAndWeaknesses {
    pub(crate) key: Key,
    pub(crate) weaknesses: Vec<Weakness>,
}

impl KeyAndWeaknesses {
    fn secret(secret: &[u8], algorithm: Algorithm) -> Self {
        let weaknesses = weaknesses(secret, algorithm);
        Self { key: Key::new(algorithm, DecodingKey::from_secret(secret)), weaknesses }
    }

    fn public(algorithm: Algorithm, key: DecodingKey) -> Self {
        Self { key: Key::new(algorithm, key), weaknesses: Vec::new() }
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
    if is_pem(trimmed) {
        let key = pem::public_key(trimmed)?;
        let Some(algorithm) = named else {
            return Err(format!(
                "is a PEM key, which does not say its algorithm; name that in {naming}, such as RS256 or ES256"
            ));
        };
        return key.decoding_key(algorithm).map(|key| KeyAndWeaknesses::public(algorithm, key));
    }
    if is_jwk(trimmed) {
        return match jwk::read(trimmed, named, naming)? {
            (algorithm, Material::Secret(secret)) => secret_of_jwk(&secret, algorithm),
            (algorithm, Material::Public(key)) => {
                key.decoding_key(algorithm).map(|key| KeyAndWeaknesses::public(algorithm, key))
            }
        };
    }
    let secret = shared_secret(text)?;
    let algorithm = named.unwrap_or(Algorithm::HS256);
    if algorithm.family() != AlgorithmFamily::Hmac {
        return Err(format!(
            "is neither a PEM key nor a JWK, and {algorithm:?} needs {}; give it from `-----BEGIN PUBLIC KEY-----` on",
            needed_by(algorithm)
        ));
    }
    Ok(KeyAndWeaknesses::secret(secret.as_bytes(), algorithm))
}

/// Reads the key that was in use before another, whose algorithm is `named`: of its own algorithm, if
/// it is a JWK that says so.
///
/// # Errors
///
/// What is wrong, without any part of the key itself.
pub(crate) fn previous_key(
    text: &str,
    named: Option<Algorithm>,
    naming: &str,
) -> Result<KeyAndWeaknesses, String> {
    let names_its_own = is_jwk(text.trim()) && jwk::names_algorithm(text);
    key(text, named.filter(|_| !names_its_own), naming)
}

/// The shared secret that this text is, which signs tokens as well as verifying them.
///
/// # Errors
///
/// What it is instead, without any part of it, to be read after the name of a key.
pub fn shared_secret(text: &str) -> Result<&str, &'static str> {
    let trimmed = text.trim();
    if trimmed.starts_with('\u{feff}') {
        return Err(
            "begins with a byte order mark (U+FEFF), which editors do not show; save it as UTF-8 without one",
        );
    }
    if is_pem(trimmed) {
        return Err("is a key in PEM, and not a shared secret; give the secret itself");
    }
    if is_jwk(trimmed) {
        return Err("is a JWK, and not a shared secret as text; give the secret itself");
    }
    match not_a_secret::what(trimmed) {
        Some(what) => Err(what),
        None => Ok(without_line_break(text)),
    }
}

fn is_pem(text: &str) -> bool {
    text.starts_with("-----BEGIN")
}

fn is_jwk(text: &str) -> bool {
    text.starts_with('{') && not_a_secret::is_json(text)
}

/// Editors and `echo` end a file with a line break, and shells and wrangler take it away again.
fn without_line_break(text: &str) -> &str {
    text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line))
}

fn secret_of_jwk(secret: &[u8], algorithm: Algorithm) -> Result<KeyAndWeaknesses, String> {
    if algorithm.family() != AlgorithmFamily::Hmac {
        return Err(format!(
            "is a JWK of a shared secret (`oct`), and {algorithm:?} needs {}",
            needed_by(algorithm)
        ));
    }
    match short(secret, algorithm) {
        // A JWK is made by some tool, so a developer did not choose to have a short one.
        Some(what) => Err(what.to_string()),
        None => Ok(KeyAndWeaknesses::secret(secret, algorithm)),
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    use super::*;
    use crate::trust::algorithm::algorithm;
    use crate::trust::samples;

    fn p256() -> String {
        samples::pem("PUBLIC KEY", &samples::der(samples::P256))
    }

    /// What is wrong with a key; it never shows any part of the key itself.
    #[track_caller]
    fn mistake(text: &str, named: &str) -> String {
        let named = (!named.is_empty()).then(|| algorithm(named).unwrap());
        let what = key(text, named, "ITS_ALG").map(|read| read.key).unwrap_err();
        assert!(!what.contains("MFkw") && !what.contains("c2VjcmV0"), "{what}");
        what
    }

    #[test]
    fn a_key_is_of_the_kind_that_its_algorithm_needs() {
        assert!(key(&p256(), Some(Algorithm::ES256), "").is_ok());
        for named in ["ES384", "RS256", "PS512", "EdDSA", "Ed25519"] {
            let what = mistake(&p256(), named);
            assert!(what.starts_with("is a public key of the curve P-256, and"), "{what}");
        }
        assert!(mistake("a secret", "RS256").contains("needs a public RSA key"));
        assert!(mistake(r#"{"kty": "oct", "k": "c2VjcmV0"}"#, "ES256").contains("P-256"));
        assert!(
            mistake(r#"{"kty": "OKP", "crv": "X25519", "x": "AA"}"#, "EdDSA").contains("Ed25519")
        );
        assert!(mistake(r#"{"kty": "RSA", "n": "AQAB", "e": "AQAB"}"#, "RS256").contains("2048"));
    }

    #[test]
    fn a_public_key_is_never_a_secret() {
        for named in ["HS256", "HS384", "HS512"] {
            assert!(mistake(&p256(), named).contains("would let anybody sign"), "{named}");
        }
        assert!(mistake(&p256(), "").contains("in ITS_ALG"));
        for text in [
            STANDARD.encode(p256()),
            samples::P256.to_owned(),
            format!("[{}]", samples::rsa_jwk(2048, &[1, 0, 1])),
            "/run/secrets/key".to_owned(),
        ] {
            assert_eq!(shared_secret(&text).err(), not_a_secret::what(&text));
            for named in ["", "HS256", "ES256"] {
                let what = mistake(&text, named);
                assert_eq!(Some(&*what), not_a_secret::what(&text), "{text}");
            }
        }
        let k = URL_SAFE_NO_PAD.encode(p256());
        let disguised = format!(r#"{{"kty": "oct", "alg": "HS256", "k": "{k}"}}"#);
        assert!(mistake(&disguised, "").contains("anybody could sign"));
    }

    #[test]
    fn a_byte_order_mark_is_named() {
        for text in [p256(), "{}".to_owned(), "k".repeat(32)] {
            let text = format!("\u{feff}{text}");
            assert!(mistake(&text, "").contains("byte order mark"), "{text}");
            assert!(shared_secret(&text).is_err());
        }
    }

    #[test]
    fn one_line_break_at_the_end_is_no_part_of_a_secret() {
        let secret = "k".repeat(32);
        for end in ["", "\n", "\r\n"] {
            let text = format!("{secret}{end}");
            assert_eq!(shared_secret(&text), Ok(&*secret));
            assert_eq!(key(&text, None, "").unwrap().weaknesses, []);
        }
        for (around, kept) in [("\n\n", "\n"), (" ", " "), ("\r", "\r"), (" \n", " ")] {
            let text = format!("{secret}{around}");
            assert_eq!(shared_secret(&text), Ok(&*format!("{secret}{kept}")));
            assert_eq!(key(&text, None, "").unwrap().weaknesses, [Weakness::WhiteSpace]);
        }
    }

    #[test]
    fn nothing_is_no_secret() {
        for text in ["", "\n", "\r\n", " ", "\t\n", "\u{a0}", "\"\"", "''\n", "\u{feff}"] {
            for named in ["", "HS512", "ES256"] {
                assert!(!mistake(text, named).is_empty(), "{text:?}");
            }
            assert!(shared_secret(text).is_err(), "{text:?}");
        }
        assert!(mistake("\n", "").starts_with("is empty; "));
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
        let short = r#"{"kty": "oct", "alg": "HS256", "k": "c2VjcmV0"}"#;
        assert!(mistake(short, "").contains("shorter than 32"));
    }

    #[test]
    fn a_password_that_begins_like_a_jwk_is_a_secret() {
        assert!(key("{k3(xG7[pQ!zR]2vN)8wB+5yT}4mL-6jH", None, "").is_ok());
        assert!(mistake(r#"{"kty": c2VjcmV0"#, "").contains("is not JSON"));
    }
}
