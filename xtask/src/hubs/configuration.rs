//! The hub's configuration on this machine: files, environment, defaults.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context as _, Result, bail};
use cinnabar_core::config;
use toml::Table;

use crate::machine::workspace;

/// Configuration variables and their values.
pub(crate) type Variables = BTreeMap<String, String>;

/// The port of a hub on this machine, unless told otherwise.
pub(crate) const PORT: u16 = 8787;

/// The key of both roles in development: the one in the documentation and recipes of the protocol's
/// clients, so that they work with `dev` out of the box.
pub(crate) const DEVELOPMENT_KEY: &str = "!ChangeThisMercureHubJWTSecretKey!";

/// The issuer trusted by a hub in development.
pub(crate) const DEVELOPMENT_ISSUER: &str = "https://issuer.localhost";

/// The variables set in the environment, even to nothing: those whose names the hub knows, older
/// names included, and those that resemble one, which the hub will point out.
pub(crate) fn environment() -> Variables {
    let meant = |name: &str| {
        config::names().any(|known| known == name) || config::resembles(name).is_some()
    };
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| meant(name))
        .collect()
}

/// The variables of a hub in development at this port; the environment overrides them.
pub(crate) fn development(port: u16, page: &str) -> Variables {
    let defaults = [
        ("HUB_URL", hub_url(port)),
        ("MERCURE_PUBLISHER_JWT_KEY", DEVELOPMENT_KEY.to_owned()),
        ("MERCURE_SUBSCRIBER_JWT_KEY", DEVELOPMENT_KEY.to_owned()),
        ("MERCURE_TRUSTED_ISSUERS", DEVELOPMENT_ISSUER.to_owned()),
        ("ANONYMOUS", "1".to_owned()),
        ("CORS_ORIGINS", page.to_owned()),
    ];
    let mut variables: Variables =
        defaults.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    // A default must not hide one that is set by its older name.
    variables.extend(config::by_todays_names(environment()));
    // The demonstration page works whatever other origins are given.
    if let Some(origins) = variables.get_mut("CORS_ORIGINS").filter(|origins| *origins != "*")
        && !origins.contains(page)
    {
        *origins = format!("{origins} {page}");
    }
    variables
}

/// The hub's URL on this machine.
pub(crate) fn hub_url(port: u16) -> String {
    format!("http://localhost:{port}/.well-known/mercure")
}

/// The variables of a deployment: `[vars]` of wrangler.toml, then .dev.vars and the environment,
/// which stand in for the secrets, since Cloudflare does not give those back.
pub(crate) fn deployment() -> Result<Variables> {
    let settings = wrangler_settings()?;
    let mut variables = Variables::new();
    for (name, value) in settings.get("vars").and_then(|vars| vars.as_table()).into_iter().flatten()
    {
        let Some(value) = value.as_str() else {
            bail!("wrangler.toml: {name} is not a string; put its value in quotes");
        };
        variables.insert(name.clone(), value.to_owned());
    }
    match fs::read_to_string(workspace::path(".dev.vars")) {
        Ok(text) => variables.extend(dotenv(&text)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).context("cannot read .dev.vars"),
    }
    variables.extend(environment());
    Ok(variables)
}

/// The date of the runtime behaviour that the hub is deployed with.
pub(crate) fn compatibility_date() -> Result<String> {
    match wrangler_settings()?.get("compatibility_date").and_then(|date| date.as_str()) {
        Some(date) => Ok(date.to_owned()),
        None => bail!("wrangler.toml has no compatibility_date"),
    }
}

fn wrangler_settings() -> Result<Table> {
    let text = fs::read_to_string(workspace::path("wrangler.toml"))
        .context("cannot read wrangler.toml")?;
    text.parse().context("wrangler.toml is not TOML")
}

/// Lines of `NAME=value`, as wrangler reads them from .dev.vars.
fn dotenv(text: &str) -> Result<Variables> {
    let mut variables = Variables::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((name, value)) = line.strip_prefix("export ").unwrap_or(line).split_once('=')
        else {
            bail!(".dev.vars, line {}: `=` is missing; write NAME=value", number + 1);
        };
        variables.insert(name.trim().to_owned(), unquoted(value.trim()).to_owned());
    }
    Ok(variables)
}

/// A value without its quotes, or without the comment after it.
fn unquoted(value: &str) -> &str {
    for quote in ['"', '\'', '`'] {
        if let Some(inner) = value.strip_prefix(quote)
            && let Some((inner, _)) = inner.split_once(quote)
        {
            return inner;
        }
    }
    value.split_once('#').map_or(value, |(value, _)| value.trim_end())
}

#[cfg(test)]
mod tests {
    use cinnabar_core::Config;

    use super::*;
    use crate::hubs::platforms;

    #[test]
    fn dev_vars_are_read_as_wrangler_does() {
        let text = "# keys\nA = plain # why\nexport B=\"with # inside\" \nC='x=y'\n\nD=\n";
        let expected = [("A", "plain"), ("B", "with # inside"), ("C", "x=y"), ("D", "")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(dotenv(text).unwrap(), Variables::from(expected));
        assert!(dotenv("no value").is_err());
    }

    #[test]
    fn a_hub_in_development_needs_no_more() {
        let defaults = development(8787, "http://localhost:8788");
        for platform in platforms::ALL {
            let config = Config::read(platform, defaults.clone()).unwrap();
            assert!(config.warnings().is_empty(), "{}: {:?}", platform.name, config.warnings());
        }
    }
}
