//! The variables of a Worker that is to be deployed, as far as they can be known before.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fmt, fs};

use anyhow::{Context as _, Result};
use cinnabar_core::config::{self, VARIABLES};
use serde_json::Value;
use toml::Table;

use crate::dev_vars;

/// Where a variable of a deployment comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// `[vars]` of wrangler.toml.
    Vars,
    /// The environment, for secrets.
    Environment,
    /// `.dev.vars`.
    DevVars,
}

/// A deployment's variables, as far as they can be known here.
#[derive(Default)]
pub struct Deployment {
    /// Each with where it comes from.
    pub variables: BTreeMap<String, (Value, Source)>,
    /// What wrangler would pass over in silence.
    pub mistakes: Vec<String>,
    /// What may not be meant.
    pub warnings: Vec<String>,
}

/// The variables of the Worker in this folder: `[vars]` of wrangler.toml; and since Cloudflare does
/// not give secrets back, the environment and .dev.vars stand in for them.
///
/// # Errors
///
/// A file cannot be read.
pub fn read(folder: &Path) -> Result<Deployment> {
    let settings: Table = fs::read_to_string(folder.join("wrangler.toml"))
        .context("cannot read wrangler.toml")?
        .parse()
        .context("wrangler.toml is not TOML")?;
    let vars = settings.get("vars").and_then(|vars| vars.as_table()).cloned().unwrap_or_default();
    let secrets = VARIABLES.iter().filter(|variable| variable.secret);
    let environment =
        secrets.filter_map(|it| Some((it.name.to_owned(), std::env::var(it.name).ok()?)));
    let dev_vars = match fs::read_to_string(folder.join(".dev.vars")) {
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
