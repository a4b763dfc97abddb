//! `token`: access tokens as `cinnabar token` mints them; and where nobody names a hub, for the one
//! that `dev` serves.

use anyhow::Result;
use cinnabar_commands::token;
pub use cinnabar_commands::token::{Arguments, Generation};
use cinnabar_core::config;

use crate::development::{self, DEVELOPMENT_ISSUER, DEVELOPMENT_KEY, Variables};

/// Prints a token.
///
/// # Errors
///
/// As [`token::run`].
pub fn run(arguments: &Arguments) -> Result<()> {
    choose_cryptography();
    let mut variables = development::environment();
    // A key is another hub's, of which nothing is known.
    if arguments.key.is_none() {
        variables = of_development(variables, arguments.key_variable());
    }
    token::run(arguments, variables)
}

/// Signs a token.
///
/// # Errors
///
/// As [`token::mint`].
pub fn mint(arguments: &Arguments) -> Result<String> {
    choose_cryptography();
    token::mint(arguments, development::environment())
}

/// It fails only if it has been chosen already.
fn choose_cryptography() {
    let _ = jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER.install_default();
}

/// These variables, and those of the hub in development where they are not set.
fn of_development(environment: Variables, key: &str) -> Variables {
    let mut variables = config::by_todays_names(environment);
    variables.retain(|_, value| !value.is_empty());
    if !variables.contains_key(key) {
        if let Some(ignored) = development::ignored_secret() {
            eprintln!("{ignored}");
        }
        eprintln!("signed with the development key; for a deployed hub, give its key with --key");
    }
    for (name, value) in [
        (key, DEVELOPMENT_KEY.to_owned()),
        ("HUB_URL", development::hub_url(development::PORT)),
        ("MERCURE_TRUSTED_ISSUERS", DEVELOPMENT_ISSUER.to_owned()),
    ] {
        variables.entry(name.to_owned()).or_insert(value);
    }
    variables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_is_that_of_development() {
        let key = "MERCURE_PUBLISHER_JWT_KEY";
        let given = [("JWT_KEY", "k"), ("HUB_URL", ""), ("MERCURE_TRUSTED_ISSUERS", "i")];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let variables = of_development(given.into(), key);
        assert_eq!(variables[key], "k");
        assert_eq!(variables["HUB_URL"], "http://localhost:8787/.well-known/mercure");
        assert_eq!(variables["MERCURE_TRUSTED_ISSUERS"], "i");
        assert_eq!(of_development(Variables::new(), key)[key], DEVELOPMENT_KEY);
    }
}
