//! `token`: access tokens for both generations of the protocol.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, anyhow, bail};
use cinnabar_core::config::{self, own_issuer};
use clap::{Args, ValueEnum};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Map, Value, json};

/// The `type` of a Mercure authorization detail (draft-08, "Authorization Details").
const DETAIL_TYPE: &str = "https://mercure.rocks/authorization-detail";

/// The variables of a hub, and their values.
pub type Variables = BTreeMap<String, String>;

/// A generation of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Generation {
    /// `at+jwt` with authorization details (draft-08)
    #[value(name = "1.0")]
    V1,
    /// JWT with a `mercure` claim
    #[value(name = "0.x")]
    V0,
}

/// What the token says, and which key signs it.
#[derive(Args, Clone, Debug)]
pub struct Arguments {
    /// Topics that may be published to; `*` is every topic
    #[arg(long, value_name = "TOPIC", num_args = 1..)]
    pub publish: Vec<String>,

    /// Topics whose private updates may be read; `*` is every topic
    #[arg(long, value_name = "TOPIC", num_args = 1..)]
    pub subscribe: Vec<String>,

    /// The payload of the subscriptions: a JSON object (0.x: any JSON)
    #[arg(long, value_name = "JSON")]
    pub payload: Option<String>,

    /// How long the token is valid, such as 90s, 15m, 1h or 30d
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = seconds)]
    pub expires: u64,

    /// The secret for HS*, or a file with a private key in PEM [default:
    /// MERCURE_PUBLISHER_JWT_KEY, or MERCURE_SUBSCRIBER_JWT_KEY where nothing may be published]
    // What looks like an option may be a secret, and would be shown.
    #[arg(long, allow_hyphen_values = true)]
    pub key: Option<String>,

    /// HS256, RS256, ES256 and so on [default: MERCURE_PUBLISHER_JWT_ALG or
    /// MERCURE_SUBSCRIBER_JWT_ALG, else HS256]
    #[arg(long, value_parser = algorithm)]
    pub algorithm: Option<Algorithm>,

    /// The generation of the protocol; a hub accepts 1.0 once MERCURE_TRUSTED_ISSUERS is set
    #[arg(long, value_enum, default_value_t = Generation::V0)]
    pub generation: Generation,

    /// The `iss` of a 1.0 token [default: MERCURE_TRUSTED_ISSUERS]
    #[arg(long)]
    pub issuer: Option<String>,

    /// The `aud` of a 1.0 token: the hub's URL [default: HUB_URL]
    #[arg(long)]
    pub audience: Vec<String>,

    /// The `sub` and `client_id` of a 1.0 token
    #[arg(long, default_value = "cinnabar-token")]
    pub subject: String,
}

impl Arguments {
    /// The variable with the key that signs: a token that can publish is a publisher's.
    #[must_use]
    pub fn key_variable(&self) -> &'static str {
        if self.publish.is_empty() {
            "MERCURE_SUBSCRIBER_JWT_KEY"
        } else {
            "MERCURE_PUBLISHER_JWT_KEY"
        }
    }

    fn algorithm_variable(&self) -> &'static str {
        if self.publish.is_empty() {
            "MERCURE_SUBSCRIBER_JWT_ALG"
        } else {
            "MERCURE_PUBLISHER_JWT_ALG"
        }
    }
}

/// Prints a token for the hub with these variables.
///
/// # Errors
///
/// It would grant nothing, or as [`mint`].
pub fn run(arguments: &Arguments, variables: Variables) -> Result<()> {
    if arguments.publish.is_empty() && arguments.subscribe.is_empty() {
        bail!("the token would grant nothing: name topics with --publish or --subscribe");
    }
    println!("{}", mint(arguments, variables)?);
    Ok(())
}

/// Signs a token for the hub with these variables, of which those count that the arguments do not
/// override.
///
/// Whoever calls has chosen jsonwebtoken's cryptography: at its first use it panics if several
/// providers are linked and none was installed.
///
/// # Errors
///
/// An argument or a variable is missing or wrong.
pub fn mint(arguments: &Arguments, variables: Variables) -> Result<String> {
    let mut variables = config::by_todays_names(variables);
    variables.retain(|_, value| !value.is_empty());
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let (kind, claims) = match arguments.generation {
        Generation::V1 => ("at+jwt", claims_v1(arguments, &variables, now)?),
        Generation::V0 => ("JWT", claims_v0(arguments, now)?),
    };
    let algorithm = match (arguments.algorithm, variables.get(arguments.algorithm_variable())) {
        (Some(algorithm), _) => algorithm,
        (None, Some(name)) => algorithm(name.trim()).map_err(anyhow::Error::msg)?,
        (None, None) => Algorithm::HS256,
    };
    let mut header = Header::new(algorithm);
    header.typ = Some(kind.to_owned());
    jsonwebtoken::encode(&header, &claims, &key(arguments, &variables, algorithm)?)
        .context("cannot sign the token")
}

fn algorithm(name: &str) -> Result<Algorithm, String> {
    config::algorithm(name).map_err(|what| format!("it is {what}"))
}

