//! Tokens of both protocol generations, and anything else that can be signed with HS256.
//!
//! They are signed here rather than by a JWT library, since most cases need a token that a library
//! would refuse to make.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

/// The `type` of a Mercure authorization detail (draft-08, "Authorization Details").
pub(crate) const DETAIL: &str = "https://mercure.rocks/authorization-detail";

/// The two generations of the protocol that a hub serves at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Generation {
    /// Before draft-08: any JWT with a `mercure` claim.
    V0,
    /// draft-08: an RFC 9068 `at+jwt` with `authorization_details`.
    V1,
}

impl Generation {
    pub(crate) const BOTH: [Self; 2] = [Self::V0, Self::V1];
}

/// The current time in seconds since the Unix epoch.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970").as_secs()
}

/// A JWS in compact serialization: this header, these claims, HMAC with SHA-256.
pub(crate) fn sign(header: &Value, claims: &Value, key: &str) -> String {
    sign_bytes(header.to_string(), claims.to_string(), key)
}

/// As [`sign`], for bytes that need not be JSON.
pub(crate) fn sign_bytes(header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>, key: &str) -> String {
    let signed = format!("{}.{}", base64(header), base64(claims));
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(signed.as_bytes());
    format!("{signed}.{}", base64(mac.finalize().into_bytes()))
}

/// base64url without padding, as in JWS.
pub(crate) fn base64(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// The header of a 0.x token.
pub(crate) fn header_v0() -> Value {
    json!({"alg": "HS256", "typ": "JWT"})
}

/// The header of a 1.0 token.
pub(crate) fn header_v1() -> Value {
    json!({"alg": "HS256", "typ": "at+jwt"})
}

/// A Mercure authorization detail that grants one action on exact topics (or `*`).
pub(crate) fn detail(action: &str, topics: &[&str]) -> Value {
    let topics: Vec<Value> = topics.iter().map(|topic| json!({"match": topic})).collect();
    json!({"type": DETAIL, "actions": [action], "topics": topics})
}
