//! URL patterns: matchers of type `urlpattern` (draft-08, "URL Pattern").
//!
//! ```text
//!            text, hub URL                                      topic, hub URL
//!                  │                                                  │
//!   crate `urlpattern`: the standard's parser                   the URL parser,
//!                  │   a regular expression for each            once for all patterns
//!                  │   of eight components                            │
//!     `regexp`: ECMAScript's grammar                                  │
//!                  │                                                  ▼
//!     `component`: a text, runs, or a `program` ◀── matches ── ParsedTopic
//! ```
//!
//! The crate parses; matching is ours, since the engines of other languages read ECMAScript's
//! regular expressions differently, and need much more memory. A pattern keeps at most
//! [`MAX_COMPILED`] bytes and a few texts, and the time to match it is at most the product of its
//! steps and the topic's length.
//!
//! A pattern is serialized as its text, with the hub's URL if it is relative to that, and compiled
//! again when it is read. Clones share what was compiled.

mod characters;
mod component;
mod engine;
mod node;
mod opaque_path;
mod parsed_topic;
mod program;
mod property;
mod regexp;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use urlpattern::{RegexSyntax, UrlPatternInit, UrlPatternOptions};

use self::component::Component;
pub(crate) use self::component::Fixed;
use self::engine::Regexp;
use self::node::Node;
use self::opaque_path::SPECIAL_SCHEMES;
pub(crate) use self::parsed_topic::ParsedTopic;
use self::parsed_topic::Part;
pub(crate) use self::regexp::InvalidRegexp;

use crate::matching::effort::{Effort, TRY_EFFORT};
use crate::terms::hub_url::HubUrl;

/// Most groups and wildcards in a pattern. The parser compares the name of each with all before it.
const MAX_GROUPS: usize = 256;

/// Most bytes that the components of a pattern may keep.
const MAX_COMPILED: usize = 32 * 1024;

/// A pattern that topics are matched against as URLs.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "Source", into = "Source")]
pub(crate) struct UrlPattern(Arc<Compiled>);

struct Compiled {
    source: Source,
    /// The components that do not match everything; those most likely to differ come first.
    components: Box<[(Part, Component)]>,
    fixed: FixedParts,
    cost: usize,
}

/// What a pattern was compiled from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Source {
    text: Box<str>,
    /// The hub's URL, if the pattern is relative.
    base: Option<Box<str>>,
}

/// Why a text is not a URL pattern that this hub can match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidUrlPattern {
    /// A `(`, a `:` or a `\` without what must follow.
    #[error("is not a URL pattern: a `(`, `:` or `\\` is incomplete")]
    Incomplete,
    /// Groups that are not closed, or that share a name.
    #[error("is not a URL pattern: a group is not closed, or two have the same name")]
    Group,
    /// A part that no URL can have.
    #[error("is not a URL pattern: its scheme, host or port is not valid")]
    Url,
    /// A regular expression between parentheses.
    #[error("is not a URL pattern: a regular expression in it {0}")]
    Regexp(#[from] InvalidRegexp),
    /// More than [`MAX_GROUPS`].
    #[error("holds more than {MAX_GROUPS} groups and wildcards")]
    TooManyGroups,
    /// Compiled, it is longer than [`MAX_COMPILED`].
    #[error("is too long, or repeats too much")]
    TooLong,
}

/// What is fixed in a pattern's topics: their scheme, their hostname, the segments of their path;
/// and whether they have no other segments. For an index.
#[derive(Clone, Debug)]
pub(crate) struct FixedParts {
    pub(crate) parts: Vec<Fixed>,
    pub(crate) complete: bool,
}

