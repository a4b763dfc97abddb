//! What whoever watches is told on standard error: how far a load has come, and what is wrong.

use std::cell::Cell;
use std::io::{IsTerminal as _, Write as _, stderr};

use cinnabar_load::{Faults, Figures, Load, Progress};

/// Says on standard error how far a load has come.
pub(super) struct Watcher {
    name: String,
    streams: usize,
    /// A terminal is told every second, on one line.
    is_terminal: bool,
    told: Cell<Option<std::mem::Discriminant<Progress>>>,
}

impl Watcher {
    /// Whoever watches a load, by the name that it is told under.
    pub(super) fn new(name: String, load: &Load) -> Self {
        let is_terminal = stderr().is_terminal();
        Self { name, streams: load.streams, is_terminal, told: Cell::new(None) }
    }

    /// Says how far it has come.
    pub(super) fn tell(&self, progress: Progress) {
        let kind = Some(std::mem::discriminant(&progress));
        if self.told.replace(kind) == kind && !self.is_terminal {
            return;
        }
        let what = match progress {
            Progress::Opening(open) => format!("{open} of {} streams are open", self.streams),
            Progress::WarmingUp(published, delivered) => {
                format!("warming up: {published} published, {delivered} delivered")
            }
            Progress::Measuring(published, delivered) => {
                format!("measuring: {published} published, {delivered} delivered")
            }
        };
        let (begin, end) = if self.is_terminal { ("\r\x1b[K", "") } else { ("", "\n") };
        eprint!("{begin}{}: {what}{end}", self.name);
        // It is only to be seen.
        let _ = stderr().flush();
    }

    /// What is printed next begins a line.
    pub(super) fn end(&self) {
        if self.is_terminal {
            eprint!("\r\x1b[K");
        }
    }
}

/// Says what is wrong with a hub, or with what was measured of it.
pub(super) fn warn(figures: &Figures, url: &str) {
    let Figures { refused, lost, out_of_order, twice, .. } = *figures;
    warn_of(Faults { refused, lost, out_of_order, twice }, url);
    // They are in no column of the table.
    warn_of(figures.warm_up, &format!("while it was warmed up, {url}"));
    if figures.ended > 0 {
        eprintln!("warning: {url} ended {} streams before the end", figures.ended);
    }
    if let Some(arrivals) = figures.arrivals.filter(|arrivals| arrivals.refused > 0) {
        eprintln!("warning: {url} opened no stream for {} that arrived", arrivals.refused);
    }
    if figures.reader_busy > 0.9 {
        eprintln!("warning: reading took a whole processor, so that {url} may be faster than this");
    }
}

fn warn_of(faults: Faults, who: &str) {
    let Faults { refused, lost, out_of_order, twice } = faults;
    if lost > 0 {
        eprintln!("warning: {who} did not deliver {lost} updates");
    }
    if out_of_order + twice > 0 {
        eprintln!(
            "warning: {who} delivered {out_of_order} updates after later ones, and {twice} twice"
        );
    }
    if refused > 0 {
        eprintln!("warning: {who} did not acknowledge {refused} publications");
    }
}
