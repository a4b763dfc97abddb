//! Configuration: from pairs of names and values to values that need no more checking.
//!
//! [`VARIABLES`] is the one table of names, defaults and meanings; the README's is made from it. A
//! [`Platform`] says how it differs. To add a variable, add its row in `variables.rs`, its field in
//! [`Config`], and its line in `read.rs`; a rule that it is part of goes to `rules.rs`.
//!
//! ```
//! use cinnabar_core::{Config, Platform};
//!
//! let variables = [("HEARTBEAT".to_owned(), "soon".to_owned())];
//! let mistakes = Config::read(&Platform::new("my machine"), variables)
//!     .expect_err("the heartbeat is not a duration, and there are no keys");
//! assert!(mistakes.to_string().contains("HEARTBEAT: `soon` is not a duration"));
//! ```

mod config_error;
mod json;
mod names;
mod parse;
mod platform;
mod read;
mod region;
mod rules;
mod secret;
pub(crate) mod serves;
#[cfg(test)]
mod tests;
mod values;
mod variables;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::config::secret::Secret;
use crate::config::serves::Serves;
use crate::terms::generation::{Generation, Generations};
use crate::terms::hub_url::{DEFAULT_PATH, FEED, HubUrl, METADATA_PATH};
use crate::trust::issuer::Issuers;
use crate::trust::key_ring::KeyRing;
use crate::trust::key_source::KeySource;
use crate::wire::cors::CorsOrigins;
use crate::wire::origin::Origins;
use crate::wire::reader::NativeReaders;

pub use config_error::ConfigError;
pub use json::text_of;
pub use names::{all as names, by_todays_names, resembles};
pub use parse::switch;
pub use platform::Platform;
pub use region::{Coordinates, Region};
pub use variables::{VARIABLES, Variable};

pub use crate::trust::algorithm::algorithm;
pub use crate::trust::issuer_list::own_issuer;
pub use crate::trust::key_text::shared_secret;

/// The cookie of the 0.x protocol.
pub(crate) const LEGACY_COOKIE: &str = "mercureAuthorization";

/// The configuration of a hub.
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) hub_url: Option<HubUrl>,
    pub(crate) audiences: Vec<String>,
    pub(crate) hub_aliases: Vec<String>,
    pub(crate) protocol: Generations,
    pub(crate) issuers: Issuers,
    pub(crate) anonymous: bool,
    pub(crate) cors_origins: CorsOrigins,
    pub(crate) publish_origins: Origins,
    pub(crate) cookie_name: String,
    /// Whether a token may also come in the cookie of the 0.x protocol.
    pub(crate) legacy_cookie: bool,
    pub(crate) query_authorization: bool,
    pub(crate) targets: bool,
    pub(crate) publish_ungranted: bool,
    /// Whether subscriptions are told of, and listed.
    pub(crate) subscriptions: bool,
    /// Whether there is a page to look with, and whether refusals say what is wrong with a token.
    pub(crate) debugger: bool,
    pub(crate) heartbeat: Duration,
    pub(crate) stream_lifetime: Duration,
    pub(crate) history_size: u64,
    pub(crate) history_age: Duration,
    pub(crate) replay_max: u64,
    pub(crate) max_request_body_size: usize,
    pub(crate) max_update_size: usize,
    pub(crate) max_topics: usize,
    pub(crate) max_matchers: usize,
    pub(crate) max_streams: usize,
    relays: u32,
    relay_regions: Vec<Region>,
    pub(crate) max_streams_per_token: Option<u32>,
    pub(crate) max_streams_per_address: Option<u32>,
    pub(crate) max_publications_per_second: Option<u32>,
    /// The field in which a proxy in front of the hub names the client's address.
    pub(crate) address_header: Option<String>,
    pub(crate) outbox_size: usize,
    pub(crate) outboxes_size: usize,
    pub(crate) native_readers: NativeReaders,
    pub(crate) serves: Serves,
    pub(crate) origin_secret: Option<Secret>,
    pub(crate) feed_secret: Option<Secret>,
    /// The hub that this one follows,
    pub(crate) follow: Option<HubUrl>,
    /// and whether publications are forwarded to it.
    pub(crate) forwards: bool,
    /// Whether the platform checks how a WebSocket is begun.
    pub(crate) checks_websockets: bool,
    poll_fast: Duration,
    poll_slow: Duration,
    /// How many bytes one response may carry.
    pub(crate) response_size: u64,
    /// Whether the platform gives each deployment a host that nobody else can have.
    pub(crate) has_own_host: bool,
    warnings: Vec<String>,
    deployment_mistakes: Vec<String>,
}

