//! The program `cinnabar`, for systems like this one.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::archive::{Files, publish};
use crate::hubs::native::{self, Purpose};
use crate::machine::workspace;

pub(super) fn make(dist: &Path) -> Result<()> {
    native::build(Purpose::Service)?;
    native::require_static(Purpose::Service)?;
    let program = Purpose::Service.program();
    let mut files = Files::default();
    files.add_program(
        "cinnabar",
        fs::read(&program).with_context(|| program.display().to_string())?,
    );
    files.copy("README.md", &workspace::path("kit/native/README.md"))?;
    for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
        files.copy(licence, &workspace::path(licence))?;
    }
    let (system, processor) = (std::env::consts::OS, std::env::consts::ARCH);
    let name = format!("cinnabar-{}-{system}-{processor}", env!("CARGO_PKG_VERSION"));
    publish(dist, &format!("{name}.tar.gz"), &files.tar_gz(&name)?)
}
