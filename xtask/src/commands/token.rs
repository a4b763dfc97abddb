//! `token`: access tokens for both generations of the protocol.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, anyhow, bail};
use cinnabar_core::config::{self, own_issuer};
use clap::{Args, ValueEnum};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Map, Value, json};

use crate::hubs::configuration::{self, DEVELOPMENT_ISSUER, DEVELOPMENT_KEY};

/// The `type` of a Mercure authorization detail (draft-08, "Authorization Details").
const DETAIL_TYPE: &str = "https://mercure.rocks/authorization-detail";

/// A generation of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Generation {
    /// `at+jwt` with authorization details (draft-08)
    #[value(name = "1.0")]
    V1,
    /// JWT with a `mercure` claim
    #[value(name = "0.x")]
    V0,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Arguments {
    /// Topics that may be published to; `*` is every topic
    #[arg(long, value_name = "TOPIC", num_args = 1..)]
    pub(crate) publish: Vec<String>,

    /// Topics whose private updates may be read; `*` is every topic
    #[arg(long, value_name = "TOPIC", num_args = 1..)]
    pub(crate) subscribe: Vec<String>,

    /// The payload of the subscriptions: a JSON object (0.x: any JSON)
    #[arg(long, value_name = "JSON")]
    pub(crate) payload: Option<String>,

    /// How long the token is valid, such as 90s, 15m, 1h or 30d
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = seconds)]
    pub(crate) expires: u64,

    /// The secret for HS*, or a file with a private key in PEM [default: the role's variable in the
    /// environment, else the development key]
    // What looks like an option may be a secret, and would be shown.
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) key: Option<String>,

    /// HS256, RS256, ES256 and so on [default: the role's variable in the environment, else HS256]
    #[arg(long, value_parser = algorithm)]
    pub(crate) algorithm: Option<Algorithm>,

    /// The generation of the protocol; a hub accepts 1.0 once MERCURE_TRUSTED_ISSUERS is set
    #[arg(long, value_enum, default_value_t = Generation::V0)]
    pub(crate) generation: Generation,

    /// The `iss` of a 1.0 token [default: MERCURE_TRUSTED_ISSUERS, else, without --key, the
    /// development issuer]
    #[arg(long)]
    pub(crate) issuer: Option<String>,

    /// The `aud` of a 1.0 token: the hub's URL [default: HUB_URL, else, without --key,
    /// http://localhost:8787/…]
    #[arg(long)]
    pub(crate) audience: Vec<String>,

    /// The `sub` and `client_id` of a 1.0 token
    #[arg(long, default_value = "cargo-xtask-token")]
    pub(crate) subject: String,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    if arguments.publish.is_empty() && arguments.subscribe.is_empty() {
        bail!("the token would grant nothing: name topics with --publish or --subscribe");
    }
    println!("{}", mint(arguments)?);
    Ok(())
}

/// Signs the token.
pub(crate) fn mint(arguments: &Arguments) -> Result<String> {
    // jsonwebtoken panics at its first use if several providers are linked and none was chosen.
    // Choosing fails only if one has been chosen already.
    let _ = jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER.install_default();
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let (kind, claims) = match arguments.generation {
        Generation::V1 => ("at+jwt", claims_v1(arguments, now)?),
        Generation::V0 => ("JWT", claims_v0(arguments, now)?),
    };
    let algorithm = match arguments.algorithm {
        Some(algorithm) => algorithm,
        None => match set(&format!("MERCURE_{}_JWT_ALG", role(arguments))) {
            Some(name) => algorithm(name.trim()).map_err(anyhow::Error::msg)?,
            None => Algorithm::HS256,
        },
    };
    let mut header = Header::new(algorithm);
    header.typ = Some(kind.to_owned());
    jsonwebtoken::encode(&header, &claims, &key(arguments, algorithm)?)
        .context("cannot sign the token")
}

fn algorithm(name: &str) -> Result<Algorithm, String> {
    config::algorithm(name).map_err(|what| format!("it is {what}"))
}

/// The role whose key signs: a token that can publish is a publisher's.
fn role(arguments: &Arguments) -> &'static str {
    if arguments.publish.is_empty() { "SUBSCRIBER" } else { "PUBLISHER" }
}

/// A variable of the environment, perhaps by its older name, unless it is empty.
fn set(name: &str) -> Option<String> {
    let mut variables = config::by_todays_names(configuration::environment());
    variables.remove(name).filter(|value| !value.is_empty())
}

