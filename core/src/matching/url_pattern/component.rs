//! One component of a pattern (its hostname, its pathname, …), in the cheapest form that can match
//! it, and which parts of it are fixed.
//!
//! The standard defines a component by its regular expression. Nearly all are a text
//! (`example.com`), or runs of characters between texts (`/books/:id`, `/users/:id/books/*`), or
//! the same with a part that may be missing (`/books{/:id}?`); only the rest need a program.

use super::characters::Characters;
use super::node::{Look, Node};
use super::program::{Program, TooLong};
use crate::matching::effort::{Effort, STEP_EFFORT};

/// What a component of a URL must look like to match.
#[derive(Clone, Debug)]
pub(super) struct Component {
    head: Box<str>,
    middle: Middle,
    tail: Box<str>,
}

/// What is between head and tail.
#[derive(Clone, Debug)]
enum Middle {
    Nothing,
    /// Runs, each but the last followed by a text that begins with a character outside the run's
    /// set. So there is only one place where a run can end, and no backtracking.
    Runs(Box<[(Run, Box<str>)]>, Run),
    /// Any of these: with and without what may be missing. None of them has a program.
    Either(Box<[Component]>),
    Program(Program),
}

/// Most alternatives that are matched one by one: each repeats the texts that they share.
const MAX_ALTERNATIVES: usize = 4;

/// At least `least` characters of `set`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    set: Characters,
    least: usize,
}

impl Component {
    /// # Errors
    ///
    /// If its program would be too long.
    pub(super) fn new(node: &Node) -> Result<Self, TooLong> {
        let nodes = flat(node);
        // Another assertion looks at its neighbours, so no head or tail may be cut off.
        let Some(nodes) = between_anchors(&nodes) else {
            let program = Program::new(node)?;
            return Ok(Self { head: "".into(), middle: Middle::Program(program), tail: "".into() });
        };
        let (head, nodes, tail) = split(nodes);
        let middle = match simple(nodes).or_else(|| either(nodes)) {
            Some(middle) => middle,
            None => program(nodes)?,
        };
        Ok(Self { head, middle, tail })
    }

    /// Whether it matches anything that a component of a URL can be.
    pub(super) fn is_anything(&self) -> bool {
        let any = Run { set: Characters::dot(), least: 0 };
        let is_any =
            matches!(&self.middle, Middle::Runs(others, run) if others.is_empty() && *run == any);
        is_any && self.head.is_empty() && self.tail.is_empty()
    }

    /// Whether a text matches. Counts what that takes.
    pub(super) fn matches(&self, text: &str, effort: &Effort) -> bool {
        let Some(middle) =
            text.strip_prefix(&*self.head).and_then(|rest| rest.strip_suffix(&*self.tail))
        else {
            return false;
        };
        match &self.middle {
            Middle::Nothing => middle.is_empty(),
            Middle::Runs(runs, last) => {
                let rest = runs.iter().try_fold(middle, |rest, (run, text)| {
                    rest.get(run.length(rest, effort)?..)?.strip_prefix(&**text)
                });
                rest.is_some_and(|rest| last.length(rest, effort) == Some(rest.len()))
            }
            Middle::Either(forms) => forms.iter().any(|form| form.matches(middle, effort)),
            Middle::Program(program) => program.matches(middle.as_bytes(), effort),
        }
    }

    /// What it may take for each character, beyond one look at it.
    pub(super) fn cost(&self) -> usize {
        match &self.middle {
            Middle::Program(program) => program.steps() * STEP_EFFORT,
            Middle::Either(forms) => forms.len() - 1,
            Middle::Nothing | Middle::Runs(..) => 0,
        }
    }

    /// How many bytes it keeps on the heap.
    pub(super) fn size(&self) -> usize {
        let middle = match &self.middle {
            Middle::Program(program) => program.size(),
            Middle::Runs(runs, _) => {
                size_of_val(&**runs) + runs.iter().map(|(_, text)| text.len()).sum::<usize>()
            }
            Middle::Either(forms) => {
                size_of_val(&**forms) + forms.iter().map(Self::size).sum::<usize>()
            }
            Middle::Nothing => 0,
        };
        self.head.len() + self.tail.len() + middle
    }
}