/// draft-08, "Token Validation" and "Authorization Details"; RFC 9068, section 2.2.
fn claims_v1(arguments: &Arguments, variables: &Variables, now: u64) -> Result<Value> {
    let (hub_url, trusted) = (variables.get("HUB_URL"), variables.get("MERCURE_TRUSTED_ISSUERS"));
    let audience = match (arguments.audience.as_slice(), hub_url) {
        ([], Some(url)) => json!(url.trim()),
        ([], None) => bail!(
            "a 1.0 token names its hub: give the hub's URL with --audience, or set HUB_URL to it"
        ),
        ([one], _) => json!(one),
        (several, _) => json!(several),
    };
    let issuer = match (&arguments.issuer, trusted) {
        (Some(issuer), _) => issuer,
        (None, Some(trusted)) => own_issuer(trusted).with_context(|| {
            "MERCURE_TRUSTED_ISSUERS is a list: choose one of its issuers with --issuer, and give its --key"
        })?,
        (None, None) => bail!(
            "a 1.0 token names who issued it: give one of the hub's MERCURE_TRUSTED_ISSUERS with --issuer, or set that variable"
        ),
    };
    let mut details = Vec::new();
    for (action, topics) in [("publish", &arguments.publish), ("subscribe", &arguments.subscribe)] {
        if topics.is_empty() {
            continue;
        }
        let topics: Vec<Value> = topics.iter().map(|topic| json!({"match": topic})).collect();
        let mut detail = json!({"type": DETAIL_TYPE, "actions": [action], "topics": topics});
        if let (Some(payload), "subscribe") = (payload(arguments)?, action) {
            if !payload.is_object() {
                bail!("--payload must be a JSON object in protocol 1.0");
            }
            detail["payload"] = payload;
        }
        details.push(detail);
    }
    Ok(json!({
        "iss": issuer,
        "aud": audience,
        "exp": now.saturating_add(arguments.expires),
        "iat": now,
        "sub": arguments.subject,
        "client_id": arguments.subject,
        "jti": uuid::Uuid::new_v4().to_string(),
        "authorization_details": details,
    }))
}

fn claims_v0(arguments: &Arguments, now: u64) -> Result<Value> {
    let mut mercure = Map::new();
    for (action, topics) in [("publish", &arguments.publish), ("subscribe", &arguments.subscribe)] {
        if !topics.is_empty() {
            mercure.insert(action.to_owned(), json!(topics));
        }
    }
    if let Some(payload) = payload(arguments)? {
        mercure.insert("payload".to_owned(), payload);
    }
    Ok(json!({"mercure": mercure, "exp": now.saturating_add(arguments.expires)}))
}

fn payload(arguments: &Arguments) -> Result<Option<Value>> {
    let Some(text) = &arguments.payload else { return Ok(None) };
    Ok(Some(serde_json::from_str(text).context("--payload is not JSON")?))
}

fn key(arguments: &Arguments, variables: &Variables, algorithm: Algorithm) -> Result<EncodingKey> {
    let variable = arguments.key_variable();
    let Some(secret) = arguments.key.as_ref().or_else(|| variables.get(variable)) else {
        bail!("there is no key to sign with: set {variable}, or give the key with --key");
    };
    if arguments.key.is_none() && !is_shared(algorithm) {
        bail!(
            "{variable} is what the hub verifies {algorithm:?} with; to sign, give the file of the private key with --key"
        );
    }
    let pem = || std::fs::read(secret).context("--key: cannot read the private key's file");
    let key = match algorithm {
        shared if is_shared(shared) => {
            if Path::new(secret).is_file() || secret.ends_with(".pem") {
                bail!(
                    "--key is a file, but {algorithm:?} signs with a shared secret; name the algorithm of the file's key, such as --algorithm ES256"
                );
            }
            let secret = config::shared_secret(secret).map_err(|what| {
                anyhow!(
                    "{algorithm:?} signs with a shared secret, and this key {what}; to sign with a private key, give its file with --key FILE --algorithm ES256"
                )
            })?;
            return Ok(EncodingKey::from_secret(secret.as_bytes()));
        }
        Algorithm::ES256 | Algorithm::ES384 => EncodingKey::from_ec_pem(&pem()?),
        Algorithm::EdDSA => EncodingKey::from_ed_pem(&pem()?),
        _ => EncodingKey::from_rsa_pem(&pem()?),
    };
    key.with_context(|| {
        format!(
            "--key: not a private key for {:?} in PEM; `openssl pkcs8 -topk8 -nocrypt -in KEY` converts one from other forms",
            algorithm
        )
    })
}

fn is_shared(algorithm: Algorithm) -> bool {
    matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512)
}