impl Config {
    /// How many updates the log keeps, if it keeps a number of them.
    #[must_use]
    pub fn history_size(&self) -> u64 {
        self.history_size
    }

    /// Whether streams end as soon as they have caught up, so that readers poll.
    pub(crate) fn polls(&self) -> bool {
        self.stream_lifetime.is_zero()
    }

    /// How long the log keeps an update.
    #[must_use]
    pub fn history_age(&self) -> Duration {
        self.history_age
    }

    /// The most updates that are replayed to one subscriber.
    #[must_use]
    pub fn replay_max(&self) -> u64 {
        self.replay_max
    }

    /// The most streams that may be open.
    #[must_use]
    pub fn max_streams(&self) -> usize {
        self.max_streams
    }

    /// How many relays hold the streams, in each region if any are named; without any, they are held
    /// beside the log. A hub that follows another has no log, and so has one at least.
    #[must_use]
    pub fn relays(&self) -> u32 {
        self.relays.max(u32::from(self.follow.is_some()))
    }

    /// The regions in which there are relays. Without any, the platform chooses where they are.
    #[must_use]
    pub fn relay_regions(&self) -> &[Region] {
        &self.relay_regions
    }

    /// Whether subscriptions are told of, and listed.
    #[must_use]
    pub fn subscriptions(&self) -> bool {
        self.subscriptions
    }

    /// Whether there is a page to look at the hub with.
    #[must_use]
    pub fn has_debugger(&self) -> bool {
        self.debugger
    }

    /// The hub that this one follows, instead of a log of its own.
    #[must_use]
    pub fn follow(&self) -> Option<&HubUrl> {
        self.follow.as_ref()
    }

    /// Whether publications are forwarded to the hub that this one follows.
    #[must_use]
    pub fn forwards(&self) -> bool {
        self.follow.is_some() && self.forwards
    }

    /// Whether others may follow this hub. Those that follow another are not followed.
    #[must_use]
    pub fn leads(&self) -> bool {
        self.feed_secret.is_some() && self.follow.is_none()
    }

    /// The URL of the feed of the hub that this one follows, and the secret that opens it.
    pub(crate) fn feed(&self) -> Option<(String, &str)> {
        let url = format!("{}{FEED}", self.follow.as_ref()?.as_str());
        Some((url, self.feed_secret.as_ref()?.as_str()))
    }

    /// How long streams wait between two reads of a log that cannot call them, while updates flow.
    #[must_use]
    pub fn poll_fast(&self) -> Duration {
        self.poll_fast
    }

    /// The same, while nothing is published.
    #[must_use]
    pub fn poll_slow(&self) -> Duration {
        self.poll_slow
    }

    /// The path of the hub.
    #[must_use]
    pub fn path(&self) -> &str {
        self.hub_url.as_ref().map_or(DEFAULT_PATH, HubUrl::path)
    }

    /// The path of what the hub says of itself as a protected resource (RFC 9728).
    #[must_use]
    pub fn metadata_path(&self) -> String {
        format!("{METADATA_PATH}{}", self.path())
    }

    /// The keys that issuers publish, none of which are known yet; `None` if the hub trusts no such
    /// keys.
    #[must_use]
    pub fn key_ring(&self) -> Option<KeyRing> {
        self.issuers.sources().next().is_some().then(|| KeyRing::new(self.issuers.sources()))
    }

    /// Where the hub fetches keys, for people to read.
    #[must_use]
    pub fn key_places(&self) -> BTreeSet<String> {
        self.issuers.sources().map(KeySource::shown).collect()
    }

    /// Whether it serves draft-08.
    #[must_use]
    pub fn serves_v1(&self) -> bool {
        self.protocol.contains(Generation::V1)
    }

    /// Whether it serves the 0.x protocol.
    #[must_use]
    pub fn serves_v0(&self) -> bool {
        self.protocol.contains(Generation::V0)
    }

    /// Whether subscribers need no token.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.anonymous
    }

    /// Whether a 0.x token may come in a URL.
    #[must_use]
    pub fn takes_tokens_in_urls(&self) -> bool {
        self.query_authorization && self.serves_v0()
    }

    /// What looks wrong but may be intended: names that resemble a variable's, weak keys.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// What would be a mistake in a deployed hub, although it starts: keys from public documentation or
    /// by plain http, and names that resemble a variable's. They are among the
    /// [`warnings`](Self::warnings), but for keys if `HUB_URL` is an address of this machine, where
    /// developers use such keys.
    #[must_use]
    pub fn deployment_mistakes(&self) -> &[String] {
        &self.deployment_mistakes
    }
}
