//! Configuration: from name/value pairs to values that need no more checking.
//!
//! [`VARIABLES`] is the one table of names, defaults and meanings; the README's is made from it.
//! To add a variable, add its row, its field in [`Config`], and its line in
//! [`Config::from_variables`].
//!
//! ```
//! use cinnabar_core::Config;
//!
//! let mistakes = Config::from_variables([("HEARTBEAT".to_owned(), "soon".to_owned())])
//!     .expect_err("the heartbeat is no duration, and there are no keys");
//! assert!(mistakes.to_string().contains("HEARTBEAT: `soon` is not a duration"));
//! ```

mod issuers;
mod keys;
mod names;
mod values;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

pub use self::names::OLD_NAMES;
use crate::generation::{Generation, Generations};
use crate::hub_url::HubUrl;
use crate::issuer::{Issuer, Issuers, Keys};
use crate::key::Key;
use crate::request::Request;
use crate::token::Role;

/// A configuration variable, as users see it.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// Its value when it is unset or empty; empty where there is none.
    pub default: &'static str,
    /// What it does, in Markdown.
    pub meaning: &'static str,
    /// Whether its value must never be shown.
    pub secret: bool,
}

const fn variable(name: &'static str, default: &'static str, meaning: &'static str) -> Variable {
    Variable { name, default, meaning, secret: false }
}

const fn secret(name: &'static str, meaning: &'static str) -> Variable {
    Variable { name, default: "", meaning, secret: true }
}

/// Every variable that the hub reads.
pub const VARIABLES: &[Variable] = &[
    variable(
        "HUB_URL",
        "",
        "The public URL of the hub: the audience of 1.0 tokens, and the base of the reserved namespace. Unset: `/.well-known/mercure` at the host of each request; set it if the Worker answers on a wildcard route.",
    ),
    variable("AUDIENCES", "", "More audiences to accept in 1.0 tokens, separated by spaces."),
    variable(
        "HUB_ALIASES",
        "",
        "More paths at which the hub answers, such as `/hub`, separated by spaces.",
    ),
    variable(
        "PROTOCOL",
        "both",
        "Which generations of the protocol are served: `both`, `1.0` (draft-08) or `0.x`.",
    ),
    secret(
        "MERCURE_PUBLISHER_JWT_KEY",
        "What publishers' tokens are verified with: a shared secret, or a public key in PEM or as JWK. Required, unless an issuer has one.",
    ),
    variable(
        "MERCURE_PUBLISHER_JWT_ALG",
        "",
        "The algorithm of publishers' tokens: `HS256` (of a secret, if unset), `HS384`, `HS512`, `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`, `ES384` or `EdDSA`. A JWK may name its own.",
    ),
    secret(
        "MERCURE_SUBSCRIBER_JWT_KEY",
        "What subscribers' tokens are verified with. Required unless `ANONYMOUS=1`, or an issuer has one.",
    ),
    variable("MERCURE_SUBSCRIBER_JWT_ALG", "", "The algorithm of subscribers' tokens."),
    secret(
        "MERCURE_TRUSTED_ISSUERS",
        "The `iss` that 1.0 tokens must carry, if the keys above verify them; or a JSON list of issuers, each with its keys (see [Tokens](#tokens)). Unset: 1.0 tokens are refused.",
    ),
    variable("ANONYMOUS", "0", "`1`: subscribers need no token; they get public updates only."),
    variable(
        "CORS_ORIGINS",
        "",
        "Origins whose pages may read the hub's answers, separated by spaces. `*` allows all, without cookies.",
    ),
    variable(
        "PUBLISH_ORIGINS",
        "",
        "Origins whose pages may publish with a cookie, beside the hub's own, separated by spaces.",
    ),
    variable(
        "COOKIE_NAME",
        "__Secure-mercure_access_token",
        "The cookie that may carry a token, beside `mercureAuthorization`.",
    ),
    variable(
        "QUERY_AUTHORIZATION",
        "1",
        "`1`: a 0.x token may come in the query parameter `authorization`, as some clients send it. URLs end up in logs; turn it off if yours do not need it.",
    ),
    variable(
        "TARGETS",
        "0",
        "`1`: the field `target` of the protocol's first years counts; who publishes needs a grant for every target, and who reads for one of them. Otherwise it is ignored.",
    ),
    variable(
        "PUBLISH_UNGRANTED",
        "0",
        "`1`: a 0.x publisher needs no grant for public updates, as in the protocol's first years.",
    ),
    variable(
        "HEARTBEAT",
        "25s",
        "The longest silence of a stream before the hub writes a comment.",
    ),
    variable(
        "STREAM_LIFETIME",
        "1h",
        "How long a stream lives, give or take 20 %; then its reader reconnects and resumes.",
    ),
    variable("HISTORY_SIZE", "10000", "How many updates are kept for subscribers that resume."),
    variable("HISTORY_AGE", "24h", "How long updates are kept."),
    variable("REPLAY_MAX", "10000", "How many updates are replayed to one subscriber at most."),
    variable(
        "MAX_REQUEST_BODY_SIZE",
        "1MiB",
        "The largest body of a publication; at most 1900kB, since a row of the log holds 2 MB.",
    ),
    variable("MAX_UPDATE_SIZE", "2MiB", "The largest update, as framed for an event stream."),
    variable("MAX_TOPICS", "1000", "The most topics of one update."),
    variable("MAX_MATCHERS", "300", "The most topic matchers of one subscriber."),
    variable("MAX_STREAMS", "4000", "The most streams at a time."),
    variable(
        "OUTBOX_SIZE",
        "256KiB",
        "How much may wait for one slow reader before its stream goes back to replaying.",
    ),
    variable(
        "OUTBOXES_SIZE",
        "32MiB",
        "How much may wait for all slow readers; past it those that wait longest are cut, and resume.",
    ),
    variable(
        "NATIVE_READERS",
        "auto",
        "Which readers are told their position while nothing is published: `auto` (those that look like a browser's `EventSource`), `always`, `never`.",
    ),
];

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
    /// How many updates the log keeps.
    pub history_size: u64,
    /// How long the log keeps an update.
    pub history_age: Duration,
    pub(crate) replay_max: u64,
    pub(crate) max_request_body_size: usize,
    pub(crate) max_update_size: usize,
    pub(crate) max_topics: usize,
    pub(crate) max_matchers: usize,
    pub(crate) max_streams: usize,
    pub(crate) outbox_size: usize,
    pub(crate) outboxes_size: usize,
    pub(crate) native_readers: NativeReaders,
    warnings: Vec<String>,
}

