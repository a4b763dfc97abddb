//! Where pages come from, and the hubs that they reach.

use std::sync::Arc;

use super::process::Browser;
use crate::case::Suite;
use crate::hub::Hub;
use crate::launch::Variables;

/// Loopback names from which pages are fetched, and at which they reach hubs. A browser keeps
/// cookies by host name, so each name is a user of its own; no two cases that set cookies share
/// one.
pub(super) const USERS: [&str; 7] = [
    "ann.localhost",
    "ben.localhost",
    "cleo.localhost",
    "dan.localhost",
    "eve.localhost",
    "fay.localhost",
    "gus.localhost",
];

/// The same, for pages that drive a hub's debugger.
pub(super) const DEBUGGERS: [&str; 4] =
    ["hal.localhost", "ida.localhost", "jon.localhost", "kim.localhost"];

/// The configuration of a hub for pages in this browser, with the case's own variables added.
pub(super) fn variables(browser: &Browser, more: Variables) -> Variables {
    let origins = USERS.map(|host| browser.origin(host)).join(",");
    let mut variables = vec![("CORS_ORIGINS", &*origins.leak())];
    variables.extend(more);
    // The site's port is known only now; leaked, since configurations are kept for the whole run.
    variables.leak()
}

/// The hub shared by cases that change nothing about it.
pub(super) fn shared(suite: &Suite, browser: &Browser) -> Arc<Hub> {
    suite.hubs.shared(variables(browser, &[])).expect("the suite launches hubs")
}

/// Where a page fetched from this name reaches a hub, or the gate in front of it.
pub(super) fn target(hub: &Hub, host: &str, port: u16, query: &str) -> String {
    format!("http://{host}:{port}{}?{query}", hub.path())
}
