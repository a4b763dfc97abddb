//! `serve`: a hub and nothing else, for the test suites that launch it.
//!
//! This process becomes the server (workerd, with `--aws` the emulator, with `--native` the hub), so that a test that
//! kills the process it started has killed the hub, and whatever else serves it. The hub is configured only by the
//! environment.

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use cinnabar_kit::development;
use clap::Args;

use crate::hubs::door::Door;
use crate::hubs::{aws, followed, native, worker, workerd};
use crate::machine::workspace;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The port to listen on, at the loopback address
    #[arg(long, default_value_t = development::PORT)]
    port: u16,

    /// The folder that holds the hub's data
    #[arg(long, value_name = "FOLDER", default_value_os_t = default_data())]
    data: PathBuf,

    /// Serve the AWS variant: its function under an emulator of Lambda, with DynamoDB Local
    #[arg(long)]
    aws: bool,

    /// Serve the native variant: one process, with its log in a file of the data folder
    #[arg(long, conflicts_with = "aws")]
    native: bool,

    /// With --native, serve a hub that follows another, which has the log and ends with it;
    /// publications are forwarded to that one
    #[arg(long, requires = "native")]
    follow: bool,

    /// With --aws, how many invocations an environment of Lambda handles at a time: one, unless it
    /// is on Managed Instances
    #[arg(long, default_value_t = 1, value_name = "INVOCATIONS", requires = "aws")]
    environment_concurrency: u16,

    /// With --aws, the port of a running DynamoDB Local to share with other hubs, each with a table
    /// named after its data folder [default: one of its own, with its file in the data folder]
    #[arg(long, value_name = "PORT", requires = "aws")]
    database: Option<u16>,

    /// Serve the Worker with a door through which tests abort its objects: `POST /abort/NAME`
    #[arg(long, conflicts_with_all = ["aws", "native"])]
    door: bool,

    /// Use the hub as it was last built, and the tools as they are
    #[arg(long)]
    prebuilt: bool,
}

/// Where a hub keeps its data unless told otherwise.
pub(crate) fn default_data() -> PathBuf {
    workspace::path(".cinnabar/data")
}

/// Becomes the server; returns only if it cannot.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    if arguments.aws {
        if !arguments.prebuilt {
            aws::build()?;
        }
        let Arguments { port, data, environment_concurrency, database, .. } = arguments;
        return aws::run(*port, data, *environment_concurrency, *database);
    }
    let variables = development::environment();
    if arguments.follow {
        if !arguments.prebuilt {
            followed::build()?;
        }
        return followed::run(arguments.port, &arguments.data, variables);
    }
    if arguments.native {
        if !arguments.prebuilt {
            native::build(native::Purpose::Development)?;
        }
        let error = native::command(
            native::Purpose::Development,
            arguments.port,
            &arguments.data,
            &variables,
        )?
        .exec();
        return Err(error).context("cannot run the hub");
    }
    if !arguments.prebuilt {
        worker::build()?;
    } else if !worker::folder().join("index.js").is_file() {
        bail!("the Worker has not been built: run `cargo xtask build`");
    }
    let door = if arguments.door { Door::Open } else { Door::Closed };
    let error = workerd::command(arguments.port, &arguments.data, &variables, door)?.exec();
    Err(error).context("cannot run workerd")
}
