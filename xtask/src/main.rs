//! `cargo xtask`: everything that developers and CI do with this repository.
//!
//! It is one program, so that a developer's hub, CI's hub and the deployed hub are built by the
//! same code:
//!
//! ```text
//! dev      build, serve under workerd, print what to paste ── serve (the same hub, bare, for tests)
//!          (with --aws: under an emulator of Lambda, with DynamoDB Local; with --native: the
//!          process that it is)
//! test     all checks ── build (the Worker; wrangler calls it too; or the hub of one process)
//! bench    a load for this hub or any other, and what it measures
//! contract the Worker's log, held to what every log must do
//! package  everything that a release publishes
//! check    the configuration, before a deploy
//! plan     who may import whom
//! token    mint a token of either protocol generation
//! readme   regenerate the README's tables, and check the documentation's links and its page of errors
//! ```
//!
//! A file may use what is in its own room and in those below it:
//!
//! | room | what is in it |
//! |---|---|
//! | [`commands`] | what can be asked of this program, and the checks that make up `test` |
//! | [`hubs`] | a hub on this machine: its configuration, its build, its start |
//! | [`machine`] | this machine: tools that are installed when missing, processes that end with this one unless it is killed outright, paths |

mod commands;
mod hubs;
mod machine;

use std::process::ExitCode;

use cinnabar_kit::{check, token};
use clap::{Parser, Subcommand};

use crate::commands::{bench, build, contract, dev, package, plan, readme, serve, test};
use crate::machine::{process, workspace};

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
    /// Configuration variables in the environment override the development defaults.
    Dev(dev::Arguments),
    /// Run every check: what CI runs
    Test(test::Arguments),
    /// Put a load on a hub, and measure how fast it is
    ///
    /// It prints a table, in Markdown. Whoever shares the machine is measured as well: compare only
    /// what was measured side by side, with --against.
    Bench(bench::Arguments),
    /// Build the Worker for deployment, or with --native the hub of one process
    Build(build::Arguments),
    /// Hold the Worker's log to the contract of every log, under workerd
    Contract,
    /// Check the configuration of the Worker before a deploy, reading it as the hub will
    Check,
    /// Mint an access token
    ///
    /// Without --key, for the hub that the environment configures, and whatever it does not say is
    /// that of `cargo xtask dev`.
    Token(token::Arguments),
    /// Make everything that a release publishes, in the folder `dist`
    Package(package::Arguments),
    /// Regenerate the README's tables, and check the documentation: its links, its page of errors
    Readme,
    /// Check that imports follow the tables of rooms, and form no circle
    Plan,
    /// Become a hub, configured only by the environment (for test suites to launch)
    Serve(serve::Arguments),
}

fn main() -> ExitCode {
    let done = process::end_children_on_signals().and_then(|()| match Arguments::parse().command {
        Command::Dev(arguments) => dev::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Build(arguments) => build::run(&arguments),
        Command::Contract => contract::check(),
        Command::Check => check::run(&workspace::path("")),
        Command::Token(arguments) => token::run(&arguments),
        Command::Package(arguments) => package::run(&arguments),
        Command::Readme => readme::update(),
        Command::Plan => plan::check()
            .inspect(|()| println!("ok: imports follow the tables of rooms, and form no circle")),
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