fn seconds(text: &str) -> Result<u64, String> {
    let units = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];
    units
        .iter()
        .find_map(|(unit, seconds)| {
            let count: u64 = text.strip_suffix(unit)?.parse().ok()?;
            count.checked_mul(*seconds)
        })
        .ok_or_else(|| "give a number and a unit, such as 90s, 15m, 1h or 30d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments() -> Arguments {
        Arguments {
            publish: vec!["*".to_owned()],
            subscribe: vec!["/a".to_owned()],
            payload: Some("{\"name\":\"Ann\"}".to_owned()),
            expires: 60,
            key: Some("k".repeat(32)),
            algorithm: Some(Algorithm::HS256),
            generation: Generation::V1,
            issuer: Some("https://issuer.example".to_owned()),
            audience: vec!["https://hub.example/.well-known/mercure".to_owned()],
            subject: "someone".to_owned(),
        }
    }

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn minted(arguments: &Arguments, pairs: &[(&str, &str)]) -> Result<String> {
        let _ = jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER.install_default();
        mint(arguments, variables(pairs))
    }

    fn refused(arguments: &Arguments, pairs: &[(&str, &str)]) -> String {
        format!("{:#}", minted(arguments, pairs).unwrap_err())
    }

    #[test]
    fn a_token_of_1_0_has_every_claim() {
        let claims = claims_v1(&arguments(), &Variables::new(), 1_000).unwrap();
        assert_eq!(claims["exp"], 1_060);
        assert_eq!(claims["aud"], "https://hub.example/.well-known/mercure");
        let details = claims["authorization_details"].as_array().unwrap();
        assert_eq!(details[0]["actions"], json!(["publish"]));
        assert_eq!(details[0].get("payload"), None);
        assert_eq!(details[1]["topics"], json!([{"match": "/a"}]));
        assert_eq!(details[1]["payload"]["name"], "Ann");
        assert!(claims["jti"].is_string() && claims["sub"] == claims["client_id"]);
    }

    #[test]
    fn a_token_of_0_x_has_the_mercure_claim() {
        let claims = claims_v0(&arguments(), 1_000).unwrap();
        assert_eq!(claims["mercure"]["publish"], json!(["*"]));
        assert_eq!(claims["mercure"]["payload"]["name"], "Ann");
    }

    #[test]
    fn the_header_tells_the_generation() {
        let kind = |generation| {
            let token = minted(&Arguments { generation, ..arguments() }, &[]).unwrap();
            jsonwebtoken::decode_header(&token).unwrap().typ.unwrap()
        };
        assert_eq!(kind(Generation::V1), "at+jwt");
        assert_eq!(kind(Generation::V0), "JWT");
    }

    #[test]
    fn a_file_or_a_public_key_is_no_secret() {
        for key in ["Cargo.toml", "missing.pem", "-----BEGIN PUBLIC KEY-----", "{}"] {
            let arguments = Arguments { key: Some(key.to_owned()), ..arguments() };
            let told = refused(&arguments, &[]);
            assert!(!told.contains(key), "{told}");
        }
        let arguments = Arguments { key: Some("${JWT_KEY}".to_owned()), ..arguments() };
        let told = refused(&arguments, &[]);
        assert!(told.contains("is a placeholder"), "{told}");
    }

    #[test]
    fn what_is_not_said_is_the_hubs() {
        let bare = Arguments { key: None, issuer: None, audience: Vec::new(), ..arguments() };
        let hub = [
            // By an older name.
            ("JWT_KEY", "a publisher's key of thirty-two bytes"),
            ("HUB_URL", "https://hub.example/hub"),
            ("MERCURE_TRUSTED_ISSUERS", "https://issuer.example"),
        ];
        assert!(minted(&bare, &hub).is_ok());
        let claims = claims_v1(&bare, &variables(&hub), 1_000).unwrap();
        assert_eq!(claims["aud"], "https://hub.example/hub");
        assert_eq!(claims["iss"], "https://issuer.example");
        for (missing, option) in [(0, "--key"), (1, "--audience"), (2, "--issuer")] {
            let mut rest = hub.to_vec();
            let (name, _) = rest.remove(missing);
            let told = refused(&bare, &rest);
            assert!(told.contains(option), "{told}");
            // Set to nothing, it is not set.
            rest.push((name, ""));
            assert_eq!(refused(&bare, &rest), told);
        }
        let list = r#"[{"issuer": "https://a", "key": "a secret of at least thirty-two bytes"}]"#;
        let told = refused(&bare, &[hub[0], hub[1], ("MERCURE_TRUSTED_ISSUERS", list)]);
        assert!(told.contains("is a list"), "{told}");
    }

    #[test]
    fn a_hubs_public_key_does_not_sign() {
        let bare =
            Arguments { key: None, algorithm: None, generation: Generation::V0, ..arguments() };
        let hub = [
            ("MERCURE_PUBLISHER_JWT_KEY", "-----BEGIN PUBLIC KEY-----"),
            ("MERCURE_PUBLISHER_JWT_ALG", "ES256"),
        ];
        let told = refused(&bare, &hub);
        assert!(told.contains("give the file of the private key with --key"), "{told}");
    }

    #[test]
    fn durations() {
        assert_eq!(seconds("90s"), Ok(90));
        assert_eq!(seconds("2d"), Ok(172_800));
        assert!(seconds("1").is_err() && seconds("h").is_err());
    }
}
