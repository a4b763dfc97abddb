//! `check`: a configuration, read as the hub will, before anybody depends on it.

use std::collections::BTreeMap;
use std::fmt::Display;

use anyhow::{Result, bail};
use cinnabar_core::config::{self, VARIABLES};
use cinnabar_core::{Config, Platform};
use serde_json::Value;

/// Variables, and where each value is from.
pub type Sourced<S> = BTreeMap<String, (Value, S)>;

/// Prints warnings, and fails if the hub would not start, or if what was written is not what it
/// would run with, or if anybody could look up one of its keys.
///
/// # Errors
///
/// Every mistake, a line each: those that were found before, and those of the variables.
pub fn fit_to_deploy<S>(
    platform: &Platform,
    variables: &Sourced<S>,
    mut mistakes: Vec<String>,
) -> Result<Config> {
    let values = variables.iter().map(|(name, (value, _))| (name.clone(), value.clone()));
    let read = match Config::read_json(platform, values) {
        Ok(config) => {
            let refused = config.deployment_mistakes();
            for warning in config.warnings().iter().filter(|it| !refused.contains(it)) {
                eprintln!("warning: {warning}");
            }
            mistakes.extend_from_slice(refused);
            Some(config)
        }
        Err(error) => {
            mistakes.push(error.to_string());
            None
        }
    };
    match read {
        Some(config) if mistakes.is_empty() => Ok(config),
        _ => bail!("this is not fit to be deployed\n{}", mistakes.join("\n")),
    }
}

/// Prints what a hub makes of its variables: each that the platform reads, its value unless that is
/// a secret, and where it is from; and where it will fetch keys.
pub fn print<S: Display>(platform: &Platform, config: &Config, variables: &Sourced<S>) {
    println!("ok: the hub will run with");
    for line in lines(platform, variables) {
        println!("  {line}");
    }
    for place in config.key_places() {
        println!("  keys fetched from {place}, which was not tried now");
    }
}

fn lines<S: Display>(platform: &Platform, variables: &Sourced<S>) -> Vec<String> {
    let text = |(name, (value, _)): (&String, &(Value, S))| {
        Some((name.clone(), config::text_of(name, value)?))
    };
    let values = config::by_todays_names(variables.iter().filter_map(text).collect());
    let read = VARIABLES.iter().filter(|variable| platform.reads(variable.name));
    read.map(|variable| {
        let default = platform.default_of(variable.name);
        let (value, note) = match values.get(variable.name).filter(|value| !value.is_empty()) {
            Some(value) => {
                let source = variables.get(variable.name);
                let note = source.map_or("  (by an older name)".to_owned(), |(_, source)| {
                    format!("  ({source})")
                });
                (if variable.secret { "(set)" } else { value }, note)
            }
            None if default.is_empty() => ("(not set)", String::new()),
            None => (default, "  (default)".to_owned()),
        };
        format!("{:<36} {value}{note}", variable.name)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLATFORM: Platform =
        Platform { unread: &["POLL_FAST"], ..Platform::new("a machine of one's own") };

    fn variables(pairs: &[(&str, &str)]) -> Sourced<&'static str> {
        let given = |value: &str| (Value::from(value), "a file");
        pairs.iter().map(|(name, value)| ((*name).to_owned(), given(value))).collect()
    }

    fn refused(pairs: &[(&str, &str)]) -> Option<String> {
        let read = fit_to_deploy(&PLATFORM, &variables(pairs), Vec::new());
        read.err().map(|error| error.to_string())
    }

    const KEY: (&str, &str) =
        ("MERCURE_PUBLISHER_JWT_KEY", "a publisher's key of thirty-two bytes");
    const ANYBODY: (&str, &str) = ("ANONYMOUS", "1");

    #[test]
    fn what_is_not_meant_or_not_secret_is_not_deployed() {
        assert_eq!(refused(&[KEY, ANYBODY]), None);
        let public = (KEY.0, "!ChangeThisMercureHubJWTSecretKey!");
        let told = refused(&[public, ANYBODY]).unwrap();
        assert!(told.contains("is a secret from public documentation"), "{told}");
        let told = refused(&[KEY, ANYBODY, ("CORS_ORIGIN", "https://a.example")]).unwrap();
        assert!(told.contains("did you mean CORS_ORIGINS?"), "{told}");
    }

    #[test]
    fn what_was_found_before_is_told_together_with_the_rest() {
        let found = vec!["TLS_KEY: is not set".to_owned()];
        let told = fit_to_deploy(&PLATFORM, &variables(&[("HEARTBEAT", "soon")]), found);
        let told = told.unwrap_err().to_string();
        assert!(told.contains("TLS_KEY: ") && told.contains("HEARTBEAT: "), "{told}");
    }

    #[test]
    fn secrets_are_not_shown_and_values_say_where_they_are_from() {
        let given = variables(&[KEY, ("ALLOW_ANONYMOUS", "1"), ("HEARTBEAT", "20s")]);
        let lines = lines(&PLATFORM, &given);
        let of = |name: &str| lines.iter().find(|line| line.starts_with(name)).unwrap();
        assert!(of(KEY.0).ends_with(" (set)  (a file)"), "{}", of(KEY.0));
        assert!(of("HEARTBEAT ").ends_with(" 20s  (a file)"), "{}", of("HEARTBEAT "));
        assert!(of("ANONYMOUS ").ends_with(" 1  (by an older name)"), "{}", of("ANONYMOUS "));
        assert!(of("MAX_STREAMS ").ends_with("(default)"), "{}", of("MAX_STREAMS "));
        assert!(of("HUB_URL ").ends_with("(not set)"), "{}", of("HUB_URL "));
        assert!(!lines.iter().any(|line| line.starts_with("POLL_FAST") || line.contains(KEY.1)));
    }
}
