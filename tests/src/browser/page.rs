//! A test page that subscribes in a real browser, and what it sees.

use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::front::DRIVER;
use super::site::{Report, Site, Visit};
use crate::form;

/// How long a page may take to see what the case waits for. Reconnecting alone can take 10 s.
const SIGHT: Duration = Duration::from_secs(60);

/// What a page is to do.
#[derive(Default)]
pub(super) struct Subscriber {
    /// The hub's URL with its query.
    pub(super) hub: String,
    /// Whether its `EventSource` sends cookies (`withCredentials`).
    pub(super) credentials: bool,
    /// Read with `fetch`, which can send this header, and not with `EventSource`.
    pub(super) authorization: Option<String>,
    /// Where it asks who is here, once its `EventSource` is open.
    pub(super) presence: Option<String>,
    /// The `Set-Cookie` fields that come with the page.
    pub(super) cookies: Vec<String>,
}

impl Subscriber {
    fn parameters(&self) -> String {
        let mut parameters = format!("hub={}", form::encode(&self.hub));
        if self.credentials {
            parameters += "&credentials";
        }
        if let Some(presence) = &self.presence {
            parameters += &format!("&presence={}", form::encode(presence));
        }
        if let Some(authorization) = &self.authorization {
            parameters += &format!("&authorization={}", form::encode(authorization));
        }
        parameters
    }
}

/// A page in its tab, which is closed when the case drops this.
pub(super) struct Page<'a> {
    site: &'a Site,
    visit: Visit,
}

impl<'a> Page<'a> {
    pub(super) fn open(site: &'a Site, host: &str, subscriber: &Subscriber) -> Self {
        let visit = site.open(host, &subscriber.parameters(), subscriber.cookies.clone());
        Self { site, visit }
    }

    /// Opens a page at a front that does these steps in another of its pages.
    pub(super) fn drive(site: &'a Site, front: &str, page: &str, steps: &Value) -> Self {
        let visit = site.open_elsewhere(|report| {
            let steps = steps.to_string();
            let query = form::pairs(&[("report", report), ("page", page), ("steps", &steps)]);
            format!("{front}{DRIVER}?{query}")
        });
        Self { site, visit }
    }

    /// What a page that drives another saw there next.
    #[track_caller]
    pub(super) fn see(&self) -> String {
        match self.next() {
            Report::Seen { text } => text,
            report => panic!("the page reported {report:?} where it should have seen something"),
        }
    }

    /// The next thing that the page sees.
    #[track_caller]
    pub(super) fn next(&self) -> Report {
        self.next_until(Instant::now() + SIGHT)
    }

    /// The next update, over any number of reconnections: id and data.
    #[track_caller]
    pub(super) fn message(&self) -> (String, String) {
        // A page that reconnects over and over always sees something.
        let deadline = Instant::now() + SIGHT;
        loop {
            match self.next_until(deadline) {
                Report::Message { id, data } => return (id, data),
                Report::Open | Report::Error { r#final: false } => {}
                report => panic!("the page saw {report:?} where an update was expected"),
            }
        }
    }

    /// Waits until the page lists exactly these.
    #[track_caller]
    pub(super) fn wait_for(&self, expected: &[&str]) {
        let deadline = Instant::now() + SIGHT;
        loop {
            match self.next_until(deadline) {
                Report::Here { names } if names == expected => return,
                Report::Here { .. } | Report::Open => {}
                report => panic!("the page saw {report:?} where {expected:?} were expected"),
            }
        }
    }

    #[track_caller]
    fn next_until(&self, deadline: Instant) -> Report {
        let left = deadline.saturating_duration_since(Instant::now());
        match self.visit.reports.recv_timeout(left) {
            Ok(report) => report,
            Err(RecvTimeoutError::Timeout) => panic!("the page did not see it within {SIGHT:?}"),
            Err(RecvTimeoutError::Disconnected) => panic!("the page's tab is closed"),
        }
    }
}

impl Drop for Page<'_> {
    fn drop(&mut self) {
        self.site.close(self.visit.number);
    }
}
