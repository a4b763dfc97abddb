//! `check`: reads the configuration as the hub will, before it is deployed.

use anyhow::{Result, bail};
use cinnabar_core::config::{self, VARIABLES};
use cinnabar_core::{Config, Platform};
use serde_json::Value;

use crate::hubs::configuration::{self, Deployment, Variables};
use crate::hubs::platforms::CLOUDFLARE;

const SECRETS: &str = "Cloudflare does not reveal the secrets that it has been given. What was checked is [vars] of wrangler.toml; for secrets, this environment; and for whatever else you set with `npx wrangler secret put`, .dev.vars (copy .dev.vars.example, and fill it in; git ignores it).";

pub(crate) fn run() -> Result<()> {
    let deployment = configuration::deployment()?;
    for warning in &deployment.warnings {
        eprintln!("warning: {warning}");
    }
    if let Err(mistakes) = validate_for_deployment(&deployment, &CLOUDFLARE) {
        eprintln!("{SECRETS}");
        return Err(mistakes);
    }
    println!("ok: the hub will run with");
    let text = |(name, (value, _)): (&String, &(Value, _))| {
        Some((name.clone(), config::text_of(name, value)?))
    };
    let values = config::by_todays_names(deployment.variables.iter().filter_map(text).collect());
    for variable in VARIABLES.iter().filter(|it| CLOUDFLARE.reads(it.name)) {
        let default = CLOUDFLARE.default_of(variable.name);
        let (value, note) = match values.get(variable.name) {
            Some(value) => {
                let source = deployment.variables.get(variable.name);
                let note = source.map_or("  (by an older name)".to_owned(), |(_, source)| {
                    format!("  ({source})")
                });
                (if variable.secret { "(set)" } else { value }, note)
            }
            None if default.is_empty() => ("(not set)", String::new()),
            None => (default, "  (default)".to_owned()),
        };
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

/// Prints warnings, and fails if the hub would not start, or if what was written is not what it
/// would run with, or if anybody could look up one of its keys.
fn validate_for_deployment(deployment: &Deployment, platform: &Platform) -> Result<()> {
    let variables = deployment.variables.iter().map(|(name, (value, _))| (name, value));
    let variables = variables.map(|(name, value)| (name.clone(), value.clone()));
    let mut mistakes = deployment.mistakes.clone();
    match Config::read_json(platform, variables) {
        Ok(config) => {
            let refused = config.deployment_mistakes();
            for warning in config.warnings().iter().filter(|it| !refused.contains(it)) {
                eprintln!("warning: {warning}");
            }
            mistakes.extend_from_slice(refused);
        }
        Err(error) => mistakes.push(error.to_string()),
    }
    if !mistakes.is_empty() {
        bail!("this is not fit to be deployed\n{}", mistakes.join("\n"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hubs::configuration::Source;

    fn refused(variables: &Variables) -> Option<String> {
        let given = |value: &String| (value.clone().into(), Source::Vars);
        let variables = variables.iter().map(|(name, value)| (name.clone(), given(value)));
        let deployment = Deployment { variables: variables.collect(), ..Deployment::default() };
        validate_for_deployment(&deployment, &CLOUDFLARE).err().map(|error| error.to_string())
    }

    #[test]
    fn a_hub_with_the_key_of_development_is_not_deployed() {
        let mut variables = configuration::development(8787, "http://localhost:8788");
        assert!(validate(&variables, &CLOUDFLARE).is_ok());
        let told = refused(&variables).unwrap();
        for role in ["PUBLISHER", "SUBSCRIBER"] {
            let name = format!("MERCURE_{role}_JWT_KEY");
            assert!(told.contains(&format!("{name} is a secret from public documentation")));
            variables.insert(name, "k".repeat(32));
        }
        assert_eq!(refused(&variables), None);
    }

    #[test]
    fn a_hub_with_a_misspelt_name_is_not_deployed() {
        let mut variables = configuration::development(8787, "http://localhost:8788");
        for role in ["PUBLISHER", "SUBSCRIBER"] {
            variables.insert(format!("MERCURE_{role}_JWT_KEY"), "k".repeat(32));
        }
        variables.insert("CORS_ORIGIN".to_owned(), "https://a.example".to_owned());
        assert!(validate(&variables, &CLOUDFLARE).is_ok());
        assert!(refused(&variables).unwrap().contains("did you mean CORS_ORIGINS?"));
    }
}
