//! `cargo xtask`: everything that is done with this repository by hand or by CI.
//!
//! One program, so that a developer's hub, CI's and the deployed one are built by the same code:
//!
//! ```text
//! dev    build, serve under workerd, print what to paste ── serve (the same hub, bare, for tests)
//!        (with --aws: under an emulator of Lambda, with DynamoDB Local)
//! test   all checks ── build (the Worker; also what wrangler calls)
//! check  the configuration, before a deploy
//! token  a token of either protocol generation
//! readme the README's tables
//! ```
//!
//! Each command installs what it needs ([`tools`]), and ends what it started ([`process`]).

mod aws;
mod check;
mod configuration;
mod dev;
mod dynamodb;
mod page;
mod platforms;
mod process;
mod readme;
mod requirements;
mod serve;
mod template;
mod test;
mod token;
mod tools;
mod worker;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(bin_name = "cargo xtask", about = "Builds, runs and checks the hub", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the hub on this machine, and print tokens and lines to paste
    ///
    /// A configuration variable in the environment overrides the development default.
    Dev(dev::Arguments),
    /// Run every check: what CI runs
    Test(test::Arguments),
    /// Build the Worker for deployment
    Build,
    /// Check the configuration as the hub will read it
    Check,
    /// Mint an access token
    Token(token::Arguments),
    /// Bring the README's tables up to date
    Readme,
    /// Become a hub, configured by the environment alone (what test suites launch)
    Serve(serve::Arguments),
}

fn main() -> ExitCode {
    let done = process::end_children_on_signals().and_then(|()| match Arguments::parse().command {
        Command::Dev(arguments) => dev::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Build => worker::build_and_report(),
        Command::Check => check::run(),
        Command::Token(arguments) => token::run(&arguments),
        Command::Readme => readme::update(),
        Command::Serve(arguments) => serve::run(&arguments),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
