//! `check`: reads the configuration of the Worker as it will itself, before it is deployed. (`cinnabar
//! check` does so for a process of its own.)

use std::path::Path;

use anyhow::Result;
use cinnabar_commands::check;

use crate::CLOUDFLARE;
use crate::deployment::{self, Deployment};

const SECRETS: &str = "Cloudflare does not reveal the secrets that it has been given. What was checked is [vars] of wrangler.toml; for secrets, this environment; and for whatever else you set with `npx wrangler secret put`, .dev.vars (copy .dev.vars.example, and fill it in; git ignores it).";

/// Checks the Worker in this folder, and prints what it will run with.
///
/// # Errors
///
/// Every mistake.
pub fn run(folder: &Path) -> Result<()> {
    let Deployment { variables, mistakes, warnings } = deployment::read(folder)?;
    for warning in warnings {
        eprintln!("warning: {warning}");
    }
    let config = check::fit_to_deploy(&CLOUDFLARE, &variables, mistakes)
        .inspect_err(|_| eprintln!("{SECRETS}"))?;
    check::print(&CLOUDFLARE, &config, &variables);
    println!("{SECRETS}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::Source;
    use crate::development::{Variables, in_development};

    #[test]
    fn a_hub_with_the_key_of_development_is_not_deployed() {
        let variables = in_development(Variables::new(), 8787);
        let given = |(name, value): (String, String)| (name, (value.into(), Source::Vars));
        let variables = variables.into_iter().map(given).collect();
        let refused = check::fit_to_deploy(&CLOUDFLARE, &variables, Vec::new());
        let told = refused.unwrap_err().to_string();
        for role in ["PUBLISHER", "SUBSCRIBER"] {
            let name = format!("MERCURE_{role}_JWT_KEY");
            assert!(told.contains(&format!("{name} is a secret from public documentation")));
        }
    }
}
