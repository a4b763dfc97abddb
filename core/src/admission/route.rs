//! Routing: what a path and a method ask for, and at which URL the hub is.
//!
//! | path | method | |
//! |---|---|---|
//! | the hub's, or an alias | `GET`, `QUERY` | subscribe |
//! | | `HEAD` | what subscribing would answer |
//! | | `POST` | publish |
//! | [`METADATA_PATH`], then one of these | `GET`, `HEAD` | the hub's metadata |
//! | below `/subscriptions` behind it, where there is presence | `GET`, `HEAD` | who is here |
//! | `/debug` behind it, where there is a debugger | `GET`, `HEAD` | a page to look at the hub with |
//! | `/debug/facts` behind it, likewise | `GET`, `HEAD` | what that page is told of the hub |
//! | [`HEALTH_PATH`] | `GET`, `HEAD` | the hub's health |
//! | [`ROBOTS_PATH`] | `GET`, `HEAD` | what robots are told |
//! | each of these | `OPTIONS` | a preflight |
//! | `/feed` behind the hub's, where it may be followed | `GET` | the feed |
//!
//! Here, too, is all that is refused without looking at credentials: requests that came past a
//! CDN, and those whose URL or body is too long.

use std::fmt;

use crate::admission::envelope::Envelope;
use crate::config::Config;
use crate::config::serves::Serves;
use crate::limits::{MAX_QUERY_BODY_LENGTH, MAX_URL_LENGTH};
use crate::terms::hub_url::{DEFAULT_PATH, FEED, HEALTH_PATH, HubUrl, METADATA_PATH, ROBOTS_PATH};
use crate::terms::subscription::Scope;
use crate::trust::role::Role;
use crate::wire::cors::Cors;
use crate::wire::discovery::MetadataUrl;
use crate::wire::refusal::Refusal;
use crate::wire::request::Request;

/// The methods of what can only be read: the hub's metadata and health, and what robots are told.
const READ_METHODS: &str = "GET, HEAD, OPTIONS";

/// The field in which a CDN in front of the hub sends its secret.
const ORIGIN_SECRET_FIELD: &str = "x-origin-verify";

/// What a path and a method ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// What may be sent to a path.
    Preflight { methods: &'static str },
    /// What the hub says of itself as a protected resource.
    Metadata,
    /// The hub's health.
    CheckHealth,
    /// What robots are told.
    TellRobots,
    /// A page to look at the hub with.
    Debugger,
    /// What that page is told of the hub.
    Facts,
    /// Active subscriptions, at a path that begins with the hub's.
    List { scope: Scope, path: String },
    /// What hubs follow.
    Feed,
    /// The hub itself.
    Hub(Purpose),
}

/// What is asked of the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Publish,
    Subscribe,
    /// What a subscriber would be answered, without a stream.
    Probe,
    /// To subscribe, with parameters in the body as well.
    Query,
}

impl Route {
    /// What a token is presented for.
    pub(super) fn role(&self) -> Role {
        match self {
            Self::Hub(Purpose::Publish) => Role::Publisher,
            _ => Role::Subscriber,
        }
    }
}

impl Purpose {
    /// Whether it is answered with a stream, or with what one would begin with.
    pub(super) fn subscribes(self) -> bool {
        self != Self::Publish
    }

    /// How long a body may be; `None` where bodies have no meaning.
    pub(super) fn body_limit(self, config: &Config) -> Option<usize> {
        match self {
            Self::Publish => Some(config.max_request_body_size),
            Self::Query => Some(MAX_QUERY_BODY_LENGTH),
            Self::Subscribe | Self::Probe => None,
        }
    }
}

/// Random bytes that are fresh for a request.
#[derive(Clone, Copy)]
pub(super) struct Random([u8; 32]);

impl Random {
    /// What the id of an update is made of, and what differs from stream to stream.
    pub(super) fn for_update(&self) -> [u8; 16] {
        self.part(0)
    }

    /// What all that others are told of a subscriber is made of.
    pub(super) fn for_presence(&self) -> [u8; 16] {
        self.part(16)
    }

    /// What the pauses of an answer that asks its reader to come back are made of.
    pub(super) fn for_pauses(&self) -> [u8; 8] {
        self.part(0)
    }

    fn part<const LENGTH: usize>(&self, at: usize) -> [u8; LENGTH] {
        std::array::from_fn(|index| self.0[at + index])
    }
}

