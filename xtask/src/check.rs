//! `check`: the configuration, read as the hub will read it, before it is deployed.

use anyhow::{Result, bail};
use cinnabar_core::Config;
use cinnabar_core::config::VARIABLES;

use crate::configuration::{self, Variables};

const SECRETS: &str = "Cloudflare does not give back the secrets that it has. To check them too, copy .dev.vars.example to .dev.vars and write them there; git ignores it.";

pub(crate) fn run() -> Result<()> {
    let variables = configuration::deployment()?;
    if let Err(mistakes) = validate(&variables) {
        eprintln!("{SECRETS}");
        return Err(mistakes);
    }
    println!("ok: the hub will run with");
    for variable in VARIABLES {
        let given = variables.get(variable.name).filter(|value| !value.is_empty());
        let value = match given {
            Some(_) if variable.secret => "(set)",
            Some(value) => value,
            None if variable.default.is_empty() => "(not set)",
            None => variable.default,
        };
        let note = if given.is_none() && !variable.default.is_empty() { "  (default)" } else { "" };
        println!("  {:<28} {value}{note}", variable.name);
    }
    println!("{SECRETS}");
    Ok(())
}

/// Prints what looks wrong, and fails if the hub would not start.
pub(crate) fn validate(variables: &Variables) -> Result<()> {
    match Config::from_variables(variables.clone()) {
        Ok(config) => {
            for warning in config.warnings() {
                eprintln!("warning: {warning}");
            }
            Ok(())
        }
        Err(mistakes) => bail!("the configuration has mistakes\n{mistakes}"),
    }
}
