//! What the core's tests share.

use crate::Config;

/// A configuration with keys, and these variables.
pub(crate) fn config(variables: &[(&str, &str)]) -> Config {
    let keys = [
        ("MERCURE_PUBLISHER_JWT_KEY", "a publisher's key of thirty-two bytes"),
        ("MERCURE_SUBSCRIBER_JWT_KEY", "a subscriber's key of thirty-two bytes"),
    ];
    let pairs = keys.iter().chain(variables);
    Config::from_variables(pairs.map(|(name, value)| ((*name).into(), (*value).into()))).unwrap()
}