/// A request to something that exists. This is what all later steps look at.
pub(super) struct Routed<'a> {
    pub(super) request: &'a Request,
    pub(super) config: &'a Config,
    pub(super) route: Route,
    /// The hub's URL, for this request.
    pub(super) hub: HubUrl,
    /// The path at which this client addresses the hub: its own, or an alias.
    path: String,
    /// What its answers say about reading them across origins.
    pub(super) cors: Cors,
    pub(super) random: Random,
}

impl fmt::Debug for Routed<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Routed")
            .field("request", self.request)
            .field("route", &self.route)
            .field("hub", &self.hub)
            .finish_non_exhaustive()
    }
}

impl<'a> Routed<'a> {
    /// Finds what a request is for.
    ///
    /// # Errors
    ///
    /// There is nothing like that, or the request's head alone is reason to refuse it.
    pub(super) fn find(
        request: &'a Request,
        config: &'a Config,
        cors: Cors,
        entropy: [u8; 32],
    ) -> Result<Self, Refusal> {
        let path = canonical(request.path());
        // Robots would take a 403 for leave to read everything (RFC 9309, section 2.3.1.3).
        if path != ROBOTS_PATH {
            check_origin(request, config)?;
        }
        if request.url_length() > MAX_URL_LENGTH {
            return Err(Refusal::UrlTooLong);
        }
        // The hub cannot be at a host that makes no URL.
        let hub = hub_url(request, config)
            .ok_or_else(|| Refusal::NotFound { hub_path: DEFAULT_PATH.to_owned() })?;
        let described = path.strip_prefix(METADATA_PATH).filter(|_| config.serves_v1());
        let (route, cors) = match described.filter(|path| is_hub(path, config, &hub)) {
            // RFC 9728: it is for clients that know nothing of the hub yet.
            Some(_) => (read(request.method(), Route::Metadata)?, Cors::Open),
            None => (route(request.method(), &path, config, &hub)?, cors),
        };
        if let Route::Hub(purpose) = route
            && let Some(limit) = purpose.body_limit(config)
        {
            check_announced_length(request, limit)?;
        }
        let path = match described {
            Some(path) => path.to_owned(),
            None if is_hub(&path, config, &hub) => path,
            // What is behind the hub's path is the hub's.
            None => hub.path().to_owned(),
        };
        Ok(Self { request, config, route, hub, path, cors, random: Random(entropy) })
    }

    /// The hub as this client addresses it.
    pub(super) fn resource(&self) -> String {
        format!("{}{}", self.hub.origin(), self.path)
    }

    /// Where its metadata is; a hub of 0.x alone has none.
    pub(super) fn metadata(&self) -> Option<MetadataUrl> {
        let Self { config, hub, path, .. } = self;
        config.serves_v1().then(|| MetadataUrl::of(&hub.origin(), path))
    }

    /// What every refusal of this request carries.
    pub(super) fn envelope(&self) -> Envelope {
        let Self { route, cors, config, .. } = self;
        let subscribes = matches!(route, Route::Hub(purpose) if purpose.subscribes());
        let (metadata, explains) = (self.metadata(), config.debugger);
        Envelope { cors: cors.clone(), metadata, subscribes, explains }
    }

    /// The URL by which the request reached one hub of several, each at a host that the platform
    /// itself gave it: another audience of tokens.
    pub(super) fn own_url(&self) -> Option<HubUrl> {
        let Self { request, config, hub, .. } = self;
        let url = config.has_own_host.then(|| format!("{}{}", request.origin(), hub.path()))?;
        HubUrl::parse(&url).ok()
    }
}

/// What a refusal carries whose request is for nothing that exists, or was not looked at further: it is
/// no challenge, but may yet answer a subscription.
pub(super) fn envelope_of_unrouted(request: &Request, config: &Config, cors: Cors) -> Envelope {
    let is_of_hub = hub_url(request, config)
        .is_some_and(|hub| is_hub(&canonical(request.path()), config, &hub));
    let subscribes = is_of_hub && matches!(request.method(), "GET" | "HEAD" | "QUERY");
    let subscribes = subscribes && config.serves.subscribes();
    Envelope { cors, metadata: None, subscribes, explains: config.debugger }
}

/// Refuses a request that did not come through the CDN in front of the hub, if there is one.
fn check_origin(request: &Request, config: &Config) -> Result<(), Refusal> {
    let Some(secret) = &config.origin_secret else { return Ok(()) };
    let mut values = request.header_values(ORIGIN_SECRET_FIELD);
    if values.any(|value| secret.is(value)) { Ok(()) } else { Err(Refusal::Bypass) }
}

