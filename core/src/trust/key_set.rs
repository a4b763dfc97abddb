//! Sets of keys as issuers publish them (RFC 7517, section 5).
//!
//! A set is for all that an issuer does: beside the keys that sign tokens it holds keys for
//! encryption, and keys of kinds and algorithms that the hub does not know. Those are passed over, so
//! that a new kind of key does no harm to the others.

use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

use crate::trust::jwk;
use crate::trust::key::Key;

/// The most keys that a set may hold.
const MOST: usize = 100;

/// The most keys that are tried for one token.
const MOST_TRIED: usize = 4;

/// The keys of a set that verify tokens.
#[derive(Clone, Debug, Default)]
pub(super) struct KeySet {
    keys: Vec<PublishedKey>,
    passed_over: usize,
}

#[derive(Clone, Debug)]
struct PublishedKey {
    /// Its `kid`, if it has one.
    id: Option<String>,
    key: Key,
}

/// Why something is no set of keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoKeySet {
    #[error("it is not a JWK Set: a JSON object with a list of `keys`")]
    Shape,
    #[error("it holds {0} keys, and no more than {MOST} are taken")]
    TooMany(usize),
}

impl KeySet {
    /// Reads a set; of an issuer that signs with one `algorithm` alone, its keys.
    ///
    /// # Errors
    ///
    /// It is none, or is too large.
    pub(super) fn read(bytes: &[u8], algorithm: Option<Algorithm>) -> Result<Self, NoKeySet> {
        let set: Value = serde_json::from_slice(bytes).map_err(|_| NoKeySet::Shape)?;
        let all = set.get("keys").and_then(Value::as_array).ok_or(NoKeySet::Shape)?;
        if all.len() > MOST {
            return Err(NoKeySet::TooMany(all.len()));
        }
        let keys: Vec<_> =
            all.iter().filter_map(|key| PublishedKey::read(key, algorithm)).collect();
        Ok(Self { passed_over: all.len() - keys.len(), keys })
    }

    /// How many keys can verify tokens.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// How many cannot: for other uses, and of kinds and algorithms that the hub does not know.
    pub(super) fn passed_over(&self) -> usize {
        self.passed_over
    }

    /// Whether it holds a key with this `kid`.
    pub(super) fn has(&self, id: &str) -> bool {
        self.keys.iter().any(|key| key.id.as_deref() == Some(id))
    }

