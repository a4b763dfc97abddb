//! The emulator from both sides: as a client at its port, and as a function at its Runtime API.
//!
//! This program is also the function. When the emulator starts it ([`function`]), it does what the
//! test tells it to, over a connection that it opens for each invocation ([`control`]). So a test
//! knows what has happened, and never waits for time to pass.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the whole program is a test: a panic is how a case fails"
)]

mod cases;
mod client;
mod control;
mod function;

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Ok(address) = std::env::var("AWS_LAMBDA_RUNTIME_API") {
        function::serve(&address);
        return ExitCode::SUCCESS;
    }
    let arguments = libtest_mimic::Arguments::from_args();
    libtest_mimic::run(&arguments, cases::all()).exit_code()
}
