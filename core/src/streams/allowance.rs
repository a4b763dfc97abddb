//! How much effort may be made to tell whom updates are for.

use crate::limits::MAX_EFFORT;

/// What is left for updates that have become durable together.
pub(crate) struct Allowance {
    asking: usize,
    granting: usize,
    updates: usize,
}

impl Allowance {
    /// [`MAX_EFFORT`] for this many updates, once for what was asked for and once for what is
    /// granted.
    pub(crate) fn new(updates: usize) -> Self {
        Self { asking: MAX_EFFORT, granting: MAX_EFFORT, updates }
    }

    /// What the next update may take of what was asked for: its share of what is left.
    pub(crate) fn share(&mut self) -> usize {
        let share = self.asking / self.updates.max(1);
        self.updates = self.updates.saturating_sub(1);
        share
    }

    /// So much was made for what was asked for.
    pub(crate) fn ask(&mut self, effort: usize) {
        self.asking = self.asking.saturating_sub(effort);
    }

    /// What may be made for what is granted.
    pub(crate) fn granting(&self) -> usize {
        self.granting
    }

    /// So much was made for what is granted.
    pub(crate) fn grant(&mut self, effort: usize) {
        self.granting = self.granting.saturating_sub(effort);
    }
}
