//! The engine: a regular expression as a list of steps, with all paths through it followed at once
//! (Thompson, "Regular expression search algorithm", CACM 1968).
//!
//! Each character of the text meets each step at most once. So the time to match is at most the
//! product of both lengths, whatever the pattern, and a pattern keeps nothing but its steps.

use super::characters::Characters;
use super::node::{Look, Node};
use crate::matching::effort::{Effort, STEP_EFFORT};

/// Most steps of a program: 24 kB.
pub(super) const MAX_STEPS: usize = 4096;

/// A program is longer than [`MAX_STEPS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// A regular expression, ready to run.
#[derive(Clone, Debug)]
pub(super) struct Program {
    steps: Box<[Step]>,
    /// The sets that `Step::Set` refers to.
    sets: Box<[Characters]>,
    /// Whether every match begins at the start of the text: then it is entered only there.
    anchored: bool,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Take this character.
    One(u8),
    /// Take one of this set.
    Set(u16),
    /// Continue only if this holds here.
    Look(Look),
    /// Continue at both.
    Split(u16, u16),
    /// Continue there.
    Jump(u16),
    /// The text matches.
    Match,
}

impl Program {
    /// # Errors
    ///
    /// If it would be longer than [`MAX_STEPS`].
    pub(super) fn new(node: &Node) -> Result<Self, TooLong> {
        let mut compiler = Compiler { steps: Vec::new(), sets: Vec::new() };
        compiler.compile(node)?;
        compiler.push(Step::Match)?;
        let anchored = matches!(compiler.steps.first(), Some(Step::Look(Look::Start)));
        Ok(Self { steps: compiler.steps.into(), sets: compiler.sets.into(), anchored })
    }

    /// How many bytes it keeps.
    pub(super) fn size(&self) -> usize {
        size_of_val(&*self.steps) + size_of_val(&*self.sets)
    }

    /// Whether some part of a text matches. The expressions of URL patterns ask for all of it, by
    /// `^` and `$`. Counts the steps that it takes.
    pub(super) fn matches(&self, text: &[u8], effort: &Effort) -> bool {
        let mut now = Places::new(self.steps.len());
        let mut next = Places::new(self.steps.len());
        let mut met = 0;
        for at in 0..=text.len() {
            if at == 0 || !self.anchored {
                self.enter(&mut now, 0, text, at);
            }
            met += now.met;
            let Some(character) = text.get(at) else { break };
            // Some match is enough: which one, or what it captured, is never asked.
            if now.matched || (self.anchored && now.entered.is_empty()) {
                break;
            }
            for &place in &now.entered {
                let taken = match self.steps[usize::from(place)] {
                    Step::One(one) => one == *character,
                    Step::Set(set) => self.sets[usize::from(set)].contains(*character),
                    _ => false,
                };
                if taken {
                    self.enter(&mut next, place + 1, text, at + 1);
                }
            }
            std::mem::swap(&mut now, &mut next);
            next.clear();
        }
        effort.spend(met * STEP_EFFORT);
        now.matched
    }

    /// How many steps it has.
    pub(super) fn steps(&self) -> usize {
        self.steps.len()
    }

    /// Enters a step, and every step that can be reached from it without taking a character.
    fn enter(&self, places: &mut Places, place: u16, text: &[u8], at: usize) {
        let mut next = Some(place);
        while let Some(place) = next.or_else(|| places.waiting.pop()) {
            next = None;
            if std::mem::replace(&mut places.seen[usize::from(place)], places.turn) == places.turn {
                continue;
            }
            places.met += 1;
            match self.steps[usize::from(place)] {
                Step::One(_) | Step::Set(_) => places.entered.push(place),
                Step::Match => places.matched = true,
                Step::Jump(to) => next = Some(to),
                Step::Split(to, or) => {
                    places.waiting.push(or);
                    next = Some(to);
                }
                Step::Look(look) if holds(look, text, at) => next = Some(place + 1),
                Step::Look(_) => {}
            }
        }
    }
}

