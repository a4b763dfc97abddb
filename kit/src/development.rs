//! The variables of a hub on a developer's machine, from the environment and defaults.

use std::collections::BTreeMap;
use std::ffi::OsString;

use anyhow::{Result, bail};
use cinnabar_core::config;
use cinnabar_core::{Config, Platform};

/// Configuration variables and their values.
pub type Variables = BTreeMap<String, String>;

/// The port of a hub on this machine, unless told otherwise.
pub const PORT: u16 = 8787;

/// The key of both roles in development: the one in the documentation and recipes of the protocol's
/// clients, so that they work with `dev` out of the box.
pub const DEVELOPMENT_KEY: &str = "!ChangeThisMercureHubJWTSecretKey!";

/// The issuer trusted by a hub in development.
pub const DEVELOPMENT_ISSUER: &str = "https://issuer.localhost";

/// The variable in which applications have the secret that they sign with. A developer's shell may
/// hold it for them, and it is no mistake there; but it may be the one of production, so that no hub
/// on this machine takes it for its key.
const APPLICATIONS_SECRET: &str = "MERCURE_JWT_SECRET";

/// The variables set in the environment, even to nothing: those whose names the hub knows, older
/// names included, and those that resemble one, which the hub will point out.
#[must_use]
pub fn environment() -> Variables {
    let text = |(name, value): (OsString, OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    of_hubs(std::env::vars_os().filter_map(text))
}

fn of_hubs(variables: impl Iterator<Item = (String, String)>) -> Variables {
    let meant = |name: &str| {
        config::names().any(|known| known == name) || config::resembles(name).is_some()
    };
    variables.filter(|(name, _)| meant(name) && name != APPLICATIONS_SECRET).collect()
}

/// What to say of an application's secret in the environment, unless it is the one that the hub has.
#[must_use]
pub fn ignored_secret() -> Option<String> {
    let secret = std::env::var(APPLICATIONS_SECRET).ok()?;
    (!secret.is_empty() && secret != DEVELOPMENT_KEY).then(|| {
        format!(
            "{APPLICATIONS_SECRET}, which is set here, is ignored: set it to {DEVELOPMENT_KEY} for the application, or set MERCURE_PUBLISHER_JWT_KEY and MERCURE_SUBSCRIBER_JWT_KEY for the hub"
        )
    })
}

/// The variables of a hub in development at this port, which the environment overrides, and what they
/// mean.
///
/// # Errors
///
/// Every mistake in them.
pub fn configure(platform: &Platform, port: u16) -> Result<(Variables, Config)> {
    let variables = in_development(environment(), port);
    let config = validate(&variables, platform)?;
    if variables.get("ORIGIN_SECRET").is_some_and(|secret| !secret.is_empty()) {
        bail!("ORIGIN_SECRET is set, but no CDN is in front of this hub to send it: unset it");
    }
    Ok((variables, config))
}

/// Prints warnings, and fails if the hub would not start.
fn validate(variables: &Variables, platform: &Platform) -> Result<Config> {
    match Config::read(platform, variables.clone()) {
        Ok(config) => {
            for warning in config.warnings() {
                eprintln!("warning: {warning}");
            }
            Ok(config)
        }
        Err(mistakes) => bail!("the configuration has mistakes\n{mistakes}"),
    }
}

/// The variables of a hub in development, of which the environment has these.
#[must_use]
pub fn in_development(environment: Variables, port: u16) -> Variables {
    let defaults = [
        ("HUB_URL", hub_url(port)),
        ("MERCURE_PUBLISHER_JWT_KEY", DEVELOPMENT_KEY.to_owned()),
        ("MERCURE_SUBSCRIBER_JWT_KEY", DEVELOPMENT_KEY.to_owned()),
        ("MERCURE_TRUSTED_ISSUERS", DEVELOPMENT_ISSUER.to_owned()),
        ("ANONYMOUS", "1".to_owned()),
        ("DEBUGGER", "1".to_owned()),
    ];
    let mut variables: Variables =
        defaults.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    // A default must not hide one that is set by its older name.
    variables.extend(config::by_todays_names(environment));
    variables
}

/// The hub's URL on this machine.
#[must_use]
pub fn hub_url(port: u16) -> String {
    format!("http://localhost:{port}/.well-known/mercure")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_applications_secret_is_not_the_hubs() {
        let given = [(APPLICATIONS_SECRET, "of production"), ("HEARTBEAT", "20s")];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let variables = in_development(of_hubs(given.into_iter()), 8787);
        assert_eq!(variables["MERCURE_PUBLISHER_JWT_KEY"], DEVELOPMENT_KEY);
        assert_eq!(variables["HEARTBEAT"], "20s");
        assert!(!variables.values().any(|value| value == "of production"));
    }
}
