//! The hub's configuration on this machine: files, environment, defaults.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::{fmt, fs};

use anyhow::{Context as _, Result, bail};
use cinnabar_core::config::{self, VARIABLES};
use serde_json::Value;
use toml::Table;

use crate::hubs::dev_vars;
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

/// The variable in which applications have the secret that they sign with. A developer's shell may
/// hold it for them, and it is no mistake there; but it may be the one of production, so that no hub
/// on this machine takes it for its key.
const APPLICATIONS_SECRET: &str = "MERCURE_JWT_SECRET";

/// The variables set in the environment, even to nothing: those whose names the hub knows, older
/// names included, and those that resemble one, which the hub will point out.
pub(crate) fn environment() -> Variables {
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
pub(crate) fn ignored_secret() -> Option<String> {
    let secret = std::env::var(APPLICATIONS_SECRET).ok()?;
    (!secret.is_empty() && secret != DEVELOPMENT_KEY).then(|| {
        format!(
            "{APPLICATIONS_SECRET}, which is set here, is ignored: set it to {DEVELOPMENT_KEY} for the application, or set MERCURE_PUBLISHER_JWT_KEY and MERCURE_SUBSCRIBER_JWT_KEY for the hub"
        )
    })
}

/// The variables of a hub in development at this port; the environment overrides them.
pub(crate) fn development(port: u16) -> Variables {
    in_development(environment(), port)
}

fn in_development(environment: Variables, port: u16) -> Variables {
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
pub(crate) fn hub_url(port: u16) -> String {
    format!("http://localhost:{port}/.well-known/mercure")
}

/// Where a variable of a deployment comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Vars,
    Environment,
    DevVars,
}

/// A deployment's variables, as far as they can be known here.
#[derive(Default)]
pub(crate) struct Deployment {
    pub(crate) variables: BTreeMap<String, (Value, Source)>,
    /// What wrangler would pass over in silence.
    pub(crate) mistakes: Vec<String>,
    pub(crate) warnings: Vec<String>,
}

/// The variables of a deployment: `[vars]` of wrangler.toml; and since Cloudflare does not give
/// secrets back, the environment and .dev.vars stand in for them.
pub(crate) fn deployment() -> Result<Deployment> {
    let settings = wrangler_settings()?;
    let vars = settings.get("vars").and_then(|vars| vars.as_table()).cloned().unwrap_or_default();
    let secrets = VARIABLES.iter().filter(|variable| variable.secret);
    let environment =
        secrets.filter_map(|it| Some((it.name.to_owned(), std::env::var(it.name).ok()?)));
    let dev_vars = match fs::read_to_string(workspace::path(".dev.vars")) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).context("cannot read .dev.vars"),
    };
    Ok(deployed(vars, environment, &dev_vars))
}

fn deployed(
    vars: Table,
    environment: impl Iterator<Item = (String, String)>,
    dev_vars: &str,
) -> Deployment {
    let mut deployment = Deployment::default();
    for (name, value) in vars {
        deployment.add(name, json(value), Source::Vars);
    }
    for (name, value) in environment {
        deployment.add(name, value.into(), Source::Environment);
    }
    let dev_vars = dev_vars::read(dev_vars);
    for line in dev_vars.passed_over {
        deployment.mistakes.push(format!(
            ".dev.vars, line {line}: wrangler passes over it; write NAME=value, and a value of several lines in quotes"
        ));
    }
    for (name, value) in dev_vars.variables {
        deployment.add(name, value.into(), Source::DevVars);
    }
    deployment
}

impl Deployment {
    /// Adds a variable, unless it is known from where it counts more.
    fn add(&mut self, name: String, value: Value, source: Source) {
        if value == "" {
            return;
        }
        match self.variables.get(&name) {
            None => {
                self.variables.insert(name, (value, source));
            }
            Some((deployed, Source::Vars)) => {
                if config::text_of(&name, deployed) != config::text_of(&name, &value) {
                    self.warnings.push(format!(
                        "{name} has another value in {source}; what is deployed is that of wrangler.toml"
                    ));
                }
            }
            Some(_) => {}
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Vars => "wrangler.toml",
            Self::Environment => "the environment",
            Self::DevVars => ".dev.vars",
        })
    }
}

/// A value as it will reach the Worker. wrangler takes no dates.
fn json(value: toml::Value) -> Value {
    match value {
        toml::Value::Datetime(_) => Value::Null,
        value => serde_json::to_value(value).unwrap_or_default(),
    }
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

#[cfg(test)]
mod tests {
    use cinnabar_core::Config;

    use super::*;
    use crate::hubs::platforms;

    #[test]
    fn a_deployment_has_its_vars_and_then_what_stands_in_for_secrets() {
        let vars = "A = 'vars'\nB = true\nC = ''\nD = 2020-01-01\nHUB_ALIASES = ['/hub', '/x']";
        let environment = [("A", "environment"), ("K", "environment"), ("L", "")];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let dev_vars = "B=true\nC=c\nK=k\nL=l\nno value\nHUB_ALIASES=/hub /x";
        let deployment = deployed(vars.parse().unwrap(), environment.into_iter(), dev_vars);
        let expected = [
            ("A", "vars".into(), Source::Vars),
            ("B", true.into(), Source::Vars),
            ("C", "c".into(), Source::DevVars),
            ("D", Value::Null, Source::Vars),
            ("HUB_ALIASES", ["/hub", "/x"].into_iter().collect(), Source::Vars),
            ("K", "environment".into(), Source::Environment),
            ("L", "l".into(), Source::DevVars),
        ]
        .map(|(name, value, source)| (name.to_owned(), (value, source)));
        assert_eq!(deployment.variables, BTreeMap::from(expected));
        let [warning] = &deployment.warnings[..] else { panic!("{:?}", deployment.warnings) };
        assert!(warning.starts_with("A has another value in the environment"), "{warning}");
        let [mistake] = &deployment.mistakes[..] else { panic!("{:?}", deployment.mistakes) };
        assert!(mistake.starts_with(".dev.vars, line 5: "), "{mistake}");
    }

    #[test]
    fn an_applications_secret_is_not_the_hubs() {
        let given = [(APPLICATIONS_SECRET, "of production"), ("HEARTBEAT", "20s")];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let variables = in_development(of_hubs(given.into_iter()), 8787);
        assert_eq!(variables["MERCURE_PUBLISHER_JWT_KEY"], DEVELOPMENT_KEY);
        assert_eq!(variables["HEARTBEAT"], "20s");
        assert!(!variables.values().any(|value| value == "of production"));
    }

    #[test]
    fn a_hub_in_development_needs_no_more() {
        let defaults = development(8787);
        for platform in platforms::ALL {
            let config = Config::read(platform, defaults.clone()).unwrap();
            assert!(config.has_debugger(), "{}", platform.name);
            assert!(config.warnings().is_empty(), "{}: {:?}", platform.name, config.warnings());
        }
    }
}
