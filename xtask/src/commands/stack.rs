//! template.yaml, checked, and what it deploys, built: none of it needs an account.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::hubs::template;
use crate::machine::{process, tools, workspace};

/// Checks the template, and builds its functions.
pub(crate) fn check() -> Result<()> {
    check_router()?;
    validate(&workspace::path(""))?;
    tools::lambda_target()?;
    process::run(
        command("sam", &["build", "--build-dir", "target/sam"], &workspace::path(""))?
            // Only whether it builds is checked here; optimizing would take minutes.
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"),
    )
}

/// Checks the template in a folder.
pub(crate) fn validate(folder: &Path) -> Result<()> {
    process::run(&mut command("cfn-lint", &["template.yaml"], folder)?)?;
    process::run(&mut command("sam", &["validate", "--lint"], folder)?)
}

/// One of SAM's programs.
pub(crate) fn command(program: &str, arguments: &[&str], folder: &Path) -> Result<Command> {
    let programs = tools::sam()?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(
        std::iter::once(programs.clone()).chain(std::env::split_paths(&path)),
    )?;
    let mut command = Command::new(programs.join(program));
    command
        .args(arguments)
        .current_dir(folder)
        .env("PATH", path)
        // A test sends nothing to anybody.
        .env("SAM_CLI_TELEMETRY", "0")
        .env("AWS_REGION", "us-east-1");
    Ok(command)
}

/// Runs the program that CloudFront would run, under Node.js.
fn check_router() -> Result<()> {
    let router = template::router()?.replace(
        "import cf from 'cloudfront';",
        "let chosen; const cf = { selectRequestOriginById(id) { chosen = id; } };",
    );
    let check = "
        for (const [method, origin] of [['POST', 'publish'], ['GET'], ['HEAD'], ['OPTIONS']]) {
          chosen = undefined;
          const request = { method, headers: { 'true-client-ip': { value: 'forged' } } };
          if (handler({ request, viewer: { ip: '192.0.2.1' } }) !== request || chosen !== origin) {
            throw new Error(`${method} goes to ${chosen}`);
          }
          if (request.headers['true-client-ip'].value !== '192.0.2.1') {
            throw new Error(`a client chooses its address`);
          }
        }";
    process::run(Command::new("node").args(["--eval", &format!("{router}{check}")]))
}