impl Run {
    /// How many bytes at the start of the text it takes; `None` if that is too few.
    fn length(self, text: &str, effort: &Effort) -> Option<usize> {
        let length = text.bytes().take_while(|byte| self.set.contains(*byte)).count();
        effort.spend(length);
        (length >= self.least).then_some(length)
    }
}

/// What is fixed in a part of a URL: a scheme, a hostname, a segment of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fixed {
    /// All of it.
    Whole(Box<str>),
    /// Its beginning; if this is empty, nothing is fixed.
    Beginning(Box<str>),
}

/// What is fixed in the parts of a component, which `separator` (if any) divides; and whether its
/// topics have no further parts.
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
            // An assertion takes no character; and after the first that varies, none is fixed.
            (Node::Look(_), _) | (_, Some(_)) => {}
            // This varies, but stays within its part.
            (node, None) if separator.is_none_or(|separator| !may_hold(node, separator)) => {
                whole = false;
            }
            // This may hold separators, so which parts follow cannot be told.
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

/// The nodes that must match one after another.
fn flat(node: &Node) -> Vec<&Node> {
    match node {
        Node::Sequence(nodes) => nodes.iter().flat_map(flat).collect(),
        node => vec![node],
    }
}

/// What is between `^` and `$`, if these are the only assertions.
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

/// The text that they begin with, the nodes between, and the text that they end with.
fn split<'a, 'b>(nodes: &'a [&'b Node]) -> (Box<str>, &'a [&'b Node], Box<str>) {
    let head: String = nodes.iter().map_while(|node| only(node)).collect();
    let nodes = &nodes[head.len()..];
    let tail: String = nodes.iter().rev().map_while(|node| only(node)).collect();
    let nodes = &nodes[..nodes.len() - tail.len()];
    (head.into(), nodes, tail.chars().rev().collect())
}

fn simple(nodes: &[&Node]) -> Option<Middle> {
    if nodes.is_empty() { Some(Middle::Nothing) } else { runs(nodes) }
}

/// What these nodes are with and without each that may be missing, if those are few, and none needs
/// a program.
fn either(nodes: &[&Node]) -> Option<Middle> {
    let mut alternatives = vec![Vec::new()];
    for node in nodes {
        let Node::Repeat { node, least: 0, most: Some(1) } = node else {
            alternatives.iter_mut().for_each(|alternative| alternative.push(*node));
            continue;
        };
        let optional = flat(node);
        let with = alternatives.iter().map(|alternative| [&alternative[..], &optional].concat());
        let with: Vec<Vec<&Node>> = with.collect();
        alternatives.extend(with);
        if alternatives.len() > MAX_ALTERNATIVES {
            return None;
        }
    }
    let component = |nodes: &Vec<&Node>| {
        let (head, nodes, tail) = split(nodes);
        Some(Component { head, middle: simple(nodes)?, tail })
    };
    alternatives.iter().map(component).collect::<Option<_>>().map(Middle::Either)
}

/// Runs and the texts between them, if these nodes are nothing else.
fn runs(mut nodes: &[&Node]) -> Option<Middle> {
    let mut runs = Vec::new();
    loop {
        let (first, rest) = nodes.split_first()?;
        let run = match first {
            Node::Repeat { node, least: least @ (0 | 1), most: None } => match **node {
                Node::One(set) => Run { set, least: *least as usize },
                _ => return None,
            },
            _ => return None,
        };
        if rest.is_empty() {
            return Some(Middle::Runs(runs.into(), run));
        }
        let text: String = rest.iter().map_while(|node| only(node)).collect();
        if text.bytes().next().is_none_or(|byte| run.set.contains(byte)) {
            return None;
        }
        nodes = &rest[text.len()..];
        runs.push((run, text.into()));
    }
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
