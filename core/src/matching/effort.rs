//! What matching takes, counted while it runs.
//!
//! A unit is about the time of comparing one character, so that everything which takes time can be
//! added up: a look at an index, a template, a run, a step of a program. Only what is counted can be bounded without a
//! clock: see [`MAX_EFFORT`](crate::limits::MAX_EFFORT).

use std::cell::Cell;
use std::rc::Rc;

/// What one step of a program takes for one character.
pub(crate) const STEP_EFFORT: usize = 4;

/// What it takes to look something up among many others.
pub(crate) const LOOK_EFFORT: usize = 64;

/// What it takes to reach a matcher among all those of a holder, which are in no cache.
pub(crate) const REACH_EFFORT: usize = 256;

/// What it takes to try a matcher, however soon that ends.
pub(crate) const TRY_EFFORT: usize = 256;

/// What matching has taken so far. Clones count together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Effort(Rc<Cell<usize>>);

impl Effort {
    /// Adds to it.
    pub(crate) fn spend(&self, effort: usize) {
        self.0.set(self.0.get().saturating_add(effort));
    }

    /// How much it is.
    pub(crate) fn spent(&self) -> usize {
        self.0.get()
    }
}
