//! A black-box suite for hubs of the Mercure protocol.
//!
//! One binary runs the same cases against every hub, so that what the specification demands, and
//! what Cinnabar adds to it, is written down once for all platforms:
//!
//! ```console
//! $ cinnabar-conformance --launch "COMMAND ARGUMENTS"           # starts its own hubs
//! $ cinnabar-conformance --url https://… --publisher-key …      # a hub that is already running
//! ```
//!
//! It knows a hub only by its bytes: none of the project's crates is among its dependencies. A case
//! is a function named after the rule it shows ([`cases`]); it gets a running [`hub::Hub`], speaks
//! HTTP to it ([`http`], [`stream`]) with tokens that it signs itself ([`token`]), and panics if
//! the rule is broken.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the whole program is a test: a panic is how a case fails"
)]

mod arguments;
mod browser;
mod case;
mod cases;
mod children;
mod endurance;
mod examples;
mod form;
mod http;
mod hub;
mod issuer;
mod launch;
mod libraries;
mod port;
mod process;
mod sse;
mod stream;
mod token;
mod websocket;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;

use crate::arguments::Arguments;
use crate::case::Suite;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let harness = arguments.harness();
    let suite = match Suite::new(arguments) {
        Ok(suite) => Arc::new(suite),
        Err(mistake) => {
            eprintln!("{mistake}");
            return ExitCode::from(2);
        }
    };
    // 128 + SIGINT, which is what a shell reports for a program ended by that signal.
    if let Err(error) = ctrlc::set_handler(|| children::exit(130)) {
        eprintln!("cannot listen for Ctrl-C: {error}");
        return ExitCode::from(2);
    }

    let trials = cases::all().map(|case| case.into_trial(Arc::clone(&suite))).collect();
    let _reaper = children::Reaper;
    libtest_mimic::run(&harness, trials).exit_code()
}
