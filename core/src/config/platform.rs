//! What a hub's configuration needs to know of the platform that it is for: plain data, a constant
//! of each shell.

use std::time::Duration;

use crate::config::parse;
use crate::config::variables::VARIABLES;

/// A place to run hubs, as far as their configuration depends on it.
///
/// ```
/// use cinnabar_core::{Config, Platform};
///
/// const ROCKET: Platform =
///     Platform { defaults: &[("HEARTBEAT", "10s")], ..Platform::new("a rocket") };
/// assert_eq!(ROCKET.default_of("HEARTBEAT"), "10s");
/// assert_eq!(ROCKET.default_of("ANONYMOUS"), "0");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Platform {
    /// What users call it.
    pub name: &'static str,
    /// The defaults in which it differs from [`VARIABLES`], as pairs of name and value.
    pub defaults: &'static [(&'static str, &'static str)],
    /// The variables that it does not read.
    pub unread: &'static [&'static str],
    /// What a variable's meaning leaves out that matters here: pairs of a name and a clause, in
    /// Markdown.
    pub notes: &'static [(&'static str, &'static str)],
    /// The most that `MAX_REQUEST_BODY_SIZE` may be, in bytes.
    pub largest_body: usize,
    /// How many bytes one response may carry: a stream ends before it has more, with its position.
    pub response_size: u64,
    /// The shortest time for which its log keeps updates, to which a shorter `HISTORY_AGE` is
    /// raised.
    pub shortest_history_age: Duration,
    /// Whether it gives each deployment a host that nobody else can have.
    pub has_own_host: bool,
    /// Whether its hubs may follow others over a network, and be followed.
    pub has_feed: bool,
    /// Whether it checks how a WebSocket is begun: of that, the hub may then see no more than that one is
    /// asked for.
    pub checks_websockets: bool,
}

/// What only a hub reads that may follow others, or be followed.
const OF_FEED: [&str; 3] = ["FEED_SECRET", "FOLLOW", "FOLLOW_PUBLISH"];

impl Platform {
    /// A platform without a feed that reads every other variable, keeps to the table's defaults and sets
    /// no limits.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            defaults: &[],
            unread: &[],
            notes: &[],
            largest_body: usize::MAX,
            response_size: u64::MAX,
            shortest_history_age: Duration::ZERO,
            has_own_host: false,
            has_feed: false,
            checks_websockets: false,
        }
    }

    /// The value of a variable that is unset or empty; empty if there is none.
    #[must_use]
    pub fn default_of(&self, variable: &str) -> &'static str {
        let of_table = || VARIABLES.iter().find(|it| it.name == variable).map(|it| it.default);
        named(self.defaults, variable).next().or_else(of_table).unwrap_or_default()
    }

    /// Whether a hub on this platform reads a variable.
    #[must_use]
    pub fn reads(&self, variable: &str) -> bool {
        !self.unread.contains(&variable) && (self.has_feed || !OF_FEED.contains(&variable))
    }

    /// What its users should know of a variable besides its meaning: clauses, in Markdown.
    #[must_use]
    pub fn notes_on(&self, variable: &str) -> Vec<String> {
        let limit = match variable {
            "MAX_REQUEST_BODY_SIZE" if self.largest_body < usize::MAX => {
                Some(format!("at most `{}`", parse::spelt_size(self.largest_body)))
            }
            "HISTORY_AGE" if !self.shortest_history_age.is_zero() => {
                let shortest = parse::spelt_duration(self.shortest_history_age);
                Some(format!("at least `{shortest}`, to which a shorter age is raised"))
            }
            _ => None,
        };
        named(self.notes, variable).map(str::to_owned).chain(limit).collect()
    }
}

/// The second of each pair whose first is this name.
fn named(
    pairs: &'static [(&'static str, &'static str)],
    name: &str,
) -> impl Iterator<Item = &'static str> {
    pairs.iter().filter(move |(other, _)| *other == name).map(|(_, text)| *text)
}
