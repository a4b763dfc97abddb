//! An example's page in its tab, as its [`super::lens`] sees it.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use super::site::{Report, Site, Visit};

/// How long a page may take to show what the case waits for.
const SIGHT: Duration = Duration::from_secs(90);

/// How long to wait for a page to show something before it is done again.
const AGAIN: Duration = Duration::from_millis(500);

/// A page whose text is watched; its tab is closed when the case drops this.
pub(super) struct Watched<'a> {
    site: &'a Site,
    visit: Visit,
    shown: RefCell<Shown>,
}

/// What it has shown last.
#[derive(Default)]
struct Shown {
    text: String,
    reloaded: bool,
}

impl<'a> Watched<'a> {
    pub(super) fn open(site: &'a Site, url: &str) -> Self {
        Self { site, visit: site.open_url(url), shown: RefCell::default() }
    }

    /// Waits until the page shows all of these at once.
    #[track_caller]
    pub(super) fn wait_for(&self, parts: &[&str]) {
        let deadline = Instant::now() + SIGHT;
        while !self.shows(parts) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                self.look(left),
                "the page shows {:?}, not {parts:?}",
                self.shown.borrow().text
            );
        }
    }

    /// Does something until the page shows this.
    #[track_caller]
    pub(super) fn until_shown(&self, part: &str, mut act: impl FnMut()) {
        let deadline = Instant::now() + SIGHT;
        while !self.shows(&[part]) {
            assert!(
                Instant::now() < deadline,
                "the page shows {:?}, not {part:?}",
                self.shown.borrow().text
            );
            act();
            self.look(AGAIN);
        }
    }

    /// Whether what it shows, it shows after a reload.
    pub(super) fn was_reloaded(&self) -> bool {
        self.shown.borrow().reloaded
    }

    /// How many times it shows this.
    pub(super) fn count(&self, part: &str) -> usize {
        self.shown.borrow().text.matches(part).count()
    }

    fn shows(&self, parts: &[&str]) -> bool {
        parts.iter().all(|part| self.shown.borrow().text.contains(part))
    }

    /// Waits for the next change of what it shows.
    fn look(&self, patience: Duration) -> bool {
        match self.visit.reports.recv_timeout(patience) {
            Ok(Report::Shown { text, reloaded }) => {
                self.shown.replace(Shown { text, reloaded });
                true
            }
            Ok(_) => true,
            Err(_) => false,
        }
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.site.close(self.visit.number);
    }
}
