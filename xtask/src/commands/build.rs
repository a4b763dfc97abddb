//! `build`: what is deployed.

use std::fs;

use anyhow::Result;
use clap::Args;

use crate::hubs::native::{self, Purpose};
use crate::hubs::worker;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Build the hub of one process; on Linux it is a single file, which needs no libraries of the
    /// system that it runs on
    #[arg(long)]
    native: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    if !arguments.native {
        return worker::build_and_report();
    }
    native::build(Purpose::Service)?;
    let program = Purpose::Service.program();
    let megabytes = fs::metadata(&program)?.len().div_ceil(1_000_000);
    println!("{}: {megabytes} MB", program.display());
    Ok(())
}
