//! Examples that subscribe, but are no pages.

use super::{Example, with_one_secret};
use crate::case::Suite;
use crate::hub::fresh;

const PROGRAMS: [&str; 2] = ["examples/subscribe/subscribe.mjs", "examples/subscribe/subscribe.py"];

pub(super) fn a_program_reads_on_after_the_hub_was_restarted(suite: &Suite) {
    let hub = with_one_secret(suite, &[]);
    let topic = fresh("followed");
    let mut programs = PROGRAMS.map(|script| Example::start(&hub, script, &[&topic]));
    for program in &mut programs {
        program.wait_for("subscribed");
    }
    let before = hub.publish(&[("topic", &topic), ("data", "before")]);
    for program in &mut programs {
        program.wait_for(&format!("{before} before"));
    }
    hub.kill();
    hub.restart();
    // Before any of them is back, or after: each resumes from what it has.
    let after = hub.publish(&[("topic", &topic), ("data", "after")]);
    for program in &mut programs {
        program.wait_for(&format!("{after} after"));
    }
}