fn holds(look: Look, text: &[u8], at: usize) -> bool {
    let word = |byte: Option<&u8>| byte.is_some_and(|byte| Characters::word().contains(*byte));
    let boundary =
        || word(at.checked_sub(1).and_then(|before| text.get(before))) != word(text.get(at));
    match look {
        Look::Start => at == 0,
        Look::End => at == text.len(),
        Look::WordBoundary => boundary(),
        Look::NoWordBoundary => !boundary(),
    }
}

/// The steps that were reached between two characters, once each.
struct Places {
    /// Those that take a character.
    entered: Vec<u16>,
    /// When each was reached last.
    seen: Vec<u32>,
    turn: u32,
    waiting: Vec<u16>,
    /// How many were reached.
    met: usize,
    matched: bool,
}

impl Places {
    fn new(steps: usize) -> Self {
        Self {
            entered: Vec::new(),
            seen: vec![0; steps],
            turn: 1,
            waiting: Vec::new(),
            met: 0,
            matched: false,
        }
    }

    fn clear(&mut self) {
        self.entered.clear();
        // A text has fewer characters than a `u32` has values.
        self.turn += 1;
        self.met = 0;
        self.matched = false;
    }
}

struct Compiler {
    steps: Vec<Step>,
    sets: Vec<Characters>,
}

impl Compiler {
    fn compile(&mut self, node: &Node) -> Result<(), TooLong> {
        match node {
            Node::One(set) => self.one(*set),
            Node::Look(look) => self.push(Step::Look(*look)).map(drop),
            Node::Sequence(nodes) => nodes.iter().try_for_each(|node| self.compile(node)),
            Node::Either(nodes) => self.either(nodes),
            Node::Repeat { node, least, most } => self.repeat(node, *least, *most),
        }
    }

    fn one(&mut self, set: Characters) -> Result<(), TooLong> {
        if let Some(one) = set.only() {
            return self.push(Step::One(one)).map(drop);
        }
        let index = self.sets.iter().position(|known| *known == set).unwrap_or(self.sets.len());
        if index == self.sets.len() {
            self.sets.push(set);
        }
        self.push(Step::Set(u16::try_from(index).map_err(|_| TooLong)?)).map(drop)
    }

    /// ```text
    ///     split ─▶ first ─▶ jump ┐
    ///       └────▶ second ◀──────┴─ (after)
    /// ```
    fn either(&mut self, nodes: &[Node]) -> Result<(), TooLong> {
        let mut jumps = Vec::new();
        for (index, node) in nodes.iter().enumerate() {
            if index + 1 == nodes.len() {
                self.compile(node)?;
            } else {
                // `Match` holds the place of steps whose targets are not known yet.
                let split = self.push(Step::Match)?;
                self.compile(node)?;
                jumps.push(self.push(Step::Match)?);
                self.steps[usize::from(split)] = Step::Split(split + 1, self.here()?);
            }
        }
        for jump in jumps {
            self.steps[usize::from(jump)] = Step::Jump(self.here()?);
        }
        Ok(())
    }

    /// The copies that are required, then a loop or the optional copies.
    fn repeat(&mut self, node: &Node, least: u32, most: Option<u32>) -> Result<(), TooLong> {
        for _ in 0..least {
            let before = self.here()?;
            self.compile(node)?;
            // Something empty stays empty, however often it is repeated: stop here.
            if self.here()? == before {
                return Ok(());
            }
        }
        let Some(most) = most else {
            let split = self.push(Step::Match)?;
            self.compile(node)?;
            self.push(Step::Jump(split))?;
            self.steps[usize::from(split)] = Step::Split(split + 1, self.here()?);
            return Ok(());
        };
        let mut splits = Vec::new();
        for _ in least..most {
            splits.push(self.push(Step::Match)?);
            self.compile(node)?;
        }
        for split in splits {
            self.steps[usize::from(split)] = Step::Split(split + 1, self.here()?);
        }
        Ok(())
    }

    fn here(&self) -> Result<u16, TooLong> {
        u16::try_from(self.steps.len()).map_err(|_| TooLong)
    }

    fn push(&mut self, step: Step) -> Result<u16, TooLong> {
        let here = self.here()?;
        if self.steps.len() >= MAX_STEPS {
            return Err(TooLong);
        }
        self.steps.push(step);
        Ok(here)
    }
}
