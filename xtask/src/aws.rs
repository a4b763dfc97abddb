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

use crate::configuration::Variables;
use crate::{configuration, dev, dynamodb, process, serve, template, test, tools, workspace};

/// The deployed binary, and what runs it here.
const FUNCTION: &str = "bootstrap";
const EMULATOR: &str = "cinnabar-lambda-emulator";

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
    "--test-threads",
    "4",
    // Kills, crowds and slow lines are for hubs of the cases' own.
    "--skip",
    "endurance::",
];

/// The keys that the suite signs with, and the issuer that it is, unless it is told others.
const SUITES_KEYS: [(&str, &str); 4] = [
    ("MERCURE_PUBLISHER_JWT_KEY", "publisher-key-of-the-conformance-suite"),
    ("MERCURE_SUBSCRIBER_JWT_KEY", "subscriber-key-of-the-conformance-suite"),
    ("MERCURE_TRUSTED_ISSUERS", "https://issuer.example"),
    ("ANONYMOUS", "1"),
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

/// Runs the black-box suite against one hub, which is started and ended here.
pub(crate) fn run_suite(environment_concurrency: u16, arguments: &[String]) -> Result<()> {
    let port = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    let url = configuration::hub_url(port);
    // In memory, where the system has a folder there: DynamoDB Local waits for the disk several
    // times for each write, and a hub in a hurry answers 503 meanwhile.
    let folder = [Path::new("/dev/shm"), &std::env::temp_dir()]
        .into_iter()
        .find(|folder| folder.is_dir())
        .map(|folder| {
            folder.join(format!("cinnabar-{}-{environment_concurrency}", std::process::id()))
        })
        .context("there is no folder for temporary files")?;
    let mut serve = Command::new(std::env::current_exe()?);
    for name in cinnabar_core::config::names() {
        serve.env_remove(name);
    }
    serve
        .args(["serve", "--aws", "--prebuilt", "--port", &port.to_string(), "--data"])
        .arg(&folder)
        .args(["--environment-concurrency", &environment_concurrency.to_string()])
        .env("HUB_URL", &url)
        .envs(SUITES_KEYS);
    let mut hub = process::Running::start(&mut serve)?;
    let tested = dev::wait_until_it_answers(&mut hub, port).and_then(|()| {
        process::run(test::conformance().args(["--url", &url]).args(CONDITIONS).args(arguments))
    });
    drop(hub);
    // The database may still be writing there; what is left is in memory.
    let _ = fs::remove_dir_all(&folder);
    tested
}

/// Becomes the hub; returns only where it can't.
pub(crate) fn run(
    port: u16,
    data: &Path,
    environment_concurrency: u16,
    prebuilt: bool,
) -> Result<()> {
    if !prebuilt {
        build()?;
    }
    for name in [FUNCTION, EMULATOR] {
        if !built(name).is_file() {
            bail!("{name} has not been built: run `cargo xtask serve --aws` without --prebuilt");
        }
    }
    let data = std::path::absolute(data)?.join("dynamodb");
    fs::create_dir_all(&data).with_context(|| format!("cannot create {}", data.display()))?;
    let database = dynamodb::start(&data)?;
    let mut emulator = emulator(database.port, &configuration::environment());
    emulator
        .args(["--port", &port.to_string()])
        .args(["--environment-concurrency", &environment_concurrency.to_string(), "--"])
        .arg(built(FUNCTION));
    Err(emulator.exec()).context("cannot run the emulator")
}

fn emulator(database: u16, variables: &Variables) -> Command {
    serve::allow_many_connections();
    let mut command = Command::new(built(EMULATOR));
    command
        .arg("serve")
        .envs(variables)
        .env("TABLE_NAME", dynamodb::TABLE)
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
