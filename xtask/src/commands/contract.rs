//! `contract`: the Worker's log, held to what every log must do.

use anyhow::Result;

use crate::hubs::{worker, workerd};
use crate::machine::process;

/// Fails if a case is broken; each is printed as it ends.
pub(crate) fn check() -> Result<()> {
    let folder = worker::build_contract()?;
    process::run(&mut workerd::contract(&folder)?)
}
