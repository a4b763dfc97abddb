//! `check`: reads the configuration of the Worker as it will itself, before it is deployed. (`cinnabar
//! check` does so for a process of its own.)

use anyhow::{Result, bail};
use cinnabar_commands::check;
use cinnabar_core::{Config, Platform};

use crate::hubs::configuration::{self, Deployment, Variables};
use crate::hubs::platforms::CLOUDFLARE;

const SECRETS: &str = "Cloudflare does not reveal the secrets that it has been given. What was checked is [vars] of wrangler.toml; for secrets, this environment; and for whatever else you set with `npx wrangler secret put`, .dev.vars (copy .dev.vars.example, and fill it in; git ignores it).";

pub(crate) fn run() -> Result<()> {
    let Deployment { variables, mistakes, warnings } = configuration::deployment()?;
    for warning in warnings {
        eprintln!("warning: {warning}");
    }
    let config = check::fit_to_deploy(&CLOUDFLARE, &variables, mistakes)
        .inspect_err(|_| eprintln!("{SECRETS}"))?;
    check::print(&CLOUDFLARE, &config, &variables);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hubs::configuration::Source;

    #[test]
    fn a_hub_with_the_key_of_development_runs_and_is_not_deployed() {
        let variables = configuration::development(8787, "http://localhost:8788");
        assert!(validate(&variables, &CLOUDFLARE).is_ok());
        let given = |(name, value): (String, String)| (name, (value.into(), Source::Vars));
        let variables = variables.into_iter().map(given).collect();
        let refused = check::fit_to_deploy(&CLOUDFLARE, &variables, Vec::new());
        let told = refused.unwrap_err().to_string();
        for role in ["PUBLISHER", "SUBSCRIBER"] {
            let name = format!("MERCURE_{role}_JWT_KEY");
            assert!(told.contains(&format!("{name} is a secret from public documentation")));
        }
    }
}