/// The hub's URL: as configured, else at the origin that the platform vouches for.
fn hub_url(request: &Request, config: &Config) -> Option<HubUrl> {
    match &config.hub_url {
        Some(url) => Some(url.clone()),
        None => HubUrl::at_origin(request.origin()).ok(),
    }
}

/// Whether the hub answers at this path.
fn is_hub(path: &str, config: &Config, hub: &HubUrl) -> bool {
    path == hub.path() || config.hub_aliases.iter().any(|alias| alias == path)
}

fn route(method: &str, path: &str, config: &Config, hub: &HubUrl) -> Result<Route, Refusal> {
    if is_hub(path, config, hub) {
        let serves = config.serves;
        Ok(match method {
            "GET" if serves.subscribes() => Route::Hub(Purpose::Subscribe),
            "HEAD" if serves.subscribes() => Route::Hub(Purpose::Probe),
            "QUERY" if serves.subscribes() => Route::Hub(Purpose::Query),
            "POST" if serves.publishes() => Route::Hub(Purpose::Publish),
            "OPTIONS" => Route::Preflight { methods: methods(config) },
            _ => return Err(refused_method(method, config)),
        })
    } else {
        match path {
            HEALTH_PATH => read(method, Route::CheckHealth),
            ROBOTS_PATH => read(method, Route::TellRobots),
            _ if is_feed(path, config, hub) => match method {
                "GET" => Ok(Route::Feed),
                _ => Err(Refusal::Method { allowed: "GET" }),
            },
            _ => match listed(path, config, hub).or_else(|| debugged(path, config, hub)) {
                Some(found) => read(method, found),
                None => Err(Refusal::NotFound { hub_path: hub.path().to_owned() }),
            },
        }
    }
}

/// Whoever would publish at a hub that follows another learns where to.
fn refused_method(method: &str, config: &Config) -> Refusal {
    match &config.follow {
        Some(leader) if method == "POST" => {
            Refusal::PublishElsewhere { allowed: methods(config), leader: leader.to_string() }
        }
        _ => Refusal::Method { allowed: methods(config) },
    }
}

/// Whether hubs that follow this one find the feed at this path.
fn is_feed(path: &str, config: &Config, hub: &HubUrl) -> bool {
    config.leads() && path.strip_suffix(FEED).is_some_and(|path| is_hub(path, config, hub))
}

/// The route of a request to something that can only be read.
fn read(method: &str, resource: Route) -> Result<Route, Refusal> {
    match method {
        "GET" | "HEAD" => Ok(resource),
        "OPTIONS" => Ok(Route::Preflight { methods: READ_METHODS }),
        _ => Err(Refusal::Method { allowed: READ_METHODS }),
    }
}

/// The active subscriptions that are at a path, if the hub has any: behind its own path, or behind
/// an alias, as if that were the hub's.
fn listed(path: &str, config: &Config, hub: &HubUrl) -> Option<Route> {
    if !config.subscriptions || !config.serves.subscribes() {
        return None;
    }
    let mut scopes = hub_paths(config, hub).filter_map(|hub_path| {
        let scope = Scope::of(path, hub_path, config.protocol)?;
        Some((scope, format!("{}{}", hub.path(), &path[hub_path.len()..])))
    });
    scopes.next().map(|(scope, path)| Route::List { scope, path })
}

/// The route to the debugger, if the hub has it, likewise.
fn debugged(path: &str, config: &Config, hub: &HubUrl) -> Option<Route> {
    let mut behind = hub_paths(config, hub).filter_map(|hub_path| path.strip_prefix(hub_path));
    behind.find_map(|rest| match rest {
        "/debug" if config.debugger => Some(Route::Debugger),
        "/debug/facts" if config.debugger => Some(Route::Facts),
        _ => None,
    })
}

/// The paths at which the hub answers: its own, and then its aliases.
fn hub_paths<'a>(config: &'a Config, hub: &'a HubUrl) -> impl Iterator<Item = &'a str> {
    std::iter::once(hub.path()).chain(config.hub_aliases.iter().map(String::as_str))
}

/// A path without doubled leading slashes or a trailing one. Clients glue URLs together, and a
/// redirected POST would lose its body.
fn canonical(path: &str) -> String {
    format!("/{}", path.trim_matches('/'))
}