impl UrlPattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    ///
    /// If it is not a pattern, cannot be matched in linear time, or is too large.
    pub(crate) fn parse(text: &str, hub: &HubUrl) -> Result<Self, InvalidUrlPattern> {
        let groups = text.bytes().filter(|byte| b":*({".contains(byte)).count();
        if groups > MAX_GROUPS {
            return Err(InvalidUrlPattern::TooManyGroups);
        }
        let mut init =
            UrlPatternInit::parse_constructor_string::<Regexp>(text, Some(hub.as_url().clone()))?;
        // An absolute pattern must not have a base: the path of `urn\:x` would be relative to it.
        let base = match init.protocol {
            Some(_) => {
                init.base_url = None;
                None
            }
            None => {
                init.pathname = init.pathname.map(|pathname| absolute(pathname, hub));
                Some(hub.as_str().into())
            }
        };
        let pathname = init.pathname.clone();
        // draft-08, "URL Pattern": never `ignoreCase`.
        let options =
            UrlPatternOptions { regex_syntax: RegexSyntax::EcmaScript, ignore_case: false };
        let pattern = urlpattern::UrlPattern::<Regexp>::parse(init, options)?;
        let source = Source { text: text.into(), base };
        let compiled = Compiled::new(source, pattern, pathname.as_deref())?;
        Ok(Self(Arc::new(compiled)))
    }

    /// The pattern as it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.0.source.text
    }

    /// Whether this topic is selected. Counts what that takes.
    pub(crate) fn selects(&self, topic: &ParsedTopic, effort: &Effort) -> bool {
        self.0.matches(|part| topic.part(part), effort)
    }

    #[cfg(test)]
    pub(crate) fn matches(&self, topic: &ParsedTopic) -> bool {
        self.selects(topic, &Effort::default())
    }

    /// Whether it is a clone of the other, not just equal to it.
    #[cfg(test)]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// What is fixed in its topics.
    pub(crate) fn fixed(&self) -> &FixedParts {
        &self.0.fixed
    }

    /// What it may take for each character of a topic, beyond one look at it; for most patterns,
    /// which need no program, next to nothing. To bound the sum of these over a request's matchers
    /// is to bound what its stream costs per update.
    pub(crate) fn cost(&self) -> usize {
        self.0.cost
    }

    /// How many bytes it keeps. To bound the sum of these over a request's matchers is to bound its
    /// memory.
    pub(crate) fn size(&self) -> usize {
        let Compiled { source, components, fixed, cost: _ } = &*self.0;
        let parts = fixed.parts.iter().map(|part| match part {
            Fixed::Whole(text) | Fixed::Beginning(text) => text.len(),
        });
        size_of::<Compiled>()
            + source.text.len()
            + source.base.as_ref().map_or(0, |base| base.len())
            + size_of_val(&**components)
            + components.iter().map(|(_, component)| component.size()).sum::<usize>()
            + fixed.parts.capacity() * size_of::<Fixed>()
            + parts.sum::<usize>()
    }
}

/// A path that is relative to the hub's, made absolute (URL Pattern, "process a URLPatternInit").
/// The crate would read characters of the hub's path as pattern syntax.
fn absolute(pathname: String, hub: &HubUrl) -> String {
    if ["/", "\\/", "{/"].iter().any(|start| pathname.starts_with(start)) {
        return pathname;
    }
    let (directory, _) = hub.path().rsplit_once('/').unwrap_or_default();
    let mut absolute = String::new();
    for character in directory.chars() {
        if "+*?:{}()\\".contains(character) {
            absolute.push('\\');
        }
        absolute.push(character);
    }
    absolute + "/" + &pathname
}

