//! One component of a pattern (its hostname, its pathname, …), in the cheapest form that decides
//! it, and what of it is fixed.
//!
//! The standard defines a component by its regular expression. Nearly all of them are a text
//! (`example.com`), or runs of characters between texts that end them (`/books/:id`, `/books/*`,
//! `/:shop/books/:id`); only the rest needs a program.

use super::characters::Characters;
use super::program::{Program, TooLong};
use super::regexp::{Look, Node};

/// What a component must be, to match.
#[derive(Clone, Debug)]
pub(super) struct Component {
    head: Box<str>,
    middle: Middle,
    tail: Box<str>,
}

/// What stands between head and tail.
#[derive(Clone, Debug)]
enum Middle {
    /// One after the other; none, where nothing stands there.
    Runs(Box<[Run]>),
    Program(Program),
}

/// Any number of characters of a set, and the text after them, which begins with none of these: so
/// there is one place at which the run can end.
#[derive(Clone, Debug)]
struct Run {
    set: Characters,
    least: usize,
    then: Box<str>,
}

impl Component {
    /// # Errors
    ///
    /// Where its program would be too long.
    pub(super) fn new(node: &Node) -> Result<Self, TooLong> {
        let nodes = flat(node);
        // An assertion sees what stands beside it, so then nothing is cut off.
        let Some(nodes) = between_anchors(&nodes) else {
            let program = Program::new(node)?;
            return Ok(Self { head: "".into(), middle: Middle::Program(program), tail: "".into() });
        };
        let head: String = nodes.iter().map_while(|node| only(node)).collect();
        let nodes = &nodes[head.len()..];
        let tail: String = nodes.iter().rev().map_while(|node| only(node)).collect();
        let nodes = &nodes[..nodes.len() - tail.len()];
        let middle = match runs(nodes) {
            Some(runs) => Middle::Runs(runs.into()),
            None => program(nodes)?,
        };
        Ok(Self { head: head.into(), middle, tail: tail.chars().rev().collect() })
    }

    /// Whether it matches whatever a component of a URL can be.
    pub(super) fn is_anything(&self) -> bool {
        let Middle::Runs(runs) = &self.middle else { return false };
        let [Run { set, least: 0, then }] = &runs[..] else { return false };
        *set == Characters::dot()
            && [&self.head, then, &self.tail].iter().all(|text| text.is_empty())
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        let Some(middle) =
            text.strip_prefix(&*self.head).and_then(|rest| rest.strip_suffix(&*self.tail))
        else {
            return false;
        };
        match &self.middle {
            Middle::Runs(runs) => {
                let rest = runs.iter().try_fold(middle, |text, run| run.pass(text));
                rest.is_some_and(str::is_empty)
            }
            Middle::Program(program) => program.matches(middle.as_bytes()),
        }
    }

    /// How many steps its program has.
    pub(super) fn steps(&self) -> usize {
        match &self.middle {
            Middle::Program(program) => program.steps(),
            Middle::Runs(_) => 0,
        }
    }

    /// How many bytes it keeps beside itself.
    pub(super) fn size(&self) -> usize {
        let middle = match &self.middle {
            Middle::Program(program) => program.size(),
            Middle::Runs(runs) => {
                size_of_val(&**runs) + runs.iter().map(|run| run.then.len()).sum::<usize>()
            }
        };
        self.head.len() + self.tail.len() + middle
    }
}

impl Run {
    /// What is left of a text that begins with it.
    fn pass<'t>(&self, text: &'t str) -> Option<&'t str> {
        let length = text.bytes().take_while(|&byte| self.set.contains(byte)).count();
        let rest = text.get(length..).filter(|_| length >= self.least)?;
        rest.strip_prefix(&*self.then)
    }
}

/// What is fixed of a part of a URL: a scheme, a hostname, a segment of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fixed {
    /// All of it.
    Whole(Box<str>),
    /// How it begins; nothing, where this is empty.
    Beginning(Box<str>),
}

/// What is fixed of the parts of a component, which `separator` divides (or nothing does), and
/// whether there are no others than these.
pub(super) fn fixed(node: &Node, separator: Option<u8>) -> (Vec<Fixed>, bool) {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut whole = true;
    for node in flat(node) {
        match (node, only(node)) {
            (_, Some(byte)) if Some(byte as u8) == separator => {
                parts.push(part(std::mem::take(&mut text), whole));
                whole = true;
            }
            (_, Some(byte)) if whole => text.push(byte),
            (Node::Look(_), _) | (_, Some(_)) => {}
            (node, None) if separator.is_none_or(|separator| !may_hold(node, separator)) => {
                whole = false;
            }
            (_, None) => {
                parts.push(part(text, false));
                return (parts, false);
            }
        }
    }
    parts.push(part(text, whole));
    (parts, true)
}

fn part(text: String, whole: bool) -> Fixed {
    let text = text.into_boxed_str();
    if whole { Fixed::Whole(text) } else { Fixed::Beginning(text) }
}

/// What must match one after the other.
fn flat(node: &Node) -> Vec<&Node> {
    match node {
        Node::Sequence(nodes) => nodes.iter().flat_map(flat).collect(),
        node => vec![node],
    }
}

/// What stands between `^` and `$`, if these are the only assertions.
fn between_anchors<'a, 'b>(nodes: &'a [&'b Node]) -> Option<&'a [&'b Node]> {
    match nodes {
        [Node::Look(Look::Start), nodes @ .., Node::Look(Look::End)]
            if !nodes.iter().any(|node| looks(node)) =>
        {
            Some(nodes)
        }
        _ => None,
    }
}

/// The only character that a node matches.
fn only(node: &Node) -> Option<char> {
    match node {
        Node::One(set) => set.only().map(char::from),
        _ => None,
    }
}

/// These nodes as runs, if each is one, or the text that ends one.
fn runs(mut nodes: &[&Node]) -> Option<Vec<Run>> {
    let mut runs = Vec::new();
    while let [first, rest @ ..] = nodes {
        let Node::Repeat { node, least: least @ (0 | 1), most: None } = first else { return None };
        let Node::One(set) = **node else { return None };
        let then: String = rest.iter().map_while(|node| only(node)).collect();
        nodes = &rest[then.len()..];
        let is_ended = match then.bytes().next() {
            Some(byte) => !set.contains(byte),
            None => nodes.is_empty(),
        };
        if !is_ended {
            return None;
        }
        runs.push(Run { set, least: *least as usize, then: then.into() });
    }
    Some(runs)
}

fn program(nodes: &[&Node]) -> Result<Middle, TooLong> {
    let anchored = [Node::Look(Look::Start)]
        .into_iter()
        .chain(nodes.iter().copied().cloned())
        .chain([Node::Look(Look::End)]);
    Program::new(&Node::Sequence(anchored.collect())).map(Middle::Program)
}

fn looks(node: &Node) -> bool {
    match node {
        Node::Look(_) => true,
        Node::One(_) => false,
        Node::Sequence(nodes) | Node::Either(nodes) => nodes.iter().any(looks),
        Node::Repeat { node, .. } => looks(node),
    }
}

fn may_hold(node: &Node, byte: u8) -> bool {
    match node {
        Node::Look(_) => false,
        Node::One(set) => set.contains(byte),
        Node::Sequence(nodes) | Node::Either(nodes) => {
            nodes.iter().any(|node| may_hold(node, byte))
        }
        Node::Repeat { node, .. } => may_hold(node, byte),
    }
}