/// The methods of the hub's path, as clients see it: a CDN makes one hub of several deployments.
fn methods(config: &Config) -> &'static str {
    match config.origin_secret {
        Some(_) => Serves::Both.methods(),
        None => config.serves.methods(),
    }
}

/// Refuses a body before it is read, if its sender says that it is too long.
fn check_announced_length(request: &Request, limit: usize) -> Result<(), Refusal> {
    let length = request.header("content-length").and_then(|length| length.parse::<usize>().ok());
    match length {
        Some(length) if length > limit => Err(Refusal::body_too_large(limit)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::config;

    const HUB: &str = "https://hub.example/.well-known/mercure";

    fn find(config: &Config, method: &str, fields: &[(&str, &str)]) -> Result<Route, Refusal> {
        let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
        let request = Request::new(method, &format!("{HUB}?match=a"), fields);
        Routed::find(&request, config, Cors::none(), [0; 32]).map(|routed| routed.route)
    }

    #[test]
    fn each_part_answers_its_own_methods() {
        let publish = config(&[("SERVES", "publish")]);
        for method in ["GET", "HEAD", "QUERY"] {
            let refused = Err(Refusal::Method { allowed: "POST, OPTIONS" });
            assert_eq!(find(&publish, method, &[]), refused);
        }
        assert_eq!(find(&publish, "POST", &[]), Ok(Route::Hub(Purpose::Publish)));
        let subscribe = config(&[("SERVES", "subscribe")]);
        let refused = Err(Refusal::Method { allowed: "GET, HEAD, QUERY, OPTIONS" });
        assert_eq!(find(&subscribe, "POST", &[]), refused);
        assert_eq!(find(&subscribe, "GET", &[]), Ok(Route::Hub(Purpose::Subscribe)));
    }

    #[test]
    fn behind_one_url_the_parts_are_one_hub() {
        let secret = ("ORIGIN_SECRET", "a secret of the front");
        let subscribe = config(&[("SERVES", "subscribe"), secret]);
        let found = find(&subscribe, "PUT", &[("X-Origin-Verify", secret.1)]);
        assert_eq!(found, Err(Refusal::Method { allowed: "GET, HEAD, QUERY, POST, OPTIONS" }));
    }

    #[test]
    fn a_request_that_comes_past_the_front_is_refused() {
        let config = config(&[("ORIGIN_SECRET", "a secret of the front")]);
        assert_eq!(find(&config, "GET", &[]), Err(Refusal::Bypass));
        for wrong in ["", "a secret", "a secret of the frost", "a secret of the front door"] {
            let found = find(&config, "GET", &[("X-Origin-Verify", wrong)]);
            assert_eq!(found, Err(Refusal::Bypass), "{wrong}");
        }
        let right = [("X-Origin-Verify", "a secret of the front")];
        assert!(find(&config, "GET", &right).is_ok());
        assert_eq!(find(&config, "POST", &[]), Err(Refusal::Bypass));
    }

    #[test]
    fn robots_are_told_to_stay_away_even_past_the_front() {
        let config = config(&[("ORIGIN_SECRET", "a secret of the front")]);
        let find = |method: &str, path: &str| {
            let request = Request::new(method, &format!("https://hub.example{path}"), []);
            Routed::find(&request, &config, Cors::none(), [0; 32]).map(|routed| routed.route)
        };
        for method in ["GET", "HEAD"] {
            assert_eq!(find(method, "/robots.txt"), Ok(Route::TellRobots));
        }
        let refused = Err(Refusal::Method { allowed: "GET, HEAD, OPTIONS" });
        assert_eq!(find("POST", "/robots.txt"), refused);
        for path in ["/healthz", "/robots.txt/x", "/.well-known/mercure", "/nowhere"] {
            assert_eq!(find("GET", path), Err(Refusal::Bypass), "{path}");
        }
    }

    #[test]
    fn a_hub_with_a_host_of_its_own_has_a_url_there() {
        let mut config = config(&[("HUB_URL", "https://hub.example/hub")]);
        let request = Request::new("GET", "https://own.example/hub", []);
        let own = |config: &Config| {
            let routed = Routed::find(&request, config, Cors::none(), [0; 32]).unwrap();
            routed.own_url().map(|url| url.to_string())
        };
        assert_eq!(own(&config), None);
        config.has_own_host = true;
        assert_eq!(own(&config).as_deref(), Some("https://own.example/hub"));
    }
}
