//! workerd's configuration: the runtime of Cloudflare's own servers, on a developer's machine.

use anyhow::{Context as _, Result};
use toml::Table;

use crate::development::Variables;

/// What stands in for the cache of a data centre: a file beside the configuration, by this name.
pub const CACHE: (&str, &str) = ("cache.js", include_str!("cache.js"));

/// workerd's configuration. It only names the variables: their values come from the environment, so
/// that no secret is written to a file. Those of which `is_json` become bindings to what their JSON
/// says, as `[vars]` of wrangler.toml makes them.
///
/// # Errors
///
/// As [`compatibility_date`].
pub fn configuration(variables: &Variables, is_json: impl Fn(&str) -> bool) -> Result<String> {
    let bindings: String = variables
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| match is_json(name) {
            true => format!("    (name = \"{name}\", json = {value:?}),\n"),
            false => format!("    (name = \"{name}\", fromEnvironment = \"{name}\"),\n"),
        })
        .collect();
    Ok(include_str!("workerd.capnp")
        .replace("COMPATIBILITY_DATE", &compatibility_date()?)
        .replace("    # variables\n", &bindings))
}

/// The date of the runtime's behaviour that the hub is deployed with.
///
/// # Errors
///
/// wrangler.toml does not name one.
pub fn compatibility_date() -> Result<String> {
    let settings: Table = include_str!("../../wrangler.toml").parse()?;
    let date = settings.get("compatibility_date").and_then(|date| date.as_str());
    date.map(str::to_owned).context("wrangler.toml has no compatibility_date")
}
