//! `check`: reads the configuration as the hub will, before it is deployed.

use anyhow::{Result, bail};
use cinnabar_core::Config;
use cinnabar_core::config::{Platform, VARIABLES};

use crate::hubs::configuration::{self, Variables};

const SECRETS: &str = "Cloudflare does not reveal the secrets it has been given, so those in .dev.vars and the environment were checked instead. (.dev.vars.example shows how; git ignores .dev.vars.)";

pub(crate) fn run() -> Result<()> {
    let variables = configuration::deployment()?;
    if let Err(mistakes) = validate(&variables, Platform::Cloudflare) {
        eprintln!("{SECRETS}");
        return Err(mistakes);
    }
    println!("ok: the hub will run with");
    for variable in VARIABLES.iter().filter(|it| it.is_read_on(Platform::Cloudflare)) {
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

/// Prints warnings, and fails if the hub would not start.
pub(crate) fn validate(variables: &Variables, platform: Platform) -> Result<()> {
    match Config::for_platform(platform, variables.clone()) {
        Ok(config) => {
            for warning in config.warnings() {
                eprintln!("warning: {warning}");
            }
            Ok(())
        }
        Err(mistakes) => bail!("the configuration has mistakes\n{mistakes}"),
    }
}
