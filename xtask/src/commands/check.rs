//! `check`: reads the configuration as the hub will, before it is deployed.

use anyhow::{Result, bail};
use cinnabar_core::config::VARIABLES;
use cinnabar_core::{Config, Platform};

use crate::hubs::configuration::{self, Variables};
use crate::hubs::platforms::CLOUDFLARE;

const SECRETS: &str = "Cloudflare does not reveal the secrets that it has been given. What was checked is wrangler.toml, .dev.vars (copy .dev.vars.example, and fill in what you deployed; git ignores it), and this environment, which overrides both.";

pub(crate) fn run() -> Result<()> {
    let variables = configuration::deployment()?;
    if let Err(mistakes) = validate_for_deployment(&variables, &CLOUDFLARE) {
        eprintln!("{SECRETS}");
        return Err(mistakes);
    }
    println!("ok: the hub will run with");
    for variable in VARIABLES.iter().filter(|it| CLOUDFLARE.reads(it.name)) {
        let default = CLOUDFLARE.default_of(variable.name);
        let given = variables.get(variable.name).filter(|value| !value.is_empty());
        let value = match given {
            Some(_) if variable.secret => "(set)",
            Some(value) => value,
            None if default.is_empty() => "(not set)",
            None => default,
        };
        let note = if given.is_none() && !default.is_empty() { "  (default)" } else { "" };
        println!("  {:<28} {value}{note}", variable.name);
    }
    println!("{SECRETS}");
    Ok(())
}

/// Prints warnings, and fails if the hub would not start.
pub(crate) fn validate(variables: &Variables, platform: &Platform) -> Result<Config> {
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

/// The same; fails also if anybody could look up a key of the hub.
fn validate_for_deployment(variables: &Variables, platform: &Platform) -> Result<()> {
    match validate(variables, platform)?.well_known_keys() {
        [] => Ok(()),
        keys => bail!("the configuration is not safe to deploy\n{}", keys.join("\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hub_with_the_key_of_development_is_not_deployed() {
        let mut variables = configuration::development(8787, "http://localhost:8788");
        assert!(validate(&variables, &CLOUDFLARE).is_ok());
        let refused = validate_for_deployment(&variables, &CLOUDFLARE).unwrap_err().to_string();
        for role in ["PUBLISHER", "SUBSCRIBER"] {
            let name = format!("MERCURE_{role}_JWT_KEY");
            assert!(refused.contains(&format!("{name} is a secret from public documentation")));
            variables.insert(name, "k".repeat(32));
        }
        validate_for_deployment(&variables, &CLOUDFLARE).unwrap();
    }
}
