//! `test`: every check there is, the quick ones first. CI runs this and nothing else.

use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::commands::{bench, contract, package, plan, readme, requirements, stack, suite};
use crate::hubs::{aws, dev_vars, emulator, native, worker};
use crate::machine::cargo::TOGETHER;
use crate::machine::{cargo, process, tools, workspace};

/// The cases of what hubs say to each other when one follows another.
const PARTS_OF_FOLLOWERS: [&str; 8] = [
    "subscribe::",
    "publish::",
    "private::",
    "resume::",
    "lifetime::",
    "presence::",
    "limits::",
    "sigkill",
];

#[derive(Args)]
pub(crate) struct Arguments {
    /// Arguments for the black-box suite: part of the cases' names, `--kills 100` and so on
    #[arg(last = true, value_name = "SUITE ARGUMENT")]
    suite: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    heading("formatting");
    cargo::run(&["fmt", "--all", "--check"])?;

    heading("imports: down the table of rooms, and in no circle");
    plan::check()?;

    heading("the README's tables, the documentation's links, and the page of errors");
    readme::check()?;

    heading("clippy");
    tools::wasm_target()?;
    let strict = ["--", "-D", "warnings"];
    cargo::run(&[&["clippy", "--locked", "--all-targets"], &strict[..]].concat())?;
    let worker = ["clippy", "--locked", "-p", "cinnabar-cloudflare", "--target", tools::WASM];
    for features in ["", "contract"] {
        cargo::run(&[&worker[..], &["--features", features], &strict].concat())?;
    }

    heading("documentation");
    process::run(
        cargo::command(&[
            "doc",
            "--locked",
            "--quiet",
            "--no-deps",
            "-p",
            "cinnabar-core",
            "-p",
            "cinnabar-commands",
            "-p",
            "cinnabar-runtime",
            "-p",
            "cinnabar-aws",
            "-p",
            "cinnabar-native",
            "--lib",
        ])
        .env("RUSTDOCFLAGS", "-D warnings"),
    )?;

    heading("unit, vector and property tests");
    cargo::run(&[&["test", "--locked", "--quiet"], &TOGETHER[..]].concat())?;

    heading("the AWS variant: its log on DynamoDB Local, and the log's model");
    tools::npm_packages()?;
    tools::java()?;
    process::run(
        cargo::command(&["test", "--locked", "--quiet", "--package", "cinnabar-aws"])
            .env("DYNAMODB_LOCAL", tools::dynamodb_local()?),
    )?;

    heading("the native variant: its log, and its process");
    cargo::run(&["test", "--locked", "--quiet", "--package", "cinnabar-native"])?;

    heading("the specification's requirements, and the tests that show them");
    requirements::check()?;

    heading("the Worker");
    worker::build_and_report()?;

    heading("the Worker's log, held to the contract of every log under workerd");
    contract::check()?;

    heading("the load of `cargo xtask bench`, put on the Worker for a moment");
    bench::check()?;

    heading(".dev.vars, read by wrangler");
    dev_vars::compare_with_wrangler()?;

    heading("wrangler deploy --dry-run");
    process::run(
        Command::new("npx")
            .args(["--no-install", "wrangler", "deploy", "--dry-run", "--outdir"])
            .arg(workspace::path("target/wrangler"))
            // A test sends nothing to anybody.
            .env("WRANGLER_SEND_METRICS", "false")
            .current_dir(workspace::path("")),
    )?;

    heading("what is published, tried by a user without Rust");
    package::check()?;

    heading("black-box suite, under workerd and in browsers");
    // For hubs that follow the Worker, and are followed by it.
    native::build(native::Purpose::Development)?;
    tools::browsers()?;
    tools::libraries()?;
    tools::examples()?;
    suite::on_cloudflare(&arguments.suite)?;
    if arguments.suite.is_empty() {
        heading("part of it, with relays that hold the streams");
        for part in
            ["subscribe::", "resume::", "lifetime::", "presence::", "sigkill", "abort", "relays::"]
        {
            suite::with_relays(part)?;
        }
    }

    heading("black-box suite, on the native variant, a static program as is deployed");
    native::require_static(native::Purpose::Development)?;
    suite::on_native(&arguments.suite)?;
    if arguments.suite.is_empty() {
        heading("part of it, with a hub that follows another and forwards publications to it");
        // It tethers one hub to the other. The functions are built with it, as they have to be below: alone,
        // it would be built of other dependencies.
        emulator::build()?;
        for part in PARTS_OF_FOLLOWERS {
            suite::with_follower(part)?;
        }
    }

    heading("template.yaml, and the functions that it deploys");
    stack::check()?;
    package::check_templates()?;

    aws::build()?;
    heading("black-box suite, on the AWS variant, with many streams to an environment");
    suite::on_aws(suite::MANY, &arguments.suite)?;
    if arguments.suite.is_empty() {
        heading("part of it, with one stream to an environment, which is Lambda's default");
        // Only cases with few streams, since each takes a process.
        let part = ["resume::", "--skip", "what_was_acknowledged", "--skip", "a_replay_turns_live"];
        suite::on_aws(1, &part.map(str::to_owned))?;
    }
    Ok(())
}

fn heading(what: &str) {
    println!("\n── {what}");
}
