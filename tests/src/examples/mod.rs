//! The examples for users (`examples/`), each run as its page says, against a hub.
//!
//! Those that end in a page are cases of [`crate::browser`].

mod discovery;
mod program;
mod publishing;
mod subscribing;

pub(crate) use program::{Example, SECRET, with_one_secret};

use crate::case::{Case, case};

use discovery::a_resource_is_followed_by_its_address_alone;
use publishing::{
    a_function_publishes_what_is_in_its_queue, a_program_publishes_and_says_what_is_wrong,
    a_worker_publishes_what_is_posted_to_it,
};
use subscribing::a_program_reads_on_after_the_hub_was_restarted;

pub(crate) const CASES: &[Case] = &[
    case!(a_program_publishes_and_says_what_is_wrong launching),
    case!(a_worker_publishes_what_is_posted_to_it launching),
    case!(a_function_publishes_what_is_in_its_queue launching),
    case!(a_program_reads_on_after_the_hub_was_restarted launching),
    case!(a_resource_is_followed_by_its_address_alone launching),
];
