//! The targets of `core/tests/corpus`, for fuzzers.

#[path = "../../core/tests/corpus/targets/mod.rs"]
mod targets;

/// Runs a target with these bytes.
///
/// # Panics
///
/// If a promise of the hub is broken.
pub fn run(target: &str, bytes: &[u8]) {
    let found = targets::TARGETS.iter().find(|known| known.name == target);
    let found = found.unwrap_or_else(|| panic!("no target is named `{target}`"));
    (found.run)(bytes);
}
