//! The paths of URLs whose scheme is not special: `urn:isbn:1`, `myapp://host/books/1`.
//!
//! URL Pattern, "create": such a path is compiled with the default options, by which a `:name`
//! does not end at a `/` and no `/` belongs to the group behind it, and its texts are canonicalized
//! as those of an opaque path. The crate does so only where the path does not begin with `/`, and
//! then writes a `/` behind a group as `%2F`. So only its parser is used here.

use percent_encoding::{CONTROLS, utf8_percent_encode};
use urlpattern::parser::{Options, Part, PartModifier, PartType, parse_pattern_string};

use super::characters::Characters;
use super::node::{Look, Node};
use super::regexp::{self, InvalidRegexp};

/// Schemes of which URLs have a hierarchy (URL, "special scheme").
pub(super) const SPECIAL_SCHEMES: [&str; 6] = ["ftp", "file", "http", "https", "ws", "wss"];

/// The expression of such a path (URL Pattern, "generate a regular expression and name list").
///
/// # Errors
///
/// If it is no pattern, or holds a regular expression that is refused.
pub(super) fn parse(pattern: &str) -> Result<Result<Node, InvalidRegexp>, urlpattern::Error> {
    let parts = parse_pattern_string(pattern, &Options::default(), |text| Ok(canonical(text)))?;
    let nodes: Result<Vec<Node>, InvalidRegexp> = [Ok(Node::Look(Look::Start))]
        .into_iter()
        .chain(parts.iter().map(node))
        .chain([Ok(Node::Look(Look::End))])
        .collect();
    Ok(nodes.map(Node::Sequence))
}

/// URL Pattern, "canonicalize an opaque pathname".
fn canonical(text: &str) -> String {
    let path = text.split(['?', '#']).next().unwrap_or_default();
    utf8_percent_encode(path, CONTROLS).to_string()
}

fn node(part: &Part) -> Result<Node, InvalidRegexp> {
    let any =
        |least| Node::Repeat { node: Box::new(Node::One(Characters::dot())), least, most: None };
    let value = match part.kind {
        PartType::FixedText => Node::text(&part.value),
        PartType::SegmentWildcard => any(1),
        PartType::FullWildcard => any(0),
        PartType::Regexp => regexp::parse(&part.value)?,
    };
    let around =
        |node| Node::Sequence(vec![Node::text(&part.prefix), node, Node::text(&part.suffix)]);
    let (least, most) = match part.modifier {
        PartModifier::None => return Ok(around(value)),
        PartModifier::Optional => (0, Some(1)),
        PartModifier::ZeroOrMore => (0, None),
        PartModifier::OneOrMore => (1, None),
    };
    Ok(Node::Repeat { node: Box::new(around(value)), least, most })
}
