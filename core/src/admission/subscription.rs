//! Subscriptions: from a request's parameters to what its stream shall carry.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::admission::route::Routed;
use crate::authorization::grant::Grants;
use crate::authorization::token::Token;
use crate::command::presence::Presence;
use crate::command::quota::{Account, Quota};
use crate::command::subscribe::Subscribe;
use crate::config::Config;
use crate::limits::MAX_MATCHERS_LENGTH;
use crate::matching::budget::{Budget, TooCostly};
use crate::matching::matcher::{InvalidMatcher, Matcher};
use crate::matching::matchers::Matchers;
use crate::terms::cursor::Cursor;
use crate::terms::generation::{Generation, Generations};
use crate::terms::hub_url::HubUrl;
use crate::terms::subscription::MatchType;
use crate::wire::client_address::ClientAddress;
use crate::wire::form::{self, Pair};
use crate::wire::reader::Reader;
use crate::wire::refusal::Refusal;
use crate::wire::request::Request;
use crate::wire::retry;

/// The names of a cursor in the query, in the order in which they are believed: libraries append
/// `lastEventId` when they reconnect, while the page's own URL still holds an older one.
const CURSOR_PARAMETERS: [&str; 4] =
    ["lastEventId", "last_event_id", "lastEventID", "Last-Event-ID"];

/// Reads the parameters of a subscription (draft-08, "Subscription"), from the query and `body`.
///
/// # Errors
///
/// A parameter that breaks a rule, or none that selects a topic. Unknown parameters belong to
/// somebody else and are ignored, unless they are in the reserved `match` namespace.
pub(super) fn read(
    routed: &Routed<'_>,
    token: Option<Token>,
    body: &[u8],
) -> Result<Subscribe, Refusal> {
    let Routed { request, config, hub, cors, random, .. } = routed;
    // draft-08, "Subscription": the union of query and body.
    let pairs: [Vec<Pair>; 2] = [request.query().collect(), form::pairs(body).collect()];
    let selection = Selection::collect(pairs.iter().flatten(), config, hub)?;
    let quotas = quotas(request, token.as_ref(), config);
    let (grants, expires) = match token {
        Some(token) => (token.grants, token.expires),
        None => (Grants::default(), None),
    };
    let presence = config.subscriptions.then(|| {
        let mut presence = Presence::new(random.for_presence());
        for (parameter, text) in &selection.given {
            presence.add(parameter.match_type(), text, grants.payloads.of(text, hub));
        }
        presence
    });
    let lifetimes = Lifetimes::of(config, random.for_update());
    Ok(Subscribe {
        matchers: selection.matchers,
        hub: hub.clone(),
        grants: grants.subscribe,
        expires,
        cursor: cursor(request, &pairs),
        legacy: selection.legacy,
        reader: Reader::of(request, config.native_readers),
        retry: lifetimes.retry,
        hold: lifetimes.hold,
        lifetime: lifetimes.lifetime,
        quotas,
        presence,
        cors: cors.clone(),
        metadata: routed.metadata(),
    })
}

/// How many streams a subscriber may have at a time: by its token, and by its address.
fn quotas(request: &Request, token: Option<&Token>, config: &Config) -> Vec<Quota> {
    let of_token = config.max_streams_per_token.zip(token.map(|token| token.account));
    let of_address = config.max_streams_per_address.and_then(|most| {
        let address = ClientAddress::of(request, config.address_header.as_deref())?;
        Some((most, Account::of_address(address)))
    });
    let quotas = [of_token, of_address].into_iter().flatten();
    quotas.map(|(most, account)| Quota { account, most }).collect()
}

/// How long a stream lives, and when its reader comes back.
struct Lifetimes {
    retry: Duration,
    hold: Duration,
    lifetime: Duration,
}

impl Lifetimes {
    /// At random, so that streams that begin together do not end together.
    fn of(config: &Config, random: [u8; 16]) -> Self {
        let [a, b, c, d, e, f, g, h, rest @ ..] = random;
        let lifetime = config.stream_lifetime;
        let (least, most) = (lifetime * 4 / 5, lifetime * 6 / 5);
        Self {
            retry: retry::wait(config.polls(), [e, f, g, h]),
            hold: retry::hold([a, b, c, d]),
            lifetime: retry::between(least, most, u64::from_be_bytes(rest)),
        }
    }
}

/// The topic matchers of a request.
struct Selection<'a> {
    matchers: Matchers,
    /// Each as it was given.
    given: BTreeSet<(Parameter, &'a str)>,
    legacy: bool,
}

