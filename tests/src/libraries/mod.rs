//! Other people's libraries: what they sign, how they write keys, how they publish them, and how they
//! read streams.
//!
//! Each has a small program of its own in `tests/libraries`, which uses it as its documentation
//! says, at a pinned version, and prints lines of JSON ([`program`]). What a library does with a
//! hub is known only once it has been run: the tables here say what was found, and the cases hold
//! the hub, and the next version of the library, to it.

mod clients;
mod issuers;
mod program;
mod tokens;

use crate::arguments::Capability;
use crate::case::{Case, case};

use clients::{
    BRISK, LASTING, a_client_that_stops_at_a_clean_end_is_cut, a_full_hub_is_waited_for,
    a_restart_loses_nothing, the_end_of_a_stream_loses_nothing,
};
use issuers::the_keys_of_an_issuer_change_while_the_hub_runs;
use tokens::what_a_library_signs_is_accepted_with_its_key_as_the_library_writes_it;

pub(crate) const CASES: &[Case] = &[
    case!(what_a_library_signs_is_accepted_with_its_key_as_the_library_writes_it launching),
    case!(the_keys_of_an_issuer_change_while_the_hub_runs launching),
    case!(the_end_of_a_stream_loses_nothing on BRISK),
    case!(a_client_that_stops_at_a_clean_end_is_cut on LASTING).needing(&[Capability::Cuts]),
    case!(a_restart_loses_nothing launching),
    case!(a_full_hub_is_waited_for launching).needing(&[Capability::Disconnects]),
];
