//! `configuration`: lines of `NAME=value`.

use cinnabar_core::{Config, ConfigError, Platform};

/// A mark that is put into keys, to tell them apart from anything else that is shown.
const MARK: &str = "~secret~";

const PLATFORM: Platform = Platform::new("a test");

pub(crate) fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let pairs: Vec<(String, String)> = text
        .split('\n')
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    if !text.contains(MARK) {
        let marked = pairs.iter().map(|(name, value)| (name.clone(), marked(name, value)));
        shows_no_secret(Config::read(&PLATFORM, marked));
    }
    // The mark makes some kinds of keys invalid.
    if let Ok(config) = Config::read(&PLATFORM, pairs) {
        assert!(config.history_size() > 0 && !config.history_age().is_zero());
    }
}

fn marked(name: &str, value: &str) -> String {
    match name {
        "MERCURE_PUBLISHER_JWT_KEY"
        | "MERCURE_SUBSCRIBER_JWT_KEY"
        | "JWT_KEY"
        | "PUBLISHER_JWT_KEY"
        | "SUBSCRIBER_JWT_KEY"
        | "MERCURE_JWT_SECRET"
            if !value.is_empty() =>
        {
            // PEM has lines, and a JWK has a `k`.
            let value = value.replace("\"k\":\"", &format!("\"k\":\"{MARK}"));
            if value.contains(MARK) { value } else { value + MARK }
        }
        "MERCURE_TRUSTED_ISSUERS" => ["\"key\":\"", "\"k\":\""]
            .iter()
            .fold(value.to_owned(), |value, key| value.replace(key, &format!("{key}{MARK}"))),
        _ => value.to_owned(),
    }
}

fn shows_no_secret(read: Result<Config, ConfigError>) {
    let shown = match &read {
        Ok(config) => format!("{config:?} {}", config.warnings().concat()),
        Err(mistakes) => {
            assert!(!mistakes.to_string().is_empty(), "refused without a reason");
            format!("{mistakes} {mistakes:?}")
        }
    };
    assert!(!shown.contains(MARK), "a secret is shown");
}
