//! The black-box suite, run against hubs that this program serves.

use anyhow::Result;
use cinnabar_kit::shell::quote;

use crate::hubs::dynamodb::{self, Storage};
use crate::machine::{cargo, process};

/// What Lambda takes away from the hub, and its smaller limit.
const CONDITIONS_ON_AWS: [&str; 22] = [
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
    "--max-update-size",
    "350000",
    // DynamoDB Local takes minutes to write a hundred.
    "--stalled-megabytes",
    "20",
    "--test-threads",
    "4",
];

/// What a process of one's own does not have. A hub whose configuration is broken does not start.
const CONDITIONS_ON_NATIVE: [&str; 8] = [
    "--without",
    "environments",
    "--without",
    "misconfigured",
    "--without",
    "json-bindings",
    "--without",
    "shared-cache",
];

/// Enough streams in an environment for any case of the suite.
pub(crate) const MANY: u16 = 64;

/// Runs the suite against hubs under workerd, which does not end while there are streams.
pub(crate) fn on_cloudflare(arguments: &[String]) -> Result<()> {
    let conditions = ["--without", "environments", "--without", "graceful-end"];
    run("serve --prebuilt", &conditions, arguments)
}

/// Runs the suite against hubs that are processes of their own.
pub(crate) fn on_native(arguments: &[String]) -> Result<()> {
    run("serve --native --prebuilt", &CONDITIONS_ON_NATIVE, arguments)
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
    let launch = format!("{} {serve}", quote(&std::env::current_exe()?.to_string_lossy()));
    let conformance = ["run", "--locked", "--quiet", "-p", "cinnabar-conformance", "--"];
    let mut suite = cargo::command(&conformance);
    process::run(suite.args(["--launch", &launch]).args(conditions).args(arguments))
}
