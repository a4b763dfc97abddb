//! What is printed of a hub in development: tokens for it, and lines to paste.

use anyhow::{Context as _, Result};
use cinnabar_core::{Config, config};

use crate::development::Variables;
use crate::shell::quote;
use crate::token::{self, Generation};

/// The topic of the printed examples.
const TOPIC: &str = "https://example.com/books/1";

/// A publisher's and a subscriber's token for each generation, or why there is none to print.
pub struct Tokens {
    publisher_1: Minted,
    subscriber_1: Minted,
    publisher_0x: Minted,
    subscriber_0x: Minted,
}

type Minted = std::result::Result<String, &'static str>;

impl Tokens {
    /// Signs those that the hub with these variables, at this URL, takes.
    ///
    /// # Errors
    ///
    /// A key cannot sign.
    pub fn mint(variables: &Variables, config: &Config, hub_url: &str) -> Result<Self> {
        let mint = |role, generation| mint(variables, config, hub_url, role, generation);
        Ok(Self {
            publisher_1: mint("PUBLISHER", Generation::V1)?,
            subscriber_1: mint("SUBSCRIBER", Generation::V1)?,
            publisher_0x: mint("PUBLISHER", Generation::V0)?,
            subscriber_0x: mint("SUBSCRIBER", Generation::V0)?,
        })
    }

    /// A token that can publish, if there is one.
    #[must_use]
    pub fn publisher(&self) -> Option<&str> {
        [&self.publisher_1, &self.publisher_0x].into_iter().flatten().next().map(String::as_str)
    }

    /// A token that can subscribe, if there is one.
    fn subscriber(&self) -> Option<&str> {
        [&self.subscriber_1, &self.subscriber_0x].into_iter().flatten().next().map(String::as_str)
    }

    /// What to print once the hub answers at this URL: `again` is the command that serves it.
    #[must_use]
    pub fn text(&self, config: &Config, hub_url: &str, again: &str) -> String {
        let shown = |minted: &Minted| match minted {
            Ok(token) => token.clone(),
            Err(why) => format!("(none: {why})"),
        };
        let publisher = self.publisher().unwrap_or("<token of a publisher>");
        let mut subscribe = quote(&format!("{hub_url}?{}={TOPIC}", parameter(config)));
        if !config.is_anonymous() {
            let token = self.subscriber().unwrap_or("<token of a subscriber>");
            subscribe += &format!(" -H 'Authorization: Bearer {token}'");
        }
        let debugger = match config.has_debugger() {
            true => format!("\nA page to look with: {hub_url}/debug/"),
            false => String::new(),
        };
        format!(
            "
The hub answers at {hub_url}{debugger}

Tokens for every topic, valid for 30 days
  publisher, 1.0   {}
  publisher, 0.x   {}
  subscriber, 1.0  {}
  subscriber, 0.x  {}

Subscribe:
curl -N {subscribe}

Publish:
curl {hub_url} -H 'Authorization: Bearer {publisher}' -d topic={TOPIC} -d 'data={{\"title\":\"Piranesi\"}}'

To let your own pages subscribe: CORS_ORIGINS=http://localhost:3000 {again}
Press Ctrl-C to stop.",
            shown(&self.publisher_1),
            shown(&self.publisher_0x),
            shown(&self.subscriber_1),
            shown(&self.subscriber_0x)
        )
    }
}

/// The parameter that names a topic.
fn parameter(config: &Config) -> &'static str {
    if config.serves_v1() { "match" } else { "topic" }
}

/// A token for every topic, if the hub takes such tokens and has a secret to sign them with.
fn mint(
    variables: &Variables,
    config: &Config,
    hub_url: &str,
    role: &str,
    generation: Generation,
) -> Result<Minted> {
    match generation {
        Generation::V1 if !config.serves_v1() => return Ok(Err("PROTOCOL is 0.x")),
        Generation::V0 if !config.serves_v0() => return Ok(Err("PROTOCOL is 1.0")),
        _ => {}
    }
    let set = |name: &str| variables.get(name).filter(|value| !value.is_empty());
    let key = match set(&format!("MERCURE_{role}_JWT_KEY")) {
        Some(key) if config::shared_secret(key).is_ok() => key.clone(),
        Some(_) => {
            return Ok(Err(
                "the hub has a public key; sign with the private one: the command `token` with --key FILE --algorithm NAME --publish '*' --subscribe '*'",
            ));
        }
        None => return Ok(Err("the hub has no key for this role")),
    };
    let issuer = match (set("MERCURE_TRUSTED_ISSUERS"), generation) {
        (_, Generation::V0) => None,
        (None, Generation::V1) => return Ok(Err("MERCURE_TRUSTED_ISSUERS is empty")),
        (Some(trusted), Generation::V1) => match config::own_issuer(trusted) {
            Some(issuer) => Some(issuer.to_owned()),
            None => {
                return Ok(Err(
                    "MERCURE_TRUSTED_ISSUERS is a list of issuers with keys of their own",
                ));
            }
        },
    };
    let algorithm = set(&format!("MERCURE_{role}_JWT_ALG")).map_or("HS256", |name| name.trim());
    let every = vec!["*".to_owned()];
    let (publish, subscribe) =
        if role == "PUBLISHER" { (every, Vec::new()) } else { (Vec::new(), every) };
    token::mint(&token::Arguments {
        publish,
        subscribe,
        payload: None,
        expires: 30 * 24 * 3600,
        key: Some(key),
        algorithm: Some(config::algorithm(algorithm).map_err(anyhow::Error::msg)?),
        generation,
        issuer,
        audience: vec![set("HUB_URL").map_or(hub_url, |url| url.trim()).to_owned()],
        subject: "cinnabar-dev".to_owned(),
    })
    .map(Ok)
    .context("cannot mint the tokens to print")
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "http://localhost:8787/.well-known/mercure";

    fn tokens(pairs: &[(&str, &str)]) -> Tokens {
        let defaults = [("MERCURE_PUBLISHER_JWT_KEY", "k".repeat(32)), ("ANONYMOUS", "1".into())];
        let mut variables: Variables =
            defaults.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        variables.extend(pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        let config = Config::read(&crate::CLOUDFLARE, variables.clone()).unwrap();
        Tokens::mint(&variables, &config, URL).unwrap()
    }

    #[test]
    fn tokens_are_those_that_the_hub_takes() {
        let issuer = ("MERCURE_TRUSTED_ISSUERS", "https://issuer.example");
        let public = (
            "MERCURE_PUBLISHER_JWT_KEY",
            r#"{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
        );
        // No part of a list may end up in a token.
        let list = (
            "MERCURE_TRUSTED_ISSUERS",
            r#"[{"issuer": "https://a", "key": "a secret of at least thirty-two bytes"}]"#,
        );
        for (pairs, v1, v0) in [
            (&[][..], false, true),
            (&[issuer], true, true),
            (&[issuer, ("PROTOCOL", "1.0")], true, false),
            (&[issuer, ("PROTOCOL", "0.x")], false, true),
            (&[issuer, public], false, false),
            (&[list], false, true),
        ] {
            let tokens = tokens(pairs);
            let minted = (tokens.publisher_1.is_ok(), tokens.publisher_0x.is_ok());
            assert_eq!(minted, (v1, v0), "{pairs:?}");
            // It has no key.
            assert!(tokens.subscriber().is_none());
        }
    }
}
