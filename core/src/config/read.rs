//! Reading a configuration: each variable by itself, then the rules between them.

use serde_json::Value;

use crate::config::config_error::ConfigError;
use crate::config::platform::Platform;
use crate::config::secret::Secret;
use crate::config::values::Values;
use crate::config::{Config, parse, rules, values};
use crate::trust::issuer::{Issuers, Keys};
use crate::wire::cors::CorsOrigins;
use crate::wire::origin::Origins;

impl Config {
    /// Reads a configuration from pairs of names and values. Names that are not in
    /// [`VARIABLES`](super::VARIABLES) are ignored.
    ///
    /// # Errors
    ///
    /// Every mistake at once.
    pub fn read(
        platform: &Platform,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let text = |(name, value)| (name, Value::String(value));
        Self::read_json(platform, variables.into_iter().map(text))
    }

    /// The same where values need not be text: each counts as [what it says](super::text_of).
    ///
    /// # Errors
    ///
    /// Every mistake at once.
    pub fn read_json(
        platform: &Platform,
        variables: impl IntoIterator<Item = (String, Value)>,
    ) -> Result<Self, ConfigError> {
        let mut values = Values::new(platform, variables);
        let own = Keys {
            publisher: values.trusted(&values::PUBLISHER),
            subscriber: values.trusted(&values::SUBSCRIBER),
        };
        let mut config = Self {
            hub_url: values.optional("HUB_URL", parse::hub_url),
            audiences: values.required("AUDIENCES", parse::list),
            hub_aliases: values.required("HUB_ALIASES", parse::paths),
            protocol: values.required("PROTOCOL", parse::protocol),
            issuers: Issuers { trusted: values.issuers("MERCURE_TRUSTED_ISSUERS", &own), own },
            anonymous: values.required("ANONYMOUS", parse::switch),
            cors_origins: values.required("CORS_ORIGINS", CorsOrigins::parse),
            publish_origins: values.required("PUBLISH_ORIGINS", Origins::parse),
            cookie_name: values.required("COOKIE_NAME", parse::cookie_name),
            legacy_cookie: true,
            query_authorization: values.required("QUERY_AUTHORIZATION", parse::switch),
            targets: values.required("TARGETS", parse::switch),
            publish_ungranted: values.required("PUBLISH_UNGRANTED", parse::switch),
            subscriptions: values.required("SUBSCRIPTIONS", parse::switch),
            debugger: values.required("DEBUGGER", parse::switch),
            heartbeat: values.required("HEARTBEAT", parse::duration),
            stream_lifetime: values.required("STREAM_LIFETIME", parse::lifetime),
            // A log that is not bounded by a number keeps any number of updates.
            history_size: match platform.reads("HISTORY_SIZE") {
                true => values.required("HISTORY_SIZE", parse::count),
                false => u64::MAX,
            },
            history_age: values.required("HISTORY_AGE", parse::duration),
            replay_max: values.required("REPLAY_MAX", parse::count),
            max_request_body_size: values.required("MAX_REQUEST_BODY_SIZE", |text| {
                parse::body_size(text, platform.largest_body)
            }),
            max_update_size: values.required("MAX_UPDATE_SIZE", parse::size),
            max_topics: values.required("MAX_TOPICS", parse::quantity),
            max_matchers: values.required("MAX_MATCHERS", parse::quantity),
            max_streams: values.required("MAX_STREAMS", parse::quantity),
            relays: values.required("RELAYS", parse::relays),
            relay_regions: values.required("RELAY_REGIONS", parse::regions),
            max_streams_per_token: values.optional("MAX_STREAMS_PER_TOKEN", parse::most),
            max_streams_per_address: values.optional("MAX_STREAMS_PER_ADDRESS", parse::most),
            max_publications_per_second: values
                .optional("MAX_PUBLICATIONS_PER_SECOND", parse::most),
            address_header: values.required("ADDRESS_HEADER", parse::field_name),
            outbox_size: values.required("OUTBOX_SIZE", parse::size),
            outboxes_size: values.required("OUTBOXES_SIZE", parse::size),
            native_readers: values.required("NATIVE_READERS", parse::native_readers),
            serves: values.required("SERVES", parse::serves),
            origin_secret: values.optional("ORIGIN_SECRET", Secret::parse),
            feed_secret: values.optional("FEED_SECRET", Secret::parse_long),
            follow: values.optional("FOLLOW", parse::followed),
            forwards: values.required("FOLLOW_PUBLISH", parse::forwards),
            checks_websockets: platform.checks_websockets,
            poll_fast: values.required("POLL_FAST", parse::duration),
            poll_slow: values.required("POLL_SLOW", parse::duration),
            response_size: platform.response_size,
            has_own_host: platform.has_own_host,
            warnings: Vec::new(),
            deployment_mistakes: Vec::new(),
        };
        rules::apply(&mut values, &mut config, platform);
        let warnings = values.finish()?;
        Ok(Self { warnings, ..config })
    }
}