/// Whose pages may read answers across origins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origins {
    /// Everybody's, without credentials.
    All,
    /// Those of these origins, with credentials.
    Listed(Vec<String>),
}

/// Which readers are taken for a browser's own `EventSource`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NativeReaders {
    Auto,
    Always,
    Never,
}

/// Every mistake of a configuration, each with its remedy; no secret among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    mistakes: Vec<String>,
}

impl fmt::Display for ConfigError {
    /// One mistake a line.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.mistakes.join("\n"))
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Reads a configuration from name/value pairs; other names than [`VARIABLES`] are left alone.
    ///
    /// # Errors
    ///
    /// Every mistake at once.
    pub fn from_variables(
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(variables);
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
        let cookie_name = reader.required("COOKIE_NAME", values::cookie_name);
        let query_authorization = reader.required("QUERY_AUTHORIZATION", values::switch);
        let targets = reader.required("TARGETS", values::switch);
        let publish_ungranted = reader.required("PUBLISH_UNGRANTED", values::switch);
        let heartbeat = reader.required("HEARTBEAT", values::duration);
        let stream_lifetime = reader.required("STREAM_LIFETIME", values::duration);
        let history_size = reader.required("HISTORY_SIZE", values::count);
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

        if reader.lacks_key("MERCURE_PUBLISHER_JWT_KEY", &issuers, Role::Publisher) {
            reader.mistake(
                "MERCURE_PUBLISHER_JWT_KEY",
                "is not set; set it to the secret that publishers sign their tokens with, at least 32 bytes",
            );
        }
        if reader.lacks_key("MERCURE_SUBSCRIBER_JWT_KEY", &issuers, Role::Subscriber)
            && anonymous == Some(false)
        {
            reader.mistake(
                "MERCURE_SUBSCRIBER_JWT_KEY",
                "is not set; set it to the secret that subscribers' tokens are signed with, or set ANONYMOUS=1 for a hub of public updates",
            );
        }
        if protocol == Some(Generations::Only(Generation::V1))
            && !reader.has("MERCURE_TRUSTED_ISSUERS")
        {
            reader.mistake(
                "PROTOCOL",
                "is 1.0, whose tokens are refused unless MERCURE_TRUSTED_ISSUERS is set; set that to the `iss` of your tokens",
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
                warnings,
            })
        })();
        match config {
            Some(config) if mistakes.is_empty() => Ok(config),
            _ => Err(ConfigError { mistakes }),
        }
    }

    /// What looks wrong and may be meant: names that resemble a variable's, short keys.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The hub's URL: as configured, else at the origin that the platform vouches for.
    pub(crate) fn hub_url(&self, request: &Request) -> Option<HubUrl> {
        match &self.hub_url {
            Some(url) => Some(url.clone()),
            None => HubUrl::at_origin(request.origin()).ok(),
        }
    }
}

