//! The black-box suite, run against hubs that this program serves.

use anyhow::Result;
use cinnabar_kit::shell::quote;

use crate::hubs::dynamodb::{self, Storage};
use crate::machine::{cargo, process};

/// What Lambda takes away from the hub, and its smaller limit.
const CONDITIONS_ON_AWS: [&str; 26] = [
    "--without",
    "disconnects",
    "--without",
    "www-authenticate",
    "--without",
    "raw-requests",
    "--without",
    "chunks",
    "--without",
    "cuts",
    "--without",
    "history-size",
    "--without",
    "json-bindings",
    "--without",
    "shared-cache",
    "--without",
    "feed",
    "--without",
    "aborts",
    "--max-update-size",
    "350000",
    // DynamoDB Local takes minutes to write a hundred.
    "--stalled-megabytes",
    "20",
    "--test-threads",
    "4",
];

/// What a process of one's own does not have. A hub whose configuration is broken does not start.
const CONDITIONS_ON_NATIVE: [&str; 10] = [
    "--without",
    "environments",
    "--without",
    "misconfigured",
    "--without",
    "json-bindings",
    "--without",
    "shared-cache",
    "--without",
    "aborts",
];

/// What workerd does not have.
const CONDITIONS_ON_CLOUDFLARE: [&str; 4] =
    ["--without", "environments", "--without", "graceful-end"];

/// Enough streams in an environment for any case of the suite.
pub(crate) const MANY: u16 = 64;

/// Runs the suite against hubs under workerd, which does not end while there are streams. What they serve
/// is what is deployed, and has no door. Where hubs of another kind follow them, or are followed, those are
/// processes of their own.
pub(crate) fn on_cloudflare(arguments: &[String]) -> Result<()> {
    let beside = launch("", "serve --native --prebuilt")?;
    let own = ["--without", "aborts", "--launch-beside", &beside];
    let conditions = [&CONDITIONS_ON_CLOUDFLARE[..], &own].concat();
    run("serve --prebuilt", &conditions, arguments)
}

/// Runs those cases whose names have this in them against hubs under workerd whose streams are held by
/// relays, with a door through which objects are aborted.
pub(crate) fn with_relays(part: &str) -> Result<()> {
    let arguments = [
        part,
        // Where there is room for one stream in all, each relay has room for one.
        "--skip",
        "is_full",
        "--skip",
        "makes_room",
        // Whose relay was killed counts as here until it is clear that it does not come back.
        "--skip",
        "a_killed_hub_leaves_nobody_behind",
    ];
    let arguments = arguments.map(str::to_owned);
    // Unless a case has a number of its own.
    run_with(
        "RELAYS=${RELAYS:-4}",
        "serve --prebuilt --door",
        &CONDITIONS_ON_CLOUDFLARE,
        &arguments,
    )
}

/// Runs the suite against hubs that are processes of their own.
pub(crate) fn on_native(arguments: &[String]) -> Result<()> {
    run("serve --native --prebuilt", &CONDITIONS_ON_NATIVE, arguments)
}

/// Runs those cases whose names have this in them against hubs that follow another, each a process of its
/// own beside that one.
pub(crate) fn with_follower(part: &str) -> Result<()> {
    let arguments = [
        part,
        // A hub that follows another is not followed itself.
        "--without",
        "feed",
        // Whose follower was killed counts as here until it is clear that it does not come back.
        "--skip",
        "a_killed_hub_leaves_nobody_behind",
    ];
    let arguments = arguments.map(str::to_owned);
    run("serve --native --follow --prebuilt", &CONDITIONS_ON_NATIVE, &arguments)
}

/// Runs the suite against hubs on the AWS variant. They share one database: a Java process for
/// each of dozens of hubs is more than a small machine can start in time.
pub(crate) fn on_aws(environment_concurrency: u16, arguments: &[String]) -> Result<()> {
    let database = dynamodb::start(Storage::Memory)?;
    let serve = format!(
        "serve --aws --prebuilt --environment-concurrency {environment_concurrency} --database {}",
        database.port
    );
    run(&serve, &CONDITIONS_ON_AWS, arguments)
}

fn run(serve: &str, conditions: &[&str], arguments: &[String]) -> Result<()> {
    run_with("", serve, conditions, arguments)
}

/// The same, with variables that all hubs have beside their own.
fn run_with(variables: &str, serve: &str, conditions: &[&str], arguments: &[String]) -> Result<()> {
    let launch = launch(variables, serve)?;
    let conformance = ["run", "--locked", "--quiet", "-p", "cinnabar-conformance", "--"];
    let mut suite = cargo::command(&conformance);
    process::run(suite.args(["--launch", &launch]).args(conditions).args(arguments))
}

/// The command line by which this program serves hubs with these variables.
fn launch(variables: &str, serve: &str) -> Result<String> {
    let program = quote(&std::env::current_exe()?.to_string_lossy());
    Ok(format!("env {variables} {program} {serve}"))
}
