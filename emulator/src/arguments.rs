//! The command line.

use std::ffi::OsString;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::settings::Settings;

/// AWS Lambda behind function URLs, on this machine.
#[derive(Parser, Debug)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Serve the hub's two functions, both from the same binary
    ///
    /// They are configured by the environment of this command; `SERVES` is set to `publish` for one
    /// and to `subscribe` for the other.
    Serve(Serve),
    /// Become a command that ends when the process that started it ends
    Tether(Tether),
}

#[derive(clap::Args, Debug)]
pub(crate) struct Serve {
    /// The port to listen on, at the loopback address
    #[arg(long)]
    pub(crate) port: u16,

    /// Timeout of the publish function, in seconds
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    publish_timeout: u64,

    /// Timeout of the subscribe function, in seconds
    #[arg(long, default_value_t = 900, value_name = "SECONDS")]
    subscribe_timeout: u64,

    /// Reserved concurrency of the publish function
    #[arg(long, default_value_t = 100, value_name = "INVOCATIONS")]
    publish_concurrency: usize,

    /// Reserved concurrency of the subscribe function
    #[arg(long, default_value_t = 1000, value_name = "INVOCATIONS")]
    subscribe_concurrency: usize,

    /// How many invocations an environment handles at a time (`AWS_LAMBDA_MAX_CONCURRENCY`)
    #[arg(long, default_value_t = 1, value_name = "INVOCATIONS", value_parser = at_least_one)]
    environment_concurrency: usize,

    /// Keep environments running between invocations
    #[arg(long)]
    no_freeze: bool,

    /// The function: a binary and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

#[derive(clap::Args, Debug)]
pub(crate) struct Tether {
    /// The ID of the process that starts it
    #[arg(long, value_name = "PROCESS")]
    pub(crate) parent: u32,

    /// The command to become
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

impl Serve {
    pub(crate) fn publish(&self) -> Settings {
        self.settings("publish", self.publish_timeout, self.publish_concurrency)
    }

    pub(crate) fn subscribe(&self) -> Settings {
        self.settings("subscribe", self.subscribe_timeout, self.subscribe_concurrency)
    }

    fn settings(&self, name: &'static str, timeout: u64, concurrency: usize) -> Settings {
        Settings {
            name,
            command: self.command.clone(),
            timeout: Duration::from_secs(timeout),
            concurrency,
            environment_concurrency: self.environment_concurrency,
            freezes: !self.no_freeze && self.environment_concurrency == 1,
        }
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1".to_owned()),
        Ok(number) => Ok(number),
        Err(error) => Err(error.to_string()),
    }
}
