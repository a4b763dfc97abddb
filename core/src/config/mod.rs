//! Configuration: from name/value pairs to values that need no more checking.
//!
//! [`VARIABLES`] is the one table of names, defaults and meanings; the README's is made from it.
//! To add a variable, add its row, its field in [`Config`], and its line in
//! [`Config::for_platform`].
//!
//! ```
//! use cinnabar_core::Config;
//!
//! let mistakes = Config::from_variables([("HEARTBEAT".to_owned(), "soon".to_owned())])
//!     .expect_err("the heartbeat is no duration, and there are no keys");
//! assert!(mistakes.to_string().contains("HEARTBEAT: `soon` is not a duration"));
//! ```

mod names;
mod platform;
mod reader;
pub(crate) mod serves;
mod values;
mod variables;

use std::fmt;
use std::time::Duration;

use crate::authorization::token::Role;
use crate::config::serves::Serves;
use crate::terms::generation::{Generation, Generations};
use crate::terms::hub_url::{DEFAULT_PATH, HubUrl, METADATA_PATH};
use crate::trust::issuer::{Issuers, Keys};
use crate::wire::cors::Origins;
use crate::wire::reader::NativeReaders;

pub use names::{all as names, by_todays_names, resembles};
pub use platform::Platform;
pub use variables::{VARIABLES, Variable};

pub use crate::trust::issuer_list::own_issuer;
pub use crate::trust::key_text::{ALGORITHMS, is_shared_secret};

use reader::Reader;

/// The cookie of the 0.x protocol.
pub(crate) const LEGACY_COOKIE: &str = "mercureAuthorization";

/// The configuration of a hub.
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) hub_url: Option<HubUrl>,
    pub(crate) hub_aliases: Vec<String>,
    pub(crate) audiences: Vec<String>,
    pub(crate) protocol: Generations,
    pub(crate) issuers: Issuers,
    pub(crate) anonymous: bool,
    pub(crate) cors_origins: Origins,
    pub(crate) publish_origins: Vec<String>,
    pub(crate) cookie_name: String,
    pub(crate) query_authorization: bool,
    pub(crate) targets: bool,
    pub(crate) publish_ungranted: bool,
    pub(crate) heartbeat: Duration,
    pub(crate) stream_lifetime: Duration,
    /// How many updates the log keeps, where it keeps a number of them.
    pub history_size: u64,
    /// How long the log keeps an update.
    pub history_age: Duration,
    /// How many updates are replayed to one subscriber at most.
    pub replay_max: u64,
    pub(crate) max_request_body_size: usize,
    pub(crate) max_update_size: usize,
    pub(crate) max_topics: usize,
    pub(crate) max_matchers: usize,
    pub(crate) max_streams: usize,
    pub(crate) outbox_size: usize,
    pub(crate) outboxes_size: usize,
    pub(crate) native_readers: NativeReaders,
    pub(crate) serves: Serves,
    pub(crate) origin_secret: Option<Secret>,
    /// How long streams wait between two looks at a log that does not call them, while updates
    /// flow.
    pub poll_fast: Duration,
    /// The same while nothing is published.
    pub poll_slow: Duration,
    /// How many bytes one response may carry.
    pub(crate) response_size: u64,
    /// Whether the platform gives each deployment a host, which nobody else can be.
    pub(crate) has_own_host: bool,
    warnings: Vec<String>,
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("secret")
    }
}

/// Every mistake of a configuration, each with its remedy, and what else looks wrong: a name that
/// is misspelt may be why another is missing. No secret is among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    mistakes: Vec<String>,
    warnings: Vec<String>,
}

impl fmt::Display for ConfigError {
    /// One mistake a line, and then one warning a line.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.mistakes.join("\n"))?;
        self.warnings.iter().try_for_each(|warning| write!(formatter, "\nwarning: {warning}"))
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Reads the configuration of a hub on Cloudflare.
    ///
    /// # Errors
    ///
    /// Every mistake at once.
    pub fn from_variables(
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        Self::for_platform(Platform::Cloudflare, variables)
    }

