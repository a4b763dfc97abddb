//! Real browsers, Chromium and Firefox, whose `EventSource` is what most subscribers are.
//!
//! Their pages come from another origin than the hub's ([`site`]), through a network that can be
//! cut ([`gate`]), and tell the case what they see. Each case runs in both browsers.

mod cookies;
mod cuts;
mod fetching;
mod gate;
mod page;
mod process;
mod site;

use std::sync::Arc;

use crate::case::{Case, Suite};
use crate::hub::Hub;
use crate::launch::Variables;
use process::{Browser, Kind, LazyBrowser};

use cookies::{
    a_cookie_of_either_generation_reaches_the_hub_across_origins,
    a_page_of_an_origin_that_is_not_listed_reads_nothing,
    a_private_update_reaches_the_page_whose_cookie_grants_it_alone,
};
use cuts::{
    a_page_recovers_from_the_death_of_the_hub, a_page_that_polls_sees_every_update_in_order,
    a_quiet_page_misses_nothing_when_its_connection_is_reset,
    a_quiet_page_misses_nothing_when_its_stream_ends,
};
use fetching::a_page_reads_with_fetch_and_a_token_in_the_header;

static CHROMIUM: LazyBrowser = LazyBrowser::new(Kind::Chromium);
static FIREFOX: LazyBrowser = LazyBrowser::new(Kind::Firefox);

/// Makes two [`Case`]s of each function, one for each browser.
macro_rules! in_both_browsers {
    ($($function:ident),+ $(,)?) => {
        &[$(
            Case::launching(
                concat!(module_path!(), "::chromium::", stringify!($function)),
                |suite| $function(suite, CHROMIUM.get()),
            ),
            Case::launching(
                concat!(module_path!(), "::firefox::", stringify!($function)),
                |suite| $function(suite, FIREFOX.get()),
            ),
        )+]
    };
}

pub(crate) const CASES: &[Case] = in_both_browsers![
    a_cookie_of_either_generation_reaches_the_hub_across_origins,
    a_page_of_an_origin_that_is_not_listed_reads_nothing,
    a_private_update_reaches_the_page_whose_cookie_grants_it_alone,
    a_quiet_page_misses_nothing_when_its_stream_ends,
    a_quiet_page_misses_nothing_when_its_connection_is_reset,
    a_page_recovers_from_the_death_of_the_hub,
    a_page_that_polls_sees_every_update_in_order,
    a_page_reads_with_fetch_and_a_token_in_the_header,
];

/// Names of loopback from which pages are fetched, and at which they reach hubs. A browser keeps
/// cookies by name, so each is a user of its own; two cases that set cookies share none.
const USERS: [&str; 5] =
    ["ann.localhost", "ben.localhost", "cleo.localhost", "dan.localhost", "eve.localhost"];

/// The configuration of a hub for pages of this browser, with some more of the case's own.
fn variables(browser: &Browser, more: Variables) -> Variables {
    let origins = USERS.map(|host| browser.origin(host)).join(",");
    let mut variables = vec![("CORS_ORIGINS", &*origins.leak())];
    variables.extend(more);
    // Which port the site has is known only now, and hubs keep their configuration for good.
    variables.leak()
}

/// The hub that cases share which change nothing about it.
fn shared(suite: &Suite, browser: &Browser) -> Arc<Hub> {
    suite.hubs.shared(variables(browser, &[])).expect("the suite launches hubs")
}

/// Where a page that was fetched from this name reaches a hub, or what stands before it.
fn target(hub: &Hub, host: &str, port: u16, query: &str) -> String {
    format!("http://{host}:{port}{}?{query}", hub.path())
}
