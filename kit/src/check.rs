//! `check`: reads the configuration of the Worker as it will itself, before it is deployed. (`cinnabar
//! check` does so for a process of its own.)

use std::path::Path;

use anyhow::{Result, ensure};
use cinnabar_commands::check;
use cinnabar_core::config;

use crate::CLOUDFLARE;
use crate::deployment::{self, Deployment, Source};

const SECRETS: &str = "Cloudflare does not reveal the secrets that it has been given. What was checked is [vars] of wrangler.toml; for secrets, this environment; and for whatever else you set with `npx wrangler secret put`, .dev.vars (copy .dev.vars.example, and fill it in; git ignores it).";

/// Checks the Worker in this folder, and prints what it will run with.
///
/// # Errors
///
/// Every mistake.
pub fn run(folder: &Path) -> Result<()> {
    let Deployment { variables, mistakes, warnings } = deployment::read(folder)?;
    for warning in warnings {
        eprintln!("warning: {warning}");
    }
    let config = check::fit_to_deploy(&CLOUDFLARE, &variables, mistakes)
        .inspect_err(|_| eprintln!("{SECRETS}"))?;
    check::print(&CLOUDFLARE, &config, &variables);
    println!("{SECRETS}");
    Ok(())
}

/// Refuses to deploy the Worker in this folder while its debugger is on, which tells strangers what
/// tokens the hub expects: it may have been left on.
///
/// # Errors
///
/// It is on, or wrangler.toml cannot be read.
pub fn refuse_debugger(folder: &Path) -> Result<()> {
    ensure!(!deploys_debugger(&deployment::read(folder)?), DEBUGGER_IS_ON);
    Ok(())
}

const DEBUGGER_IS_ON: &str = "DEBUGGER is on in wrangler.toml, and would tell everybody which tokens the hub expects, and why one is refused: remove it, or deploy with --with-debugger";

fn deploys_debugger(Deployment { variables, .. }: &Deployment) -> bool {
    let name = "DEBUGGER";
    let deployed = variables.get(name).filter(|(_, source)| *source == Source::Vars);
    let text = deployed.and_then(|(value, _)| config::text_of(name, value));
    // What is neither on nor off is a mistake, with which the hub would not start.
    text.is_some_and(|text| config::switch(text.trim()) == Ok(true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::development::{Variables, in_development};

    #[test]
    fn a_debugger_is_not_deployed_unawares() {
        let deployment = |value: serde_json::Value, source| Deployment {
            variables: [("DEBUGGER".to_owned(), (value, source))].into(),
            ..Deployment::default()
        };
        for (value, source, is_deployed) in [
            ("1".into(), Source::Vars, true),
            (true.into(), Source::Vars, true),
            ("0".into(), Source::Vars, false),
            ("".into(), Source::Vars, false),
            // This is for `wrangler dev` alone.
            ("1".into(), Source::DevVars, false),
        ] {
            let case = format!("{value} in {source}");
            assert_eq!(deploys_debugger(&deployment(value, source)), is_deployed, "{case}");
        }
        assert!(!deploys_debugger(&Deployment::default()));
    }

    #[test]
    fn a_hub_with_the_key_of_development_is_not_deployed() {
        let variables = in_development(Variables::new(), 8787);
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