    /// Reads a configuration from name/value pairs; other names than [`VARIABLES`] are left alone.
    ///
    /// # Errors
    ///
    /// Every mistake at once.
    pub fn for_platform(
        platform: Platform,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(platform, variables);
        let hub_url = reader.optional("HUB_URL", values::hub_url);
        let audiences = reader.required("AUDIENCES", values::list);
        let hub_aliases = reader.required("HUB_ALIASES", values::paths);
        let protocol = reader.required("PROTOCOL", values::protocol);
        let own = Keys {
            publisher: reader.key("MERCURE_PUBLISHER_JWT_KEY", "MERCURE_PUBLISHER_JWT_ALG"),
            subscriber: reader.key("MERCURE_SUBSCRIBER_JWT_KEY", "MERCURE_SUBSCRIBER_JWT_ALG"),
        };
        let issuers = Issuers { trusted: reader.issuers("MERCURE_TRUSTED_ISSUERS", &own), own };
        let anonymous = reader.required("ANONYMOUS", values::switch);
        let cors_origins = reader.required("CORS_ORIGINS", values::cors_origins);
        let publish_origins = reader.required("PUBLISH_ORIGINS", values::origins);
        let cookie_name = match protocol {
            // Whoever has the cookies of both generations is to be let in by this one's.
            Some(Generations::Only(Generation::V0)) if !reader.has("COOKIE_NAME") => {
                Some(LEGACY_COOKIE.to_owned())
            }
            _ => reader.required("COOKIE_NAME", values::cookie_name),
        };
        let query_authorization = reader.required("QUERY_AUTHORIZATION", values::switch);
        let targets = reader.required("TARGETS", values::switch);
        let publish_ungranted = reader.required("PUBLISH_UNGRANTED", values::switch);
        let heartbeat = reader.required("HEARTBEAT", values::duration);
        let stream_lifetime = reader.required("STREAM_LIFETIME", values::lifetime);
        let history_size = match platform {
            Platform::Cloudflare => reader.required("HISTORY_SIZE", values::count),
            Platform::Aws => Some(u64::MAX),
        };
        let history_age = reader.required("HISTORY_AGE", values::duration);
        let replay_max = reader.required("REPLAY_MAX", values::count);
        let max_request_body_size = reader.required("MAX_REQUEST_BODY_SIZE", values::body_size);
        let max_update_size = reader.required("MAX_UPDATE_SIZE", values::size);
        let max_topics = reader.required("MAX_TOPICS", values::quantity);
        let max_matchers = reader.required("MAX_MATCHERS", values::quantity);
        let max_streams = reader.required("MAX_STREAMS", values::quantity);
        let outbox_size = reader.required("OUTBOX_SIZE", values::size);
        let outboxes_size = reader.required("OUTBOXES_SIZE", values::size);
        let native_readers = reader.required("NATIVE_READERS", values::native_readers);
        let serves = reader.required("SERVES", values::serves);
        let origin_secret = reader.optional("ORIGIN_SECRET", |text| Ok(Secret(text.to_owned())));
        let poll_fast = reader.required("POLL_FAST", values::duration);
        let poll_slow = reader.required("POLL_SLOW", values::duration);

        if protocol == Some(Generations::Only(Generation::V1))
            && !reader.has("MERCURE_TRUSTED_ISSUERS")
        {
            reader.mistake(
                "PROTOCOL",
                "is 1.0, whose tokens are refused unless MERCURE_TRUSTED_ISSUERS is set; set that to the `iss` of your tokens",
            );
        }
        let served = protocol.unwrap_or(Generations::Both);
        // Without mistakes so far: they may be the reason.
        let is_clean = reader.is_clean();
        if is_clean && !issuers.can_verify(Role::Publisher, served) {
            reader.mistake(
                "MERCURE_PUBLISHER_JWT_KEY",
                "is not set, and nobody else's key verifies publishers' tokens; set it to the secret that they are signed with, at least 32 bytes",
            );
        }
        if is_clean && anonymous == Some(false) && !issuers.can_verify(Role::Subscriber, served) {
            reader.mistake(
                "MERCURE_SUBSCRIBER_JWT_KEY",
                "is not set, and nobody else's key verifies subscribers' tokens; set it to the secret that they are signed with, or set ANONYMOUS=1 for a hub of public updates",
            );
        }
        let hub_path = hub_url.as_ref().map_or(DEFAULT_PATH, HubUrl::path);
        let taken = |alias: &String| {
            // What is below the hub's path is the hub's own, and so is its metadata.
            [hub_path, METADATA_PATH].iter().any(|path| {
                alias
                    .strip_prefix(path)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
        };
        if let Some(alias) = hub_aliases.iter().flatten().find(|alias| taken(alias)) {
            reader.mistake(
                "HUB_ALIASES",
                &format!("`{alias}` is the hub's own path, or below it; take another, like /hub"),
            );
        }
        // An empty outbox takes an update of any size.
        if let (Some(all), Some(one), Some(update)) = (outboxes_size, outbox_size, max_update_size)
            && all < one.saturating_add(update.saturating_mul(2))
        {
            reader.mistake(
                "OUTBOXES_SIZE",
                "is less than OUTBOX_SIZE and twice MAX_UPDATE_SIZE together; raise it",
            );
        }
        let (mistakes, warnings) = reader.finish();
        // `None` stands for a mistake that the reader has noted.
        let config = (|| {
            Some(Self {
                hub_url,
                hub_aliases: hub_aliases?,
                audiences: audiences?,
                protocol: protocol?,
                issuers,
                anonymous: anonymous?,
                cors_origins: cors_origins?,
                publish_origins: publish_origins?,
                cookie_name: cookie_name?,
                query_authorization: query_authorization?,
                targets: targets?,
                publish_ungranted: publish_ungranted?,
                heartbeat: heartbeat?,
                stream_lifetime: stream_lifetime?,
                history_size: history_size?,
                history_age: history_age?,
                replay_max: replay_max?,
                max_request_body_size: max_request_body_size?,
                max_update_size: max_update_size?,
                max_topics: max_topics?,
                max_matchers: max_matchers?,
                max_streams: max_streams?,
                outbox_size: outbox_size?,
                outboxes_size: outboxes_size?,
                native_readers: native_readers?,
                serves: serves?,
                origin_secret,
                poll_fast: poll_fast?,
                poll_slow: poll_slow?,
                response_size: platform.response_size(),
                has_own_host: platform == Platform::Aws,
                warnings: warnings.clone(),
            })
        })();
        match config {
            Some(config) if mistakes.is_empty() => Ok(config),
            _ => Err(ConfigError { mistakes, warnings }),
        }
    }

    /// What looks wrong and may be meant: names that resemble a variable's, short keys.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let keys = [
            ("MERCURE_PUBLISHER_JWT_KEY", "a publisher's key of thirty-two bytes"),
            ("MERCURE_SUBSCRIBER_JWT_KEY", "a subscriber's key of thirty-two bytes"),
        ];
        let pairs = keys.iter().chain(pairs);
        Config::from_variables(pairs.map(|(name, value)| ((*name).into(), (*value).into())))
    }