impl<'a> Selection<'a> {
    /// Each matcher is weighed before the next one is read. So nobody can have more compiled than
    /// may be kept, and repetitions cost nothing.
    fn collect(
        parameters: impl Iterator<Item = &'a Pair>,
        config: &Config,
        hub: &HubUrl,
    ) -> Result<Self, Refusal> {
        let mut legacy = false;
        let mut matchers = Matchers::default();
        let mut given = BTreeSet::new();
        let mut length = 0;
        let mut budget = Budget::of_request();
        for pair in parameters {
            let name = pair.name_lossy();
            let Some(parameter) = Parameter::named(&name, config.protocol)? else { continue };
            legacy |= parameter == Parameter::Topic;
            let text = pair
                .value()
                .map_err(|_| Refusal::Malformed(format!("The parameter `{name}` is not UTF-8.")))?;
            if text.is_empty() || !given.insert((parameter, text)) {
                continue;
            }
            length += text.len();
            if length > MAX_MATCHERS_LENGTH {
                return Err(Refusal::Malformed(format!(
                    "The topic matchers of a subscriber may have {MAX_MATCHERS_LENGTH} bytes together, and these have more."
                )));
            }
            let matcher = parameter
                .read(text, hub)
                .map_err(|error| Refusal::Malformed(format!("The parameter `{name}` {error}.")))?;
            budget.spend(&matcher).map_err(|_: TooCostly| {
                Refusal::Malformed("The URL patterns and templates are too large or too costly together; use simpler ones, or fewer.".into())
            })?;
            if matchers.insert(matcher) && matchers.len() > config.max_matchers {
                return Err(Refusal::Malformed(format!(
                    "A subscriber may have at most {} topic matchers, and these are more.",
                    config.max_matchers
                )));
            }
        }
        if matchers.is_empty() {
            return Err(Refusal::Malformed(match config.protocol {
                Generations::Both => {
                    "Name at least one topic: `?match=<topic>`, or `?topic=<topic>`.".into()
                }
                Generations::Only(Generation::V1) => {
                    "Name at least one topic: `?match=<topic>`. This hub serves protocol 1.0 alone."
                        .into()
                }
                Generations::Only(Generation::V0) => {
                    "Name at least one topic: `?topic=<topic>`. This hub serves protocol 0.x alone."
                        .into()
                }
            }));
        }
        Ok(Self { matchers, given, legacy })
    }
}

/// A parameter that selects topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Parameter {
    Topic,
    Match,
    MatchUrlPattern,
}

impl Parameter {
    /// The parameter with this name; `None` for one that means nothing to a hub.
    ///
    /// # Errors
    ///
    /// draft-08, "Subscription": the whole prefix `match` is reserved, in any case, so that a
    /// misspelt type fails loudly.
    fn named(name: &str, protocol: Generations) -> Result<Option<Self>, Refusal> {
        if name == "topic" && protocol.contains(Generation::V0) {
            return Ok(Some(Self::Topic));
        }
        let is_reserved = name.get(..5).is_some_and(|prefix| prefix.eq_ignore_ascii_case("match"));
        if !is_reserved || !protocol.contains(Generation::V1) {
            return Ok(None);
        }
        match name {
            "match" | "match_exact" => Ok(Some(Self::Match)),
            "match_urlpattern" => Ok(Some(Self::MatchUrlPattern)),
            _ => Err(Refusal::Malformed(format!(
                "The parameter `{name}` names no topic matcher type; use `match`, `match_exact` or `match_urlpattern`."
            ))),
        }
    }

    fn match_type(self) -> MatchType {
        match self {
            Self::Topic => MatchType::Selector,
            Self::Match => MatchType::Exact,
            Self::MatchUrlPattern => MatchType::UrlPattern,
        }
    }

    fn read(self, text: &str, hub: &HubUrl) -> Result<Matcher, InvalidMatcher> {
        match self {
            Self::Topic => Matcher::selector(text),
            Self::Match => Matcher::exact(text),
            Self::MatchUrlPattern => Matcher::url_pattern(text, hub),
        }
    }
}

/// The cursor of a request: the first that is not empty, of the header field, the query and the
/// body, in this order (draft-08, "Subscription", "Reconciliation"). Where all of them are empty,
/// so is the cursor, which is not the same as there being none.
///
/// Several header fields are one list, as platforms that join them have it. Of several parameters
/// the first counts: whoever appends one to a URL chooses its name.
fn cursor(request: &Request, components: &[Vec<Pair>; 2]) -> Option<Cursor> {
    let header = request
        .header_values("last-event-id")
        .map(|value| String::from_utf8_lossy(value).into_owned())
        .reduce(|list, field| match list.is_empty() || field.is_empty() {
            true => list + &field,
            false => list + ", " + &field,
        })
        .into_iter();
    let named = components.iter().flat_map(|pairs| {
        CURSOR_PARAMETERS.iter().flat_map(move |name| {
            pairs
                .iter()
                .filter(move |pair| pair.name() == Ok(name))
                .map(|pair| pair.value_lossy().into_owned())
        })
    });
    let mut is_named = false;
    header
        .chain(named)
        .inspect(|_| is_named = true)
        .find(|cursor| !cursor.is_empty())
        .or_else(|| is_named.then(String::new))
        .map(|cursor| Cursor::read(&cursor))
}
