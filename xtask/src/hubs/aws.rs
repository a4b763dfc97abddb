//! The hub on AWS, on this machine: the deployed binary, under an emulator of Lambda, with
//! DynamoDB Local.
//!
//! ```text
//! serve --aws ─┬─ DynamoDB Local (java), its file in the data folder
//!              └─ becomes the emulator ── the function's environments
//! ```
//!
//! The process that was started becomes the emulator, so that a test which kills it has killed
//! the hub: the emulator's environments and the database are tethered to it, and end with it.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::commands::{serve, test};
use crate::hubs::configuration::{self, Variables};
use crate::hubs::dynamodb::{self, Storage};
use crate::hubs::template;
use crate::machine::{process, tools, workspace};

/// The deployed binary, and what runs it here.
const FUNCTION: &str = "bootstrap";
const EMULATOR: &str = "cinnabar-lambda-emulator";

/// The table of a hub with a database of its own; its name is the stack's affair on AWS.
const TABLE: &str = "cinnabar";

/// What Lambda takes away from the hub, and its smaller limit, for the black-box suite.
const CONDITIONS: [&str; 16] = [
    "--without",
    "disconnects",
    "--without",
    "www-authenticate",
    "--without",
    "raw-requests",
    "--without",
    "chunks",
    "--without",
    "history-size",
    "--max-update-size",
    "350000",
    // DynamoDB Local takes minutes to write a hundred.
    "--stalled-megabytes",
    "20",
    "--test-threads",
    "4",
];

/// Enough streams in an environment for any case of the suite.
pub(crate) const MANY: u16 = 64;

/// Builds both.
pub(crate) fn build() -> Result<()> {
    tools::npm_packages()?;
    tools::java()?;
    process::run(
        Command::new("cargo")
            .args(["build", "--locked", "--package", "cinnabar-aws", "--package", EMULATOR])
            .current_dir(workspace::path("")),
    )
}

/// Runs the black-box suite against hubs that share a database: one in Java for each of dozens of
/// hubs is more than a small machine serves in time.
pub(crate) fn run_suite(environment_concurrency: u16, arguments: &[String]) -> Result<()> {
    let database = dynamodb::start(Storage::Memory)?;
    let serve = format!(
        "serve --aws --prebuilt --environment-concurrency {environment_concurrency} --database {}",
        database.port
    );
    test::suite(&serve, CONDITIONS.into_iter().chain(arguments.iter().map(String::as_str)))
}

/// Becomes the hub; returns only where it can't.
pub(crate) fn run(
    port: u16,
    data: &Path,
    environment_concurrency: u16,
    database: Option<u16>,
) -> Result<()> {
    for name in [FUNCTION, EMULATOR] {
        if !built(name).is_file() {
            bail!("{name} has not been built: run `cargo xtask serve --aws` without --prebuilt");
        }
    }
    let data = std::path::absolute(data)?;
    // Held until this process becomes the emulator, and the database's parent stays.
    let own;
    let (database, table) = match database {
        Some(database) => (database, table_of(&data)),
        None => {
            let folder = data.join("dynamodb");
            fs::create_dir_all(&folder)
                .with_context(|| format!("cannot create {}", folder.display()))?;
            own = dynamodb::start(Storage::Folder(&folder))?;
            (own.port, TABLE.to_owned())
        }
    };
    dynamodb::create_table(database, &table)?;
    let mut emulator = emulator(database, &table, &configuration::environment());
    emulator
        .args(["--port", &port.to_string()])
        .args(["--environment-concurrency", &environment_concurrency.to_string(), "--"])
        .arg(built(FUNCTION));
    Err(emulator.exec()).context("cannot run the emulator")
}

/// The table of a hub with data of its own in a database that is shared: the folder's path, in the
/// characters that a table's name may have.
fn table_of(data: &Path) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let name: String = data.to_string_lossy().chars().map(plain).collect();
    // A name has 255 characters at most, and what tells folders apart is at the end.
    name[name.len().saturating_sub(255)..].to_owned()
}

fn emulator(database: u16, table: &str, variables: &Variables) -> Command {
    serve::allow_many_connections();
    let mut command = Command::new(built(EMULATOR));
    command
        .arg("serve")
        .envs(variables)
        .env("TABLE_NAME", table)
        .env("ORIGIN_SECRET", "of the emulator, which is both functions at one URL")
        .env("AWS_ENDPOINT_URL_DYNAMODB", format!("http://127.0.0.1:{database}"))
        // The user's own would be sent to it, and might be looked up over the network.
        .env("AWS_ACCESS_KEY_ID", "local")
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env("AWS_REGION", "us-east-1");
    command
}

/// This command, which ends when this process does, or the emulator that it becomes.
pub(crate) fn tethered(command: &Command) -> Command {
    let mut tethered = Command::new(built(EMULATOR));
    tethered
        .args(["tether", "--parent", &std::process::id().to_string(), "--"])
        .arg(command.get_program())
        .args(command.get_args());
    tethered
}

fn built(name: &str) -> PathBuf {
    workspace::path("target/debug").join(name)
}

/// Checks template.yaml, and builds what it deploys; none of it needs an account.
pub(crate) fn check_template() -> Result<()> {
    let programs = tools::sam()?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(
        std::iter::once(programs.clone()).chain(std::env::split_paths(&path)),
    )?;
    let command = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(programs.join(program));
        command
            .args(arguments)
            .current_dir(workspace::path(""))
            .env("PATH", &path)
            // Nothing is sent to anybody by a test.
            .env("SAM_CLI_TELEMETRY", "0")
            // That it builds is what is checked; to optimize it takes minutes.
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
            .env("AWS_REGION", "us-east-1");
        command
    };
    check_router()?;
    process::run(&mut command("cfn-lint", &["template.yaml"]))?;
    process::run(&mut command("sam", &["validate", "--lint"]))?;
    tools::lambda_target()?;
    process::run(&mut command("sam", &["build", "--build-dir", "target/sam"]))
}

/// Runs CloudFront's program under Node.js, in place of CloudFront.
fn check_router() -> Result<()> {
    let router = template::router()?.replace(
        "import cf from 'cloudfront';",
        "let chosen; const cf = { selectRequestOriginById(id) { chosen = id; } };",
    );
    let check = "
        for (const [method, origin] of [['POST', 'publish'], ['GET'], ['HEAD'], ['OPTIONS']]) {
          chosen = undefined;
          const request = { method };
          if (handler({ request }) !== request || chosen !== origin) {
            throw new Error(`${method} goes to ${chosen}`);
          }
        }";
    process::run(Command::new("node").args(["--eval", &format!("{router}{check}")]))
}