    #[test]
    fn a_misspelt_name_is_pointed_out_beside_what_is_missing() {
        let given = [("MERCURE_PUBLISHERS_JWT_KEY", "a publisher's key of thirty-two bytes")];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let told = Config::from_variables(given).map(|_| ()).unwrap_err().to_string();
        for part in [
            "MERCURE_PUBLISHER_JWT_KEY: is not set",
            "MERCURE_SUBSCRIBER_JWT_KEY: is not set",
            "did you mean MERCURE_PUBLISHER_JWT_KEY?",
        ] {
            assert!(told.contains(part), "{part} in {told}");
        }
    }

    fn mistakes(pairs: &[(&str, &str)]) -> String {
        config(pairs).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn keys_are_all_it_needs() {
        let config = config(&[]).unwrap();
        assert_eq!(config.heartbeat, Duration::from_secs(25));
        assert_eq!(config.history_age, Duration::from_secs(24 * 3600));
        assert_eq!(config.max_update_size, 2 << 20);
        assert!(!config.anonymous);
        assert!(config.warnings().is_empty());
    }

    #[test]
    fn every_mistake_is_named_at_once_with_its_remedy() {
        let error = Config::from_variables([
            ("HEARTBEAT".to_owned(), "x".to_owned()),
            ("ANONYMOUS".to_owned(), "maybe".to_owned()),
            ("PROTOCOL".to_owned(), "2.0".to_owned()),
        ])
        .map(|_| ())
        .unwrap_err()
        .to_string();
        let lines: Vec<&str> = error.lines().collect();
        assert_eq!(lines.len(), 3, "{error}");
        for name in ["PROTOCOL: ", "ANONYMOUS: ", "HEARTBEAT: "] {
            assert!(lines.iter().any(|line| line.starts_with(name)), "{name} in {error}");
        }
    }

    #[test]
    fn platforms_differ() {
        let on = |platform, pairs: &[(&str, &str)]| {
            let key = ("MERCURE_PUBLISHER_JWT_KEY", "a publisher's key of thirty-two bytes");
            let pairs = [key, ("ANONYMOUS", "1")].into_iter().chain(pairs.iter().copied());
            Config::for_platform(platform, pairs.map(|(name, value)| (name.into(), value.into())))
        };
        let config = on(Platform::Aws, &[("POLL_FAST", "50ms")]).unwrap();
        assert_eq!(config.heartbeat, Duration::from_secs(15));
        assert_eq!(config.stream_lifetime, Duration::from_secs(300));
        assert_eq!(config.max_update_size, 350_000);
        assert_eq!(config.poll_fast, Duration::from_millis(50));
        assert!(config.warnings().is_empty());
        for (platform, name, value) in
            [(Platform::Aws, "HISTORY_SIZE", "5"), (Platform::Cloudflare, "POLL_FAST", "50ms")]
        {
            let config = on(platform, &[(name, value)]).unwrap();
            let expected = format!("{name} means nothing on {platform}; remove it");
            assert_eq!(config.warnings(), [expected]);
        }
        let has_own_host = |platform| on(platform, &[]).unwrap().has_own_host;
        assert!(has_own_host(Platform::Aws) && !has_own_host(Platform::Cloudflare));
        assert!(on(Platform::Aws, &[("STREAM_LIFETIME", "0")]).unwrap().stream_lifetime.is_zero());
    }

    #[test]
    fn a_subscriber_key_is_needed_unless_all_is_public() {
        let publisher = ("MERCURE_PUBLISHER_JWT_KEY".to_owned(), "k".repeat(32));
        assert!(Config::from_variables([publisher.clone()]).is_err());
        let anonymous = ("ANONYMOUS".to_owned(), "1".to_owned());
        assert!(Config::from_variables([publisher, anonymous]).is_ok());
    }

    #[test]
    fn secrets_are_never_shown() {
        let config = config(&[("MERCURE_PUBLISHER_JWT_KEY", "!ChangeMe!")]).unwrap();
        assert!(config.warnings()[0].contains("MERCURE_PUBLISHER_JWT_KEY"));
        assert!(!format!("{config:?}").contains("ChangeMe"));
        let config = self::config(&[("ORIGIN_SECRET", "tell nobody")]).unwrap();
        assert!(!format!("{config:?}").contains("tell nobody"));
    }

    #[test]
    fn old_names_are_understood_and_new_ones_come_first() {
        let variables = [("JWT_KEY", "k".repeat(32)), ("ALLOW_ANONYMOUS", "1".into())];
        let old = Config::from_variables(variables.map(|(name, value)| (name.into(), value)));
        let old = old.unwrap();
        assert!(old.anonymous && old.issuers.own.subscriber.is_some());
        assert!(!config(&[("ALLOW_ANONYMOUS", "1"), ("ANONYMOUS", "0")]).unwrap().anonymous);
    }

    #[test]
    fn somebody_must_be_able_to_publish() {
        let list = |tokens: &str| {
            let key = "k".repeat(32);
            format!(r#"[{{"issuer": "https://a.example", "key": "{key}", "tokens": [{tokens}]}}]"#)
        };
        let config = |protocol: &str, issuers: &str| {
            Config::from_variables([
                ("PROTOCOL".to_owned(), protocol.to_owned()),
                ("ANONYMOUS".to_owned(), "1".to_owned()),
                ("MERCURE_TRUSTED_ISSUERS".to_owned(), issuers.to_owned()),
            ])
        };
        assert!(config("both", &list("\"1.0\"")).is_ok());
        assert!(config("1.0", &list("\"1.0\"")).is_ok());
        for (protocol, tokens) in [("1.0", "\"0.x\""), ("0.x", "\"1.0\"")] {
            let mistake = config(protocol, &list(tokens)).unwrap_err().to_string();
            assert!(mistake.starts_with("MERCURE_PUBLISHER_JWT_KEY: "), "{mistake}");
        }
        assert!(config("both", "https://a.example").is_err());
    }

    #[test]
    fn a_hub_of_0_x_has_its_own_cookie() {
        let name = |pairs: &[(&str, &str)]| config(pairs).unwrap().cookie_name;
        assert_eq!(name(&[("PROTOCOL", "0.x")]), "mercureAuthorization");
        assert_eq!(name(&[("PROTOCOL", "0.x"), ("COOKIE_NAME", "mine")]), "mine");
        assert_eq!(name(&[]), "__Secure-mercure_access_token");
    }

    #[test]
    fn misspelt_names_are_pointed_out_and_others_left_alone() {
        let config =
            config(&[("ANONYMOS", "1"), ("DATABASE_URL", "x"), ("HISTORYSIZE", "5")]).unwrap();
        assert_eq!(config.warnings().len(), 2);
        assert!(config.warnings().iter().any(|line| line.contains("did you mean ANONYMOUS?")));
    }

    #[test]
    fn values_are_checked() {
        for (name, value) in [
            ("HUB_URL", "/hub"),
            ("HUB_URL", "https://a.example/hub/"),
            ("CORS_ORIGINS", "https://a.example/path"),
            ("CORS_ORIGINS", "* https://a.example"),
            ("PUBLISH_ORIGINS", "*"),
            ("COOKIE_NAME", "a b"),
            ("COOKIE_NAME", " "),
            ("CORS_ORIGINS", "https://*.a.example"),
            ("MERCURE_PUBLISHER_JWT_KEY", "-----BEGIN PUBLIC KEY-----\nMFkw"),
            ("MERCURE_TRUSTED_ISSUERS", ","),
            ("HISTORY_AGE", "1000000d"),
            ("HEARTBEAT", "0s"),
            ("STREAM_LIFETIME", "-1h"),
            ("HISTORY_SIZE", "0"),
            ("MAX_REQUEST_BODY_SIZE", "5MiB"),
            ("MAX_STREAMS", "1.5"),
            ("OUTBOX_SIZE", "1 elephant"),
            ("NATIVE_READERS", "some"),
            ("SERVES", "none"),
            ("POLL_FAST", "1"),
            ("MERCURE_PUBLISHER_JWT_ALG", "ES512"),
            ("MERCURE_PUBLISHER_JWT_ALG", "none"),
            ("MERCURE_TRUSTED_ISSUERS", "https://a https://b"),
            ("MERCURE_TRUSTED_ISSUERS", "[]"),
            ("MERCURE_TRUSTED_ISSUERS", "[{\"issuer\": \"https://a\"}]"),
            ("HUB_ALIASES", "hub"),
            ("HUB_ALIASES", "/hub/"),
            ("HUB_ALIASES", "/healthz"),
            ("HUB_ALIASES", "/hub?x"),
            ("HUB_ALIASES", "/.well-known/mercure"),
            ("HUB_ALIASES", "/hub /.well-known/mercure/subscriptions"),
            ("HUB_ALIASES", "/.well-known/oauth-protected-resource/x"),
            ("PROTOCOL", "1.0"),
            ("PROTOCOL", "7"),
            ("TARGETS", "maybe"),
        ] {
            assert!(mistakes(&[(name, value)]).starts_with(&format!("{name}: ")), "{name}={value}");
        }
    }
}