    /// The keys to try for a token: those of its algorithm, with its `kid` if it has one. A key that
    /// was published without may be meant, too, and comes after those that are.
    ///
    /// draft-08, "Token Validation": `kid` is a hint that chooses among trusted keys.
    pub(super) fn candidates(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> impl Iterator<Item = &Key> {
        let of_algorithm =
            move || self.keys.iter().filter(move |it| it.key.algorithm() == algorithm);
        let is_named = move |key: &&PublishedKey| id.is_some() && key.id.as_deref() == id;
        let may_be_meant = move |key: &&PublishedKey| id.is_none() || key.id.is_none();
        let candidates = of_algorithm().filter(is_named).chain(of_algorithm().filter(may_be_meant));
        candidates.map(|key| &key.key).take(MOST_TRIED)
    }
}

impl PublishedKey {
    fn read(jwk: &Value, algorithm: Option<Algorithm>) -> Option<Self> {
        let (algorithm, key): (Algorithm, DecodingKey) = jwk::published(jwk, algorithm)?;
        let id = jwk.get("kid").and_then(Value::as_str).map(str::to_owned);
        Some(Self { id, key: Key::new(algorithm, key) })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    fn ed25519(more: &Value) -> Value {
        let mut key = json!({"kty": "OKP", "crv": "Ed25519", "x": X});
        for (name, value) in more.as_object().unwrap() {
            key[name] = value.clone();
        }
        key
    }

    fn read(keys: &Value, algorithm: Option<Algorithm>) -> Result<KeySet, NoKeySet> {
        KeySet::read(json!({"keys": keys}).to_string().as_bytes(), algorithm)
    }

    fn tried(set: &KeySet, id: Option<&str>, algorithm: Algorithm) -> usize {
        set.candidates(id, algorithm).count()
    }

    #[test]
    fn keys_for_other_things_are_passed_over() {
        let n = "x".repeat(342);
        let set = read(
            &json!([
                ed25519(&json!({"kid": "good"})),
                ed25519(&json!({"use": "enc"})),
                ed25519(&json!({"key_ops": ["sign"]})),
                ed25519(&json!({"alg": "ES256"})),
                ed25519(&json!({"alg": "ML-DSA-44"})),
                ed25519(&json!({"alg": 1})),
                ed25519(&json!({"d": X})),
                {"kty": "AKP", "alg": "ML-DSA-44", "pub": "x"},
                {"kty": "OKP", "crv": "Ed448", "x": X},
                {"kty": "OKP", "crv": "X25519", "x": X},
                {"kty": "EC", "crv": "P-521", "x": X, "y": X},
                {"kty": "EC", "crv": "P-256", "x": X},
                {"kty": "RSA", "n": n, "e": "AQ"},
                {"kty": "oct", "k": X, "alg": "HS256"},
                {"kty": "oct", "k": X},
                {"kty": 1},
                {},
                null,
                "key",
            ]),
            None,
        );
        let set = set.unwrap();
        assert_eq!((set.len(), set.passed_over()), (1, 18));
        assert!(set.has("good"));
    }

    #[test]
    fn a_key_without_an_algorithm_has_the_usual_one_of_its_kind_or_the_configured() {
        let n = "x".repeat(341) + "w";
        let keys = json!([
            {"kty": "RSA", "n": n, "e": "AQAB"},
            {"kty": "EC", "crv": "P-256", "x": X, "y": X},
            ed25519(&json!({})),
            ed25519(&json!({"alg": "Ed25519"})),
        ]);
        let set = read(&keys, None).unwrap();
        let of = |set: &KeySet, algorithm| tried(set, None, algorithm);
        use Algorithm::{ES256, EdDSA, PS256, RS256};
        assert_eq!([RS256, ES256, EdDSA, PS256].map(|it| of(&set, it)), [1, 1, 2, 0]);
        let set = read(&keys, Some(PS256)).unwrap();
        assert_eq!([RS256, ES256, EdDSA, PS256].map(|it| of(&set, it)), [0, 0, 0, 1]);
    }

    #[test]
    fn a_key_is_chosen_by_its_id_and_a_few_are_tried_without() {
        let mut keys: Vec<Value> =
            (0..6).map(|id| ed25519(&json!({"kid": id.to_string()}))).collect();
        let set = read(&json!(keys), None).unwrap();
        let tried_for = |set: &KeySet, id| tried(set, id, Algorithm::EdDSA);
        assert_eq!(tried_for(&set, Some("5")), 1);
        assert_eq!(tried_for(&set, Some("6")), 0);
        assert_eq!(tried_for(&set, None), MOST_TRIED);
        assert_eq!(tried(&set, Some("5"), Algorithm::ES256), 0);
        assert!(set.has("5") && !set.has("6"));
        keys.push(ed25519(&json!({})));
        let set = read(&json!(keys), None).unwrap();
        assert_eq!((tried_for(&set, Some("5")), tried_for(&set, Some("6"))), (2, 1));
    }

    #[test]
    fn a_named_key_is_tried_before_those_without_a_name() {
        let other = "AYGosms0F2LIl0uR9eAskcbZFcQIVSD1nMoyPcdqTV0";
        let mut keys = vec![ed25519(&json!({})); MOST_TRIED];
        keys.push(ed25519(&json!({"kid": "a", "x": other})));
        let set = read(&json!(keys), None).unwrap();
        let first = set.candidates(Some("a"), Algorithm::EdDSA).next().unwrap();
        assert!(std::ptr::eq(first, &raw const set.keys[MOST_TRIED].key));
    }

    #[test]
    fn a_set_is_an_object_with_a_list_of_no_more_than_a_hundred_keys() {
        for wrong in ["", "x", "[]", "{}", r#"{"keys": {}}"#, r#"{"keys": null}"#, "{\"keys\": [}"]
        {
            assert_eq!(
                KeySet::read(wrong.as_bytes(), None).unwrap_err(),
                NoKeySet::Shape,
                "{wrong}"
            );
        }
        assert!(read(&json!(vec![json!({}); 100]), None).is_ok());
        assert_eq!(read(&json!(vec![json!({}); 101]), None).unwrap_err(), NoKeySet::TooMany(101));
        assert_eq!(read(&json!([]), None).unwrap().len(), 0);
    }
}