impl Compiled {
    fn new(
        source: Source,
        pattern: urlpattern::UrlPattern<Regexp>,
        pathname: Option<&str>,
    ) -> Result<Self, InvalidUrlPattern> {
        let (hostname, protocol) = (expression(&pattern.hostname)?, expression(&pattern.protocol)?);
        let scheme = Component::new(protocol).map_err(|_| InvalidUrlPattern::TooLong)?;
        let is_special = |special: &&str| scheme.matches(special, &Effort::default());
        let opaque = match pathname {
            Some(pathname) if !SPECIAL_SCHEMES.iter().any(is_special) => {
                Some(opaque_path::parse(pathname)??)
            }
            _ => None,
        };
        let pathname = match &opaque {
            Some(opaque) => opaque,
            None => expression(&pattern.pathname)?,
        };
        let nodes = [
            (Part::Pathname, pathname),
            (Part::Hostname, hostname),
            (Part::Protocol, protocol),
            (Part::Port, expression(&pattern.port)?),
            (Part::Search, expression(&pattern.search)?),
            (Part::Hash, expression(&pattern.hash)?),
            (Part::Username, expression(&pattern.username)?),
            (Part::Password, expression(&pattern.password)?),
        ];
        let mut components = Vec::new();
        for (part, node) in nodes {
            let component = Component::new(node).map_err(|_| InvalidUrlPattern::TooLong)?;
            if !component.is_anything() {
                components.push((part, component));
            }
        }
        if components.iter().map(|(_, component)| component.size()).sum::<usize>() > MAX_COMPILED {
            return Err(InvalidUrlPattern::TooLong);
        }
        Ok(Self {
            source,
            cost: components.iter().map(|(_, component)| component.cost()).sum(),
            components: components.into(),
            fixed: FixedParts::new(protocol, hostname, pathname),
        })
    }

    /// Whether every component matches that part of a URL.
    fn matches<'a>(&self, part_of: impl Fn(Part) -> &'a str, effort: &Effort) -> bool {
        effort.spend(TRY_EFFORT);
        self.components.iter().all(|(part, component)| component.matches(part_of(*part), effort))
    }
}

fn expression(
    component: &urlpattern::component::Component<Regexp>,
) -> Result<&Node, InvalidUrlPattern> {
    match &component.regexp {
        Ok(Regexp(Ok(node))) => Ok(node),
        Ok(Regexp(Err(error))) => Err(InvalidUrlPattern::Regexp(*error)),
        Err(_) => Err(InvalidUrlPattern::Regexp(InvalidRegexp::Malformed)),
    }
}

impl FixedParts {
    /// Most parts: beyond that, they would cost more to keep than they save.
    const MAX: usize = 12;

    fn new(protocol: &Node, hostname: &Node, pathname: &Node) -> Self {
        let (mut parts, _) = component::fixed(protocol, None);
        parts.extend(component::fixed(hostname, None).0);
        let (segments, complete) = component::fixed(pathname, Some(b'/'));
        parts.extend(segments);
        let complete = complete && parts.len() <= Self::MAX;
        parts.truncate(Self::MAX);
        parts.shrink_to_fit();
        Self { parts, complete }
    }
}

impl From<urlpattern::Error> for InvalidUrlPattern {
    fn from(error: urlpattern::Error) -> Self {
        match error {
            urlpattern::Error::Tokenizer(..) => Self::Incomplete,
            urlpattern::Error::Parser(_) => Self::Group,
            urlpattern::Error::RegExp(()) => Self::Regexp(InvalidRegexp::Malformed),
            // The two about base URLs cannot happen: there is one.
            urlpattern::Error::Url(_)
            | urlpattern::Error::BaseUrlRequired
            | urlpattern::Error::BaseUrlWithInit => Self::Url,
        }
    }
}

impl From<UrlPattern> for Source {
    fn from(pattern: UrlPattern) -> Self {
        pattern.0.source.clone()
    }
}

/// Why a serialized pattern cannot be read.
#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error("a pattern {0}")]
    Pattern(#[from] InvalidUrlPattern),
    #[error("a relative pattern without the URL of a hub")]
    Base,
}

impl TryFrom<Source> for UrlPattern {
    type Error = Unreadable;

    fn try_from(source: Source) -> Result<Self, Unreadable> {
        // The base of an absolute pattern is never used.
        let base = source.base.as_deref().unwrap_or("https://absolute.invalid/pattern");
        let hub = HubUrl::parse(base).map_err(|_| Unreadable::Base)?;
        let pattern = Self::parse(&source.text, &hub)?;
        if pattern.0.source == source { Ok(pattern) } else { Err(Unreadable::Base) }
    }
}

impl PartialEq for UrlPattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.source == other.0.source
    }
}

impl Eq for UrlPattern {}

impl PartialOrd for UrlPattern {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for UrlPattern {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.source.cmp(&other.0.source)
    }
}

impl fmt::Debug for UrlPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("UrlPattern").field(&self.as_str()).finish()
    }
}
