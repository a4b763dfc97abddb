//! Real browsers, Chromium and Firefox, whose `EventSource` is what most subscribers are.
//!
//! Their pages come from an origin other than the hub's ([`site`]), reach it through a network that
//! can be cut ([`gate`]), and tell the case what they see. Each case runs in both browsers.

mod cookies;
mod cuts;
mod debugger;
mod examples;
mod fetching;
mod front;
mod gate;
mod hosts;
mod lens;
mod page;
mod presence;
mod process;
mod site;
mod watched;

use crate::case::Case;
use process::{Kind, LazyBrowser};

use cookies::{
    a_cookie_of_either_generation_reaches_the_hub_across_origins,
    a_page_of_an_origin_that_is_not_listed_reads_nothing,
    a_private_update_reaches_the_page_whose_cookie_grants_it_alone,
};
use cuts::{
    a_page_recovers_from_the_death_of_the_hub, a_page_resumes_from_the_last_update_that_it_got,
    a_page_that_polls_sees_every_update_in_order,
    a_quiet_page_misses_nothing_when_its_connection_is_reset,
    a_quiet_page_misses_nothing_when_its_stream_ends,
};
use debugger::{
    the_debugger_is_reached_by_keyboard, the_debugger_names_what_is_wrong_with_a_token,
    the_debugger_sends_a_cookie_that_it_was_told_to_set, the_debugger_shows_what_it_publishes,
};
use examples::{
    a_chat_shows_who_is_here, a_page_decrypts_what_the_hub_cannot_read,
    an_answer_outlives_the_page_that_asked, an_application_moves_to_1_0, pages_subscribe,
};
use fetching::a_page_reads_with_fetch_and_a_token_in_the_header;
use presence::pages_list_who_is_here;

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
    a_page_resumes_from_the_last_update_that_it_got,
    a_page_recovers_from_the_death_of_the_hub,
    a_page_that_polls_sees_every_update_in_order,
    a_page_reads_with_fetch_and_a_token_in_the_header,
    pages_list_who_is_here,
    pages_subscribe,
    an_application_moves_to_1_0,
    a_page_decrypts_what_the_hub_cannot_read,
    an_answer_outlives_the_page_that_asked,
    a_chat_shows_who_is_here,
    the_debugger_shows_what_it_publishes,
    the_debugger_names_what_is_wrong_with_a_token,
    the_debugger_sends_a_cookie_that_it_was_told_to_set,
    the_debugger_is_reached_by_keyboard,
];