/// Reads values by name, and notes mistakes and warnings on the way.
struct Reader {
    values: BTreeMap<String, String>,
    mistakes: Vec<String>,
    warnings: Vec<String>,
}

impl Reader {
    fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut values: BTreeMap<String, String> =
            variables.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        for (old, names) in names::OLD_NAMES {
            if let Some(value) = values.remove(old) {
                for name in names {
                    values.entry((*name).to_owned()).or_insert_with(|| value.clone());
                }
            }
        }
        let mut reader = Self { values, mistakes: Vec::new(), warnings: Vec::new() };
        let given: Vec<String> = reader.values.keys().cloned().collect();
        for name in given {
            if names::NOT_YET.contains(&name.as_str()) {
                reader.mistake(&name, "is not supported by this version; remove it");
            } else if let Some(known) = names::resembles(&name) {
                reader
                    .warnings
                    .push(format!("{name} is not a variable of the hub; did you mean {known}?"));
            }
        }
        reader
    }

    fn mistake(&mut self, name: &str, what: &str) {
        self.mistakes.push(format!("{name}: {what}"));
    }

    fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// The parsed value, or the parsed default.
    fn required<T>(&mut self, name: &str, parse: fn(&str) -> Result<T, String>) -> Option<T> {
        let default = VARIABLES.iter().find(|variable| variable.name == name)?.default;
        let text = self.values.get(name).map_or(default, |value| value.trim());
        match parse(text) {
            Ok(value) => Some(value),
            Err(what) => {
                self.mistake(name, &what);
                None
            }
        }
    }

    /// The parsed value, if there is one.
    fn optional<T>(&mut self, name: &str, parse: fn(&str) -> Result<T, String>) -> Option<T> {
        self.has(name).then(|| self.required(name, parse)).flatten()
    }

    /// The key of a role, with the algorithm that another variable names.
    fn key(&mut self, name: &str, algorithm_name: &str) -> Option<Key> {
        // One that is wrong is noted, whether there is a key for it or not.
        let algorithm = self.optional(algorithm_name, keys::algorithm);
        if self.has(algorithm_name) && algorithm.is_none() {
            return None;
        }
        match keys::key(self.values.get(name)?, algorithm) {
            Ok(read) => {
                let warnings = read.warnings.iter().map(|warning| format!("{name} {warning}"));
                self.warnings.extend(warnings);
                Some(read.key)
            }
            Err(what) => {
                self.mistake(name, &what);
                None
            }
        }
    }

    fn issuers(&mut self, name: &str, own: &Keys) -> Vec<Issuer> {
        let Some(text) = self.values.get(name) else { return Vec::new() };
        let warnings = &mut self.warnings;
        match issuers::read(text, own, &mut |warning| warnings.push(warning)) {
            Ok(issuers) => issuers,
            Err(what) => {
                self.mistake(name, &what);
                Vec::new()
            }
        }
    }

    /// Whether nobody has a key for a role, and no mistake says so already.
    fn lacks_key(&self, name: &str, issuers: &Issuers, role: Role) -> bool {
        let is_trusted_wrongly = self.has("MERCURE_TRUSTED_ISSUERS") && issuers.trusted.is_empty();
        !issuers.has_key(role) && !self.has(name) && !is_trusted_wrongly
    }

    fn finish(self) -> (Vec<String>, Vec<String>) {
        (self.mistakes, self.warnings)
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
        assert_eq!(lines.len(), 4, "{error}");
        for name in ["PROTOCOL: ", "ANONYMOUS: ", "HEARTBEAT: ", "MERCURE_PUBLISHER_JWT_KEY: "] {
            assert!(lines.iter().any(|line| line.starts_with(name)), "{name} in {error}");
        }
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
            ("MERCURE_PUBLISHER_JWT_ALG", "ES512"),
            ("MERCURE_PUBLISHER_JWT_ALG", "none"),
            ("MERCURE_TRUSTED_ISSUERS", "https://a https://b"),
            ("MERCURE_TRUSTED_ISSUERS", "[]"),
            ("MERCURE_TRUSTED_ISSUERS", "[{\"issuer\": \"https://a\"}]"),
            ("HUB_ALIASES", "hub"),
            ("HUB_ALIASES", "/hub/"),
            ("HUB_ALIASES", "/healthz"),
            ("HUB_ALIASES", "/hub?x"),
            ("PROTOCOL", "1.0"),
            ("PROTOCOL", "7"),
            ("TARGETS", "maybe"),
        ] {
            assert!(mistakes(&[(name, value)]).starts_with(&format!("{name}: ")), "{name}={value}");
        }
    }
}