/// draft-08, "Token Validation" and "Authorization Details"; RFC 9068, section 2.2.
fn claims_v1(arguments: &Arguments, now: u64) -> Result<Value> {
    let (hub_url, trusted) = (set("HUB_URL"), set("MERCURE_TRUSTED_ISSUERS"));
    let is_named = (!arguments.audience.is_empty() || hub_url.is_some())
        && (arguments.issuer.is_some() || trusted.is_some());
    if arguments.key.is_some() && !is_named {
        bail!(
            "a 1.0 token for the hub of this --key needs its --audience, the hub's URL, and its --issuer, which the hub has in MERCURE_TRUSTED_ISSUERS"
        );
    }
    let audience = match arguments.audience.as_slice() {
        [] => json!(hub_url.unwrap_or_else(|| configuration::hub_url(configuration::PORT))),
        [one] => json!(one),
        several => json!(several),
    };
    let trusted = trusted.unwrap_or_else(|| DEVELOPMENT_ISSUER.to_owned());
    let Some(issuer) = arguments.issuer.as_deref().or_else(|| own_issuer(&trusted)) else {
        bail!(
            "MERCURE_TRUSTED_ISSUERS is a list: choose one of its issuers with --issuer, and give its --key"
        );
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
        "exp": now + arguments.expires,
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
    Ok(json!({"mercure": mercure, "exp": now + arguments.expires}))
}

fn payload(arguments: &Arguments) -> Result<Option<Value>> {
    let Some(text) = &arguments.payload else { return Ok(None) };
    Ok(Some(serde_json::from_str(text).context("--payload is not JSON")?))
}

fn key(arguments: &Arguments, algorithm: Algorithm) -> Result<EncodingKey> {
    let variable = format!("MERCURE_{}_JWT_KEY", role(arguments));
    let secret = arguments.key.clone().or_else(|| set(&variable)).unwrap_or_else(|| {
        if let Some(ignored) = configuration::ignored_secret() {
            eprintln!("{ignored}");
        }
        eprintln!("signed with the development key; for a deployed hub, give its key with --key");
        DEVELOPMENT_KEY.to_owned()
    });
    let pem = || std::fs::read(&secret).context("--key: cannot read the private key's file");
    let key = match algorithm {
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => {
            if Path::new(&secret).is_file() || secret.ends_with(".pem") {
                bail!(
                    "--key is a file, but {algorithm:?} signs with a shared secret; name the algorithm of the file's key, such as --algorithm ES256"
                );
            }
            let secret = config::shared_secret(&secret).map_err(|what| {
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

    #[test]
    fn a_token_of_1_0_has_every_claim() {
        let claims = claims_v1(&arguments(), 1_000).unwrap();
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
            let token = mint(&Arguments { generation, ..arguments() }).unwrap();
            jsonwebtoken::decode_header(&token).unwrap().typ.unwrap()
        };
        assert_eq!(kind(Generation::V1), "at+jwt");
        assert_eq!(kind(Generation::V0), "JWT");
    }

    #[test]
    fn a_file_or_a_public_key_is_no_secret() {
        for key in ["Cargo.toml", "missing.pem", "-----BEGIN PUBLIC KEY-----", "{}"] {
            let arguments = Arguments { key: Some(key.to_owned()), ..arguments() };
            let told = format!("{:#}", mint(&arguments).unwrap_err());
            assert!(!told.contains(key), "{told}");
        }
        let arguments = Arguments { key: Some("${JWT_KEY}".to_owned()), ..arguments() };
        let told = mint(&arguments).unwrap_err().to_string();
        assert!(told.contains("is a placeholder"), "{told}");
    }

    #[test]
    fn a_token_for_another_hub_names_it() {
        let without = |arguments| claims_v1(&arguments, 1_000).unwrap_err().to_string();
        for arguments in [
            Arguments { issuer: None, ..arguments() },
            Arguments { audience: Vec::new(), ..arguments() },
        ] {
            let told = without(arguments);
            assert!(told.contains("--audience") && told.contains("--issuer"), "{told}");
        }
        let arguments = Arguments { key: None, issuer: None, audience: Vec::new(), ..arguments() };
        assert_eq!(claims_v1(&arguments, 1_000).unwrap()["iss"], DEVELOPMENT_ISSUER);
    }

    #[test]
    fn durations() {
        assert_eq!(seconds("90s"), Ok(90));
        assert_eq!(seconds("2d"), Ok(172_800));
        assert!(seconds("1").is_err() && seconds("h").is_err());
    }
}
