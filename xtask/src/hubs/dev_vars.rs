//! `.dev.vars`, read by wrangler itself: `cinnabar_kit::dev_vars` must read it likewise.

use std::fs;
use std::process::Command;

use anyhow::Result;

use crate::machine::{process, workspace};

/// Fails if wrangler reads the table of that module's test otherwise.
pub(crate) fn compare_with_wrangler() -> Result<()> {
    let folder = workspace::path("target/dev-vars");
    fs::create_dir_all(&folder)?;
    let script = "
        const { unstable_getVarsForDev } = require('wrangler');
        const [table, folder] = process.argv.slice(1);
        for (const { text, variables } of require(table)) {
          require('fs').writeFileSync(`${folder}/.dev.vars`, text);
          const read = unstable_getVarsForDev(`${folder}/wrangler.toml`, undefined, {}, undefined, true);
          const values = Object.entries(read).map(([name, { value }]) => [name, value]);
          require('assert').deepStrictEqual(Object.fromEntries(values), variables, text);
        }";
    process::run(
        Command::new("node")
            .args(["--eval", script])
            .arg(workspace::path("kit/src/dev_vars.json"))
            .arg(folder)
            .current_dir(workspace::path("")),
    )
}
